"""What a user can mend: one line that names the file, the field, the rule and the value."""

__all__ = ["Damaged", "UserError"]


class UserError(Exception):
    """A mistake in the user's input; commands print its one line and exit with code 2."""


class Damaged(UserError):
    """A file of ours whose bytes are not those that were written; it can be made anew."""
