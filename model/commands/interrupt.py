"""Ctrl-C at any moment: one line and exit code 130, whatever it hits.

It imports nothing that the interpreter has not loaded already, so that a command line arms itself
before anything else: ``signal`` alone takes longer than all of this.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import SIGINT, default_int_handler, getsignal, pthread_kill, signal
    from types import FrameType
    from typing import Self
else:
    from _signal import SIGINT, default_int_handler, getsignal, pthread_kill, signal

__all__ = ["INTERRUPTED", "Interruption", "arm"]

INTERRUPTED = 130
"""Exit code of an interrupted command: 128 + SIGINT."""

RESEND_S = 0.02
"""After this long an interrupt that was swallowed comes again [s]."""

IMPORTS = "<frozen importlib._bootstrap>"
"""Where every import of Python runs through."""


def arm() -> None:
    """Let Ctrl-C end this process at once while nothing is under way: during imports, and at exit.

    Where interrupts are ignored, as in a shell's background job, they stay so.
    """
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, _leave)


def _leave(number: int, frame: "FrameType | None") -> None:
    if not Interruption.was_said:
        os.write(2, f"{Interruption.text}\n".encode())
    os._exit(INTERRUPTED)


def _is_importing(frame: "FrameType | None") -> bool:
    while frame is not None and frame.f_code.co_filename != IMPORTS:
        frame = frame.f_back
    return frame is not None


class Interruption:
    """Within it Ctrl-C is remembered, and raises KeyboardInterrupt.

    Two things would lose it. Python prints and forgets what is raised in a ``__del__`` or a weak
    reference's callback, such as Amaranth's ``MustUse.__del__``: it is sent again. And what is
    raised inside an import may break an extension module, which then reports something else: the
    process ends at once.

    Parameters
    ----------
    text : str
        What the user is told.

    Attributes
    ----------
    seen : bool
        Whether there was an interrupt, even one that something has turned into another error.
    is_active : bool
        Whether an interrupt is raised now.
    """

    text = "interrupted"
    was_said = False
    """Whether this process has told the user already."""

    def __init__(self, text: str) -> None:
        self.seen = False
        self.is_active = False
        Interruption.text = text

    def __enter__(self) -> "Self":
        from threading import current_thread, main_thread

        self.before = getsignal(SIGINT)
        self.hook = sys.unraisablehook
        is_main = current_thread() is main_thread()
        self.is_ours = is_main and self.before in (default_int_handler, _leave)
        if self.is_ours:
            sys.unraisablehook = self._unraisable
            signal(SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_ours:
            signal(SIGINT, self.before)
            sys.unraisablehook = self.hook

    def start(self) -> None:
        """From here on an interrupt is raised."""
        self.is_active = True
        if self.seen:
            raise KeyboardInterrupt

    def stop(self) -> None:
        """From here on an interrupt is only remembered."""
        self.is_active = False

    def _interrupt(self, number: int, frame: "FrameType | None") -> None:
        self.seen = True
        if self.before is _leave and _is_importing(frame):
            _leave(number, frame)
        if self.is_active:
            raise KeyboardInterrupt

    def _unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.hook(unraisable)
            return
        from threading import Timer

        again = Timer(RESEND_S, self._again)
        again.daemon = True
        again.start()

    def _again(self) -> None:
        from threading import main_thread

        ident = main_thread().ident
        if self.is_active and ident is not None:
            pthread_kill(ident, SIGINT)
