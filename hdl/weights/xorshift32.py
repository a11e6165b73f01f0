"""Signs of the default generator: a hashed start state per row, then 32 signs a step."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .sign_generator_shape import Xorshift32Shape

__all__ = ["Xorshift32"]


class Xorshift32(wiring.Component):
    """Words of 32 signs by xorshift (13, 17, 5) from a start state per row.

    The start state of row r is the Jenkins one-at-a-time hash of (seed, layer, r), 1 in the place
    of 0. The words (seed, layer) are absorbed beforehand, into ``prefix``; a pipeline of three
    registers absorbs r and finishes the hash, so that a new row may start in every cycle. It runs
    ahead of the words, rows in order from 0.

    Bit-equal to ``xorshift32`` in :func:`kakure.model.reference.signs.sign_matrix`.

    Members
    -------
    start : ``In(1)``
        Begin a layer with row 0.
    prefix : ``In(32)``
        The hash after absorbing (seed, layer); read with ``start``.
    ready : ``Out(1)``
        The first row's start state is at hand. From then on stays 1.
    step : ``In(1)``
        Make the next word; only while ``ready``.
    new_row : ``In(1)``
        That word is the first of the next row.
    signs : ``Out(32)``
        The word; bit 1 means +1. Output 32·block + b in bit b.

    Timing
    ------
    ``ready`` rises 3 cycles after ``start``. A word is there in the cycle after its ``step``; one
    word per cycle, also where every word starts a row.

    Source
    ------
    Marsaglia, Xorshift RNGs, J. Stat. Softw. 8(14), 2003. Jenkins, A Hash Function for Hash Table
    Lookup, Dr. Dobb's Journal, 1997. A hashed start state per row: ours.
    """

    start: Signal
    prefix: Signal
    ready: Signal
    step: Signal
    new_row: Signal
    signs: Signal

    def __init__(self) -> None:
        self.shape = Xorshift32Shape()
        super().__init__({
            "start": In(1),
            "prefix": In(32),
            "ready": Out(1),
            "step": In(1),
            "new_row": In(1),
            "signs": Out(32),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        absorbed = Signal(32, reset_less=True)  # prefix + r
        mixed = Signal(32, reset_less=True)
        nearly = Signal(32, reset_less=True)
        filled = Signal(3)  # bit n: the register of stage n holds a row

        with m.If(~self.ready | (self.step & self.new_row)):
            m.d.sync += absorbed.eq(absorbed + 1)
            m.d.sync += mixed.eq(_xor_right(absorbed + (absorbed << 10), 6))
            m.d.sync += nearly.eq(_xor_right(mixed + (mixed << 3), 11))
            m.d.sync += filled.eq(Cat(filled[0], filled))
        with m.If(self.start):
            m.d.sync += absorbed.eq(self.prefix)
            m.d.sync += filled.eq(1)
        m.d.comb += self.ready.eq(filled[-1])

        # The last hash step multiplies by 2^15 + 1, an odd number: it gives 0 for 0 only.
        seed = (nearly + (nearly << 15))[:32] | (nearly == 0)
        state = Signal(32, reset_less=True)
        m.d.comb += self.signs.eq(state)
        with m.If(self.step):
            m.d.sync += state.eq(_xorshift(Mux(self.new_row, seed, state)))

        return m


def _xor_right(x: Value, amount: int) -> Value:
    x = x[:32]
    return x ^ (x >> amount)


def _xorshift(x: Value) -> Value:
    x = x ^ (x << 13)[:32]
    x = x ^ (x >> 17)
    return x ^ (x << 5)[:32]
