"""The one command: ``kakure VERB ...``."""

from collections.abc import Sequence

from kakure.model.commands.command import run_command

from .verbs import INDEX

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Run a verb.

    Returns
    -------
    int
        0 if all is well, 1 if a proof failed, 2 for a mistake of the user, 130 if interrupted.

    Raises
    ------
    SystemExit
        Where the options of a verb are wrong, with code 2, or its ``--help`` is asked for.
    """
    if list(argv) == ["--version"]:
        from kakure.model.commands.version import version

        return run_command(lambda: print(f"kakure {version()}"))
    return INDEX.main("kakure", argv)
