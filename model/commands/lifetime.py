"""Processes that end with the one that started them, however that ends.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["end_with", "end_with_parent", "tied"]

PERIOD = 0.5
"""Time between two looks at the parent [s]."""

SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl; the signal stays set across exec."""

KILL = 9
"""SIGKILL."""

HERE = str(Path(__file__).resolve())  # before the working folder changes


def end_with(parent: int) -> None:
    """End this process at most a second after its parent, whose number is ``parent``, is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PERIOD)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def end_with_parent() -> None:
    """Let Linux kill this process when the thread that started it is gone; nothing elsewhere."""
    if sys.platform != "linux":
        return
    import ctypes  # only here: it takes a while

    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, KILL)


def tied(command: Sequence[str]) -> list[str]:
    """A command that starts ``command`` so that Linux kills it when the starting thread is gone.

    Start it from a thread that waits for it. Elsewhere than on Linux it is ``command`` itself.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", HERE, str(os.getpid()), *command]


if __name__ == "__main__":  # as tied() starts it
    end_with_parent()
    if os.getppid() == int(sys.argv[1]):  # else it was gone before the signal was set
        os.execvp(sys.argv[2], sys.argv[2:])
