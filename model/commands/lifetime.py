"""Processes that end with the one that started them, however that ends."""

import os
import sys
import threading
import time
from collections.abc import Sequence

__all__ = ["end_with", "tied"]

PERIOD = 0.5
"""Time between two looks at the parent [s]."""

_LAUNCHER = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"  # PR_SET_PDEATHSIG, SIGKILL
    "if os.getppid() == int(sys.argv[1]): os.execvp(sys.argv[2], sys.argv[2:])\n"
)
"""The signal stays set across exec. A parent that was gone before it was set is noticed."""


def end_with(parent: int) -> None:
    """End this process at most a second after its parent, whose number is ``parent``, is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PERIOD)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def tied(command: Sequence[str]) -> list[str]:
    """A command that starts ``command`` so that Linux kills it when the starting thread is gone.

    Start it from a thread that waits for it. Elsewhere than on Linux it is ``command`` itself.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
