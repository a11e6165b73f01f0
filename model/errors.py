"""What a user can mend: one line that names the file, the field, the rule and the value."""

__all__ = ["UserError"]


class UserError(Exception):
    """A mistake in the user's input; commands print its one line and exit with code 2."""
