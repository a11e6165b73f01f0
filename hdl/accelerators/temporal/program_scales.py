"""The scales in a section of a program: two words for each channel."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from kakure.hdl.weights.image_reader import LoadError
from kakure.model.parameters.parameters import MULTIPLIER_BITS, SHIFT_BITS

from .load_checks import LoadChecks
from .widths import CHANNEL_BITS

__all__ = ["ProgramScales"]


class ProgramScales:
    """States that read multiplier and shift, then offset, channel after channel and set after set.

    The outputs of a channel pass share an address; each set of a layer's scales lies ``depth``
    further on than the one before.

    Parameters
    ----------
    outputs : int
        Channels of a pass.
    depth : int
        Channel passes, of all layers, that there is room for.
    sets : int
        Scales of each channel.
    """

    def __init__(self, *, outputs: int, depth: int, sets: int) -> None:
        self.outputs = outputs
        self.depth = depth
        self.sets = sets
        self._channel = Signal(CHANNEL_BITS, name="channel")
        self._output = Signal(range(outputs), name="output")
        self._address = Signal(range(depth + 1), name="address")
        self._begin = Signal(range(depth + 1), name="begin")  # of the layer's, in each set
        self._number = Signal(range(sets), name="number")

    def read(
        self, m: Module, checks: LoadChecks, *, channels: Signal, scales: Any, state: str
    ) -> None:
        """Add states ``MULTIPLIER`` and ``OFFSET`` to the machine of ``m``.

        Parameters
        ----------
        channels : Signal
            Of the layer; stays meanwhile.
        scales : View of :func:`.scales_layout`
            Driven: in a cycle with ``valid`` scales of an output.
        state : str
            What follows the last one.
        """
        word, valid = checks.i.p.word, checks.i.valid
        multiplier = Signal(MULTIPLIER_BITS, reset_less=True)
        shift = Signal(SHIFT_BITS, reset_less=True)
        there: Value = self._address
        if self.sets > 1:
            there = self._address + self._number * self.depth
        is_last = self._channel == channels - 1
        m.d.comb += [
            scales.output.eq(self._output),
            scales.address.eq(there),
            scales.multiplier.eq(multiplier),
            scales.offset.eq(word),
            scales.shift.eq(shift),
        ]
        zeros = Cat(word[MULTIPLIER_BITS:24], word[24 + SHIFT_BITS :])
        with m.State("MULTIPLIER"):
            m.d.sync += [multiplier.eq(word), shift.eq(word[24:])]
            with m.If(valid):
                checks.check("OFFSET", ~zeros.any(), LoadError.SCALE)
        with m.State("OFFSET"), m.If(valid):
            is_room = self._address != self.depth
            m.d.comb += scales.valid.eq(is_room)
            self._count(m, is_last)
            if self.sets > 1:
                is_last = self._end_set(m, is_last)
            with m.If(is_last):
                checks.check(state, is_room, LoadError.LENGTH)
            with m.Else():
                checks.check("MULTIPLIER", is_room, LoadError.LENGTH)

    def _count(self, m: Module, is_last: Value) -> None:
        """Go on to the next channel."""
        ends_pass = is_last | (self._output == self.outputs - 1)
        m.d.sync += self._channel.eq(Mux(is_last, 0, self._channel + 1))
        m.d.sync += self._output.eq(Mux(ends_pass, 0, self._output + 1))
        with m.If(ends_pass):
            m.d.sync += self._address.eq(self._address + 1)

    def _end_set(self, m: Module, is_last: Value) -> Value:
        """Go back for the next set after a set's last channel; whether it was the last set."""
        is_last_set = self._number == self.sets - 1
        with m.If(is_last):
            m.d.sync += self._number.eq(Mux(is_last_set, 0, self._number + 1))
            with m.If(is_last_set):
                m.d.sync += self._begin.eq(self._address + 1)
            with m.Else():
                m.d.sync += self._address.eq(self._begin)
        return is_last & is_last_set
