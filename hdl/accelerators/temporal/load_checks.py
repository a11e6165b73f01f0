"""What every state of a load checks, and where it goes then."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream

from kakure.hdl.weights.image_reader import LoadError

__all__ = ["LoadChecks"]


class LoadChecks:
    """Verbs for the states of a machine that takes words: the first thing wrong ends the load.

    Parameters
    ----------
    m : Module
        Of the machine, which has a state ``FAILED``.
    i : stream of ``word``, ``last``
        The words; ``last`` with the last one and no other.
    is_split : Signal
        ``last`` is not looked at.
    error : View of LoadError
        Set to what was wrong.
    """

    def __init__(self, m: Module, *, i: stream.Interface, is_split: Signal, error: Any) -> None:
        self.m = m
        self.i = i
        self.is_split = is_split
        self.error = error

    def fail(self, error: LoadError) -> None:
        """End the load."""
        self.m.d.sync += self.error.eq(error)
        self.m.next = "FAILED"

    def go_on(self, state: str) -> None:
        """To ``state``, after a word that is not the last."""
        self.m.next = state
        with self.m.If(self.i.p.last & ~self.is_split):
            self.fail(LoadError.LENGTH)

    def check(self, state: str, is_right: Value, error: LoadError = LoadError.HEADER) -> None:
        """To ``state``, after a word that is right and not the last."""
        self.go_on(state)
        with self.m.If(~is_right):
            self.fail(error)
