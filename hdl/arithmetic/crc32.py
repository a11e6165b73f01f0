"""CRC-32 of a stream of words, one word per cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.model.reference.masks import crc32

from .crc32_shape import Crc32Shape
from .gf2 import linear

__all__ = ["Crc32"]

ONES = 0xFFFFFFFF


class Crc32(wiring.Component):
    """CRC-32 (IEEE 802.3, reflected) of 32-bit words, least significant byte first.

    The register holds the complement of ``value``. A word moves it to L(register ^ word), where L
    is the linear map of 32 shifts by the polynomial: one exclusive-or tree per bit.

    Bit-equal to :func:`kakure.model.reference.masks.crc32`.

    Members
    -------
    clear : ``In(1)``
        Forget the words so far. A word of the same cycle is the first of the new sum.
    valid : ``In(1)``
        There is a word in this cycle.
    word : ``In(32)``
        The word.
    value : ``Out(32)``
        CRC of the words since the last ``clear``; 0 before the first.

    Timing
    ------
    One word per cycle; ``value`` includes a word from the cycle after it.

    Source
    ------
    IEEE 802.3-2018, 3.2.9. The parallel form is ordinary: the map is read off the reference.
    """

    clear: Signal
    valid: Signal
    word: Signal
    value: Signal

    def __init__(self) -> None:
        self.shape = Crc32Shape()
        super().__init__({"clear": In(1), "valid": In(1), "word": In(32), "value": Out(32)})

    def elaborate(self, platform) -> Module:
        m = Module()

        register = Signal(32, init=ONES)
        start = Mux(self.clear, ONES, register)
        m.d.comb += self.value.eq(~register)

        with m.If(self.valid):
            m.d.sync += register.eq(linear(self._step, start ^ self.word))
        with m.Elif(self.clear):
            m.d.sync += register.eq(ONES)

        return m

    @staticmethod
    def _step(word: int) -> int:
        return crc32([word]) ^ crc32([0])  # initial value and final complement cancel
