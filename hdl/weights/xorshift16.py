"""Signs of the Hiddenite-style generator: one state per input channel, two blocks a step."""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.gf2 import linear
from kakure.model.reference.signs import xorshift16

from .sign_generator_shape import Xorshift16Shape

__all__ = ["Xorshift16"]


class Xorshift16(wiring.Component):
    """Words of 32 signs by xorshift (7, 9, 8), stepping through blocks of 16 outputs.

    The generator makes 16 signs a step, and visits the window of one 16-block before the next. So
    the signs of an odd block are those of the even block before it, ``window`` steps later, and
    where an even block ends the odd one is just one step before the next. Xorshift is linear over
    GF(2): ``window`` steps are a constant matrix, and one 16-bit state gives both blocks.

    Bit-equal to ``xorshift16`` in :func:`kakure.model.reference.signs.sign_matrix`; a state of 0
    stays 0.

    Parameters
    ----------
    windows : tuple of int, each at least 1
        The window sizes that occur.
    max_channels : int, at least 1
        Largest number of input channels.

    Members
    -------
    prefix : ``In(16)``
        Start state of channel 0, (layer + seed) << 10.
    window : ``In``
        One of ``windows``.
    step : ``In(1)``
        Make the next word. Hold ``prefix`` and ``window`` from a layer's first word to its last.
    channel : ``In``
        That word's input channel.
    new_channel : ``In(1)``
        That word is the first of its channel.
    new_block : ``In(1)``
        That word is the first of its block; 1 as well where ``new_channel``.
    signs : ``Out(32)``
        The word; bit 1 means +1. Output 32·block + b in bit b.

    Timing
    ------
    A word is there in the cycle after its ``step``; one word per cycle.

    Raises
    ------
    ValueError
        If ``windows`` is empty or holds a number below 1, or ``max_channels`` is below 1.

    Source
    ------
    Generator and order: Hirose et al., Hiddenite, ISSCC 2022. Two blocks at a time: ours.
    """

    prefix: Signal
    window: Signal
    step: Signal
    channel: Signal
    new_channel: Signal
    new_block: Signal
    signs: Signal

    def __init__(self, *, windows: tuple[int, ...], max_channels: int) -> None:
        if not windows or min(windows) < 1:
            raise ValueError(f"windows must be numbers of at least 1, not {windows!r}")
        if max_channels < 1:
            raise ValueError(f"max_channels must be at least 1, not {max_channels!r}")
        self.windows = windows
        self.max_channels = max_channels
        self.shape = Xorshift16Shape(len(set(windows)), max_channels)
        super().__init__({
            "prefix": In(16),
            "window": In(range(max(windows) + 1)),
            "step": In(1),
            "channel": In(range(max_channels)),
            "new_channel": In(1),
            "new_block": In(1),
            "signs": Out(32),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        even = Signal(16, reset_less=True)
        odd = Signal(16)  # ``window`` steps ahead
        with m.Switch(self.window):
            for window in sorted(set(self.windows)):
                with m.Case(window):
                    m.d.comb += odd.eq(linear(_steps(window), even))
        m.d.comb += self.signs.eq(Cat(even, odd))

        start = Signal(16)
        base = Signal(16)  # one step before the next even block
        m.d.comb += start.eq(self.prefix ^ self.channel)
        m.d.comb += base.eq(Mux(self.new_channel, start, Mux(self.new_block, odd, even)))
        with m.If(self.step):
            m.d.sync += even.eq(_xorshift(base))

        return m


def _xorshift(x: Value) -> Value:
    x = x ^ (x << 7)[:16]
    x = x ^ (x >> 9)
    return x ^ (x << 8)[:16]


def _steps(count: int) -> Callable[[int], int]:
    def run(state: int) -> int:
        for _ in range(count):
            state = xorshift16(state)
        return state

    return run
