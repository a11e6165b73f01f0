"""The step that the array has in work: what it is, where it is, and its activations."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream

from kakure.hdl.emission.field import field

from .program import DIGIT

__all__ = ["ArrayStep"]


class ArrayStep:
    """A step, from the cycle after it was taken on: plane after plane of its digit.

    It is in work for as many cycles as it has planes, or as its sums need to be sent.

    Parameters
    ----------
    i : stream of :func:`.step_layout`
        Steps.
    inputs, pixels : int
        Of the array.
    most_pace : int
        Most cycles for a position that is sent.
    planes : int
        Planes of bitwise weights, else 0.

    Attributes
    ----------
    x : list of Signal
        Digits of all inputs, for each position.
    digit, batch, begins_sums, drains, doubles : Signal
        As the step says it; without planes there is no ``doubles``.
    plane : Signal
        The plane in work; 0 is the last one.
    adds : Signal
        It is added in this cycle.
    is_first_plane, is_first_cycle : Signal
        The step was taken in the cycle before.
    is_last_plane : Value
        The digit is added with this cycle.
    left : Signal
        Cycles after this one.
    """

    def __init__(
        self, *, i: stream.Interface, inputs: int, pixels: int, most_pace: int, planes: int
    ) -> None:
        step: Any = i.payload
        self.i = i
        self.pixels = pixels
        bits = DIGIT * inputs
        self.x = [Signal(bits, name=f"x_{p}", reset_less=True) for p in range(pixels)]
        names = ("digit", "batch", "begins_sums", "drains", *(("doubles",) if planes else ()))
        self._tags = {n: Signal(step[n].shape(), name=n, reset_less=True) for n in names}
        self.digit, self.batch = self._tags["digit"], self._tags["batch"]
        self.begins_sums, self.drains = self._tags["begins_sums"], self._tags["drains"]
        self.doubles = self._tags.get("doubles")
        self.plane, self.adds = Signal(range(DIGIT)), Signal()
        self.is_first_plane, self.is_first_cycle = Signal(), Signal()
        self.is_last_plane: Value = self.adds & (self.plane == 0)
        self.left = Signal(range(max(most_pace * pixels, DIGIT)))

    def build(self, m: Module, *, take: Signal, is_made: Value, pace: Signal) -> None:
        """Work on steps in ``m``: one is taken in a cycle of ``take``.

        A step that begins a block is not ready before the weights are (``is_made``). ``pace`` is
        the cycles for each position that is sent.
        """
        step: Any = self.i.payload
        left, plane = self.left, self.plane
        m.d.comb += self.i.ready.eq((left == 0) & (~step.begins_block | is_made))
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.sync += self.is_first_plane.eq(0)
        m.d.sync += self.is_first_cycle.eq(take)
        with m.If(plane == 0):
            m.d.sync += self.adds.eq(0)
        with m.Else():
            m.d.sync += plane.eq(plane - 1)
        with m.If(take):
            planes = Mux(step.computes, step.last_plane, 0)
            drained = Mux(step.drains, self.pixels * pace - 1, 0)
            m.d.sync += left.eq(Mux(planes > drained, planes, drained))
            m.d.sync += [tag.eq(step[name]) for name, tag in self._tags.items()]
            m.d.sync += [plane.eq(planes), self.adds.eq(step.computes), self.is_first_plane.eq(1)]

    def keep(self) -> list[Any]:
        """Statements of a cycle in which a step is taken that computes: its activations."""
        step = self.i.payload
        return [old.eq(Value.cast(field(step, "x", p))) for p, old in enumerate(self.x)]
