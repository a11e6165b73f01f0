"""Pixels from the 32-bit words of an image."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .pixel_unpacker_shape import BYTES, PixelUnpackerShape

__all__ = ["PixelUnpacker"]


class PixelUnpacker(wiring.Component):
    """One byte a cycle from each word, the most significant ``bits`` of it into a pixel.

    Byte 0 of a word is its least significant. An image is height · width · channels bytes,
    channel fastest; the bytes of its last word that lie beyond are skipped.

    Bit-equal to :func:`kakure.model.reference.stages.quantize_image`.

    Parameters
    ----------
    pixels : int, at least 1
        Pixels of an image.
    channels : int, at least 1
        Bytes of a pixel.
    bits : int, 1 to 8
        Width of a value that leaves [bit].

    Members
    -------
    i : ``In(stream.Signature(32))``
        Words, image after image. Read in place: a word is taken with its last byte.
    o : ``Out(stream.Signature(ArrayLayout(bits, channels)))``
        Pixels in raster order.

    Timing
    ------
    A pixel every ``channels`` cycles, offered in the cycle of its last byte (combinational).

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, pixels: int, channels: int, bits: int) -> None:
        if pixels < 1:
            raise ValueError(f"pixels must be at least 1, not {pixels!r}")
        if channels < 1:
            raise ValueError(f"channels must be at least 1, not {channels!r}")
        if not 1 <= bits <= 8:
            raise ValueError(f"bits must be 1 to 8, not {bits!r}")
        self.pixels = pixels
        self.channels = channels
        self.bits = bits
        self.shape = PixelUnpackerShape(pixels, channels, bits)
        super().__init__({
            "i": In(stream.Signature(32)),
            "o": Out(stream.Signature(data.ArrayLayout(bits, channels))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        byte = Signal(range(BYTES))
        channel = Signal(range(self.channels))
        pixel = Signal(range(self.pixels))
        is_last_byte = byte == BYTES - 1
        is_last_channel = channel == self.channels - 1
        is_last_pixel = pixel == self.pixels - 1

        value = Signal(self.bits)
        m.d.comb += value.eq(self.i.payload.word_select(byte, 8)[8 - self.bits :])
        earlier = Signal(data.ArrayLayout(self.bits, self.channels - 1), reset_less=True)
        for c in range(self.channels - 1):
            m.d.comb += self.o.payload[c].eq(earlier[c])
        m.d.comb += self.o.payload[self.channels - 1].eq(value)

        step = Signal()
        m.d.comb += self.o.valid.eq(self.i.valid & is_last_channel)
        m.d.comb += step.eq(self.i.valid & (~is_last_channel | self.o.ready))
        ends_image = is_last_channel & is_last_pixel
        m.d.comb += self.i.ready.eq(step & (is_last_byte | ends_image))
        with m.If(step):
            m.d.sync += byte.eq(Mux(ends_image, 0, byte + 1))
            m.d.sync += channel.eq(Mux(is_last_channel, 0, channel + 1))
            if self.channels > 1:
                shifted = [*(Value.cast(earlier[c]) for c in range(1, self.channels - 1)), value]
                for c, following in enumerate(shifted):
                    m.d.sync += earlier[c].eq(following)
            with m.If(is_last_channel):
                m.d.sync += pixel.eq(Mux(is_last_pixel, 0, pixel + 1))
        return m
