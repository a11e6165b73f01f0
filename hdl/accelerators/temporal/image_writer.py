"""Images into the first memory of activations, byte by byte."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .address import add_address, address_layout, address_value
from .image_writer_shape import ImageWriterShape
from .program import DIGIT, Map
from .widths import CHANNEL_BITS, COUNT_BITS

__all__ = ["ImageWriter", "image_cycles", "image_layout", "image_value"]

BYTE = 8
BYTES = 4


def image_layout(rows: int, banks: int) -> data.StructLayout:
    """What an image looks like, and where it lies; ``next_row`` leads from a row's last word on."""
    address = address_layout(rows, banks)
    return data.StructLayout({
        "channels": CHANNEL_BITS,
        "width": COUNT_BITS,
        "height": COUNT_BITS,
        "drops": range(BYTE),
        "has_two_digits": 1,
        "origin": address,
        "next_row": address,
        "plane": address,
    })


class ImageWriter(wiring.Component):
    """The most significant bits of each byte, ``word`` channels a word, digit by digit.

    Byte 0 of a word that comes is its least significant. An image is height · width · channels
    bytes, channel fastest; bytes of its last word that lie beyond are skipped.

    Bit-equal to :func:`kakure.model.reference.stages.quantize_image`.

    Parameters
    ----------
    word : int
        Channels of a word of the memory.
    banks, rows : int
        Of the memory.

    Members
    -------
    image : ``In(image_layout(...))``
        Stays while an image is taken.
    i : ``In(stream.Signature(32))``
        Words, image after image; a word is taken with its last byte.
    o : ``Out(struct)``
        In a cycle with ``valid``, a word of the memory.
    ends : ``Out(1)``
        The image's last byte is taken in this cycle. Its last digit may follow in the next one.

    Timing
    ------
    A byte per cycle; a pause of one where a word of two digits follows within a cycle of another.
    """

    image: Any
    i: stream.Interface
    o: Any
    ends: Signal

    def __init__(self, *, word: int, banks: int, rows: int) -> None:
        self.word = word
        self.banks = banks
        self.rows = rows
        self.shape = ImageWriterShape(word, banks, rows)
        self.address = address_layout(rows, banks)
        super().__init__({
            "image": In(image_layout(rows, banks)),
            "i": In(stream.Signature(BYTE * BYTES)),
            "o": Out(
                data.StructLayout({"valid": 1, "address": self.address, "word": word * DIGIT})
            ),
            "ends": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        image = self.image
        byte, lane = Signal(range(BYTES)), Signal(range(self.word))
        channel = Signal(CHANNEL_BITS)
        x, y = Signal(COUNT_BITS), Signal(COUNT_BITS)
        at: Any = Signal(self.address, name="at", reset_less=True)
        here: Any = Signal(self.address, name="here")
        is_begun = Signal()
        m.d.comb += Value.cast(here).eq(Mux(is_begun, Value.cast(at), Value.cast(image.origin)))
        ends_position = channel == image.channels - 1
        ends_word = ends_position | (lane == self.word - 1)
        ends_row = ends_position & (x == image.width - 1)
        ends_image = ends_row & (y == image.height - 1)
        is_pending = Signal()  # the second digit of the word before
        step = Signal()
        m.d.comb += step.eq(self.i.valid & ~(ends_word & is_pending & image.has_two_digits))
        m.d.comb += self.i.ready.eq(step & ((byte == BYTES - 1) | ends_image))
        m.d.comb += self.ends.eq(step & ends_image)

        one = self.address.const(address_value(1, self.rows, self.banks))
        distance: Any = Signal(self.address, name="distance")
        m.d.comb += Value.cast(distance).eq(
            Mux(ends_row, Value.cast(image.next_row), Value.cast(one))
        )
        on = add_address(m, here, distance, self.banks, "on")
        with m.If(step):
            m.d.sync += [is_begun.eq(1), byte.eq(byte + 1)]
            m.d.sync += lane.eq(Mux(ends_word, 0, lane + 1))
            m.d.sync += channel.eq(Mux(ends_position, 0, channel + 1))
            with m.If(ends_word):
                m.d.sync += Value.cast(at).eq(Value.cast(on))
            with m.Elif(~is_begun):
                m.d.sync += Value.cast(at).eq(Value.cast(here))
            with m.If(ends_position):
                m.d.sync += x.eq(Mux(ends_row, 0, x + 1))
            with m.If(ends_row):
                m.d.sync += y.eq(Mux(ends_image, 0, y + 1))
            with m.If(ends_image):
                m.d.sync += [is_begun.eq(0), byte.eq(0)]
        self._write(m, step, ends_word, is_pending, lane, byte, here)
        return m

    def _write(
        self,
        m: Module,
        step: Signal,
        ends_word: Value,
        is_pending: Signal,
        lane: Signal,
        byte: Signal,
        here: Any,
    ) -> None:
        """Gather the codes of a word, and write it with the last of them."""
        image = self.image
        code = Signal(BYTE)
        m.d.comb += code.eq(self.i.payload.word_select(byte, BYTE) >> image.drops)
        codes = []
        for n in range(self.word):
            kept = Signal(BYTE, name=f"kept_{n}", reset_less=True)
            with m.If(step & (lane == n)):
                m.d.sync += kept.eq(code)
            codes.append(Mux(lane == n, code, Mux(lane > n, kept, 0)))
        second = Signal(self.word * DIGIT, reset_less=True)
        held: Any = Signal(self.address, name="held", reset_less=True)
        m.d.sync += is_pending.eq(step & ends_word & image.has_two_digits)
        with m.If(step & ends_word):
            m.d.sync += [
                second.eq(Cat(value[DIGIT:BYTE] for value in codes)),
                Value.cast(held).eq(Value.cast(here)),
            ]
        above = add_address(m, held, image.plane, self.banks, "above")
        m.d.comb += self.o.valid.eq(is_pending | (step & ends_word))
        with m.If(is_pending):
            m.d.comb += Value.cast(self.o.address).eq(Value.cast(above))
            m.d.comb += self.o.word.eq(second)
        with m.Else():
            m.d.comb += Value.cast(self.o.address).eq(Value.cast(here))
            m.d.comb += self.o.word.eq(Cat(value[:DIGIT] for value in codes))


def image_cycles(image: Map, word: int) -> int:
    """Cycles for the bytes of an image that is always there."""
    positions = image.height * image.width
    if image.digits == 1:
        return positions * image.channels
    # A word of one channel waits for the second digit of the one before.
    alone = positions * (image.channels if word == 1 else image.channels % word == 1)
    waits = alone - 1 if word == 1 or image.channels == 1 else alone
    return positions * image.channels + max(0, waits)


def image_value(image: Map, rows: int, banks: int) -> dict[str, Any]:
    """A map, as :func:`image_layout` has it."""
    return {
        "channels": image.channels,
        "width": image.width,
        "height": image.height,
        "drops": BYTE - image.bits,
        "has_two_digits": image.digits - 1,
        "origin": address_value(image.base, rows, banks),
        "next_row": address_value(image.pitch - image.width * image.words + 1, rows, banks),
        "plane": address_value(image.plane, rows, banks),
    }
