"""Signs of any row at any time: a hash of the row, and a matrix that skips the outputs before."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.gf2 import linear
from kakure.model.reference.signs import xorshift32

from .row_signs_shape import STATE, RowSignsShape
from .widths import ROW_BITS

__all__ = ["RowSigns"]


def _steps(count: int, x: Value) -> Value:
    """The state after some steps of xorshift."""

    def function(state: int) -> int:
        for _ in range(count):
            state = xorshift32(state)
        return state

    return linear(function, x)


class RowSigns(wiring.Component):
    """Signs of ``outputs`` neighbouring outputs of ``many`` rows at a time, in any order.

    The generator xorshift32 gives 32 outputs of a row per step from the row's start state. Steps
    are linear, so those for all outputs before are one matrix over GF(2), kept as the states to
    which they take the 32 unit vectors. For the next outputs each of them takes a step.

    Bit-equal to ``xorshift32`` in :func:`kakure.model.reference.signs.sign_matrix`.

    Parameters
    ----------
    outputs : int
        A power of two up to 32, or a multiple of 32.
    many : int, at least 1
        Rows at a time.

    Members
    -------
    restart, advance : ``In(1)``
        From the next cycle on rows are asked for their first outputs; for the next ones.
    prefix : ``In(32)``
        As :func:`kakure.hdl.weights.sign_generator.job_prefix` gives it. Stays while rows do.
    valid, rows : In
        Rows.
    signs : ``Out(data.ArrayLayout(outputs, many))``
        Of the rows that were asked for 4 cycles ago; bit 1 means +1.

    Timing
    ------
    ``many`` rows per cycle. ``restart`` and ``advance`` wait until 3 cycles after the last of them.

    Source
    ------
    As :class:`kakure.hdl.weights.xorshift32.Xorshift32`; skipping by a matrix: ours.
    """

    restart: Signal
    advance: Signal
    prefix: Signal
    valid: Signal
    rows: data.View
    signs: data.View

    def __init__(self, *, outputs: int, many: int = 1) -> None:
        self.outputs = outputs
        self.many = many
        self.shape = RowSignsShape(outputs, many)
        super().__init__({
            "restart": In(1),
            "advance": In(1),
            "prefix": In(STATE),
            "valid": In(1),
            "rows": In(data.ArrayLayout(ROW_BITS, many)),
            "signs": Out(data.ArrayLayout(outputs, many)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        words = -(-self.outputs // STATE)
        images = [Signal(STATE, name=f"image_{bit}", reset_less=True) for bit in range(STATE)]
        part, parts = self._part(m, images, words)
        is_there = Signal(3)
        m.d.sync += is_there.eq(Cat(self.valid, is_there))
        for n in range(self.many):
            seed = self._seed(m, n, is_there)
            state = Signal(STATE, name=f"state_{n}")
            m.d.comb += state.eq(
                Cat(
                    Cat(seed[n] & image[bit] for n, image in enumerate(images)).xor()
                    for bit in range(STATE)
                )
            )
            found = Cat(state if word == 0 else _steps(word, state) for word in range(words))
            if parts > 1:
                found = Array(found.word_select(at, self.outputs) for at in range(parts))[part]
            signs = Signal(self.outputs, name=f"signs_{n}", reset_less=True)
            with m.If(is_there[2]):
                m.d.sync += signs.eq(found)
            m.d.comb += self.signs[n].eq(signs)
        return m

    def _seed(self, m: Module, number: int, is_there: Signal) -> Signal:
        """The start state of a row, 3 cycles after it."""
        absorbed = Signal(STATE, name=f"absorbed_{number}", reset_less=True)
        mixed = Signal(STATE, name=f"mixed_{number}", reset_less=True)
        nearly = Signal(STATE, name=f"nearly_{number}", reset_less=True)
        with m.If(self.valid):
            m.d.sync += absorbed.eq(self.prefix + self.rows[number])
        with m.If(is_there[0]):
            m.d.sync += mixed.eq(_xor_right(absorbed + (absorbed << 10), 6))
        with m.If(is_there[1]):
            m.d.sync += nearly.eq(_xor_right(mixed + (mixed << 3), 11))
        # The last hash step multiplies by 2^15 + 1, an odd number: it gives 0 for 0 only.
        seed = Signal(STATE, name=f"seed_{number}")
        m.d.comb += seed.eq((nearly + (nearly << 15))[:STATE] | (nearly == 0))
        return seed

    def _part(self, m: Module, images: list[Signal], words: int) -> tuple[Signal, int]:
        """Step the matrix; which part of its words is asked for, and of how many."""
        parts = max(1, STATE // self.outputs)
        part = Signal(range(parts))
        steps = Signal()
        m.d.comb += steps.eq(self.advance)
        if parts > 1:
            m.d.comb += steps.eq(self.advance & (part == parts - 1))
            with m.If(self.advance):
                m.d.sync += part.eq(part + 1)  # a power of two of them
        with m.If(self.restart):
            m.d.sync += part.eq(0)
        with m.If(steps | self.restart):
            m.d.sync += [
                image.eq(Mux(self.restart, xorshift32(1 << bit), _steps(words, image)))
                for bit, image in enumerate(images)
            ]
        return part, parts


def _xor_right(x: Value, amount: int) -> Value:
    x = x[:STATE]
    return x ^ (x >> amount)
