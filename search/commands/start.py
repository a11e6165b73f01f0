"""Where the command ``kakure`` starts."""

from kakure.model.commands.interrupt import arm

__all__ = ["start"]

COLLECTIONS = (100_000, 20, 20)
"""Objects between two collections of garbage, and collections between two of older objects.

Designs and netlists are millions of objects that stay: at Python's own 700 a quarter of the time
of ``gen`` went into looking at them again and again.
"""


def start() -> int:
    """Run the command line of this process; its exit code."""
    arm()  # first of all: the other imports take a while
    import gc
    import os
    import signal
    import sys

    gc.set_threshold(*COLLECTIONS)
    # PyTorch's threads would else spin when they have nothing to do, and take the cores of others.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from .kakure import main

    code = main(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: nothing is left to interrupt
    return code
