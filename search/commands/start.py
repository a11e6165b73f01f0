"""Where the command ``kakure`` starts."""

from kakure.model.commands.interrupt import arm

__all__ = ["start"]


def start() -> int:
    """Run the command line of this process; its exit code."""
    arm()  # first of all: the other imports take a while
    import sys

    from .kakure import main

    return main(sys.argv[1:])
