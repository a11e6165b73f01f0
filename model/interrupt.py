"""Ctrl-C at any moment: one line and exit code 130, whatever it hits.

It imports next to nothing, so that a command line arms itself before anything else.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

__all__ = ["INTERRUPTED", "Interruption", "arm"]

INTERRUPTED = 130
"""Exit code of an interrupted command: 128 + SIGINT."""

RESEND_S = 0.02
"""After this long an interrupt that was swallowed comes again [s]."""


def arm() -> None:
    """Let Ctrl-C end this process at once while nothing is under way: during imports, and at exit.

    Where interrupts are ignored, as in a shell's background job, they stay so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    if not Interruption.was_said:
        os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


class Interruption:
    """Within it Ctrl-C is remembered, raises KeyboardInterrupt in :meth:`raised`, and is not lost.

    Python prints and forgets what is raised in a ``__del__`` or a weak reference's callback, such
    as Amaranth's ``MustUse.__del__``; an interrupt that fell there is sent again.

    Attributes
    ----------
    seen : bool
        Whether there was an interrupt, even one that something has turned into another error.
    active : bool
        Whether an interrupt is raised now.
    """

    was_said = False
    """Whether this process has told the user already that it was interrupted."""

    def __init__(self) -> None:
        self.seen = False
        self.active = False

    def __enter__(self) -> Self:
        import threading

        self.before = signal.getsignal(signal.SIGINT)
        self.hook = sys.unraisablehook
        is_main = threading.current_thread() is threading.main_thread()
        self.is_ours = is_main and self.before in (signal.default_int_handler, _leave)
        if self.is_ours:
            sys.unraisablehook = self._unraisable
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.is_ours:
            signal.signal(signal.SIGINT, self.before)
            sys.unraisablehook = self.hook

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise KeyboardInterrupt within it, and only there, so that it cannot fall beside."""
        try:
            self.active = True
            if self.seen:
                raise KeyboardInterrupt
            yield
        finally:
            self.active = False

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        if self.active:
            raise KeyboardInterrupt

    def _unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.hook(unraisable)
            return
        import threading

        again = threading.Timer(RESEND_S, self._again)
        again.daemon = True
        again.start()

    def _again(self) -> None:
        import threading

        ident = threading.main_thread().ident
        if self.active and ident is not None:
            signal.pthread_kill(ident, signal.SIGINT)
