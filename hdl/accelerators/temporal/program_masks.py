"""The mask in a section of a program: decoded, and put together to words of its memory."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.weights.image_reader import LoadError
from kakure.hdl.weights.mask_decoder import MaskDecoder

from .load_checks import LoadChecks
from .record import WORD

__all__ = ["ProgramMasks"]


class ProgramMasks:
    """Groups of bits of masks, from a decoder that gives them in pieces of up to 32.

    Parameters
    ----------
    i : stream of ``word``, ``last``
        The words of the image.
    left : Signal
        Words of the coded mask that are still to come: none may be missing, or left over.
    bits : int
        Of a group, which is a word of the memory.
    mask_words : int
        Of the memory.

    Attributes
    ----------
    groups : Signal
        Groups of the layer that are still to come. Set by whoever reads the section's head.
    """

    def __init__(self, *, i: stream.Interface, left: Signal, bits: int, mask_words: int) -> None:
        self.i = i
        self.left = left
        self.bits = bits
        self.mask_words = mask_words
        self.decoder = MaskDecoder()
        pieces = -(-bits // WORD)
        self.rest = bits - (pieces - 1) * WORD
        self.groups, self._is_mask = Signal(left.shape(), reset_less=True), Signal(name="_is_mask")
        self._piece = Signal(range(pieces))
        self._is_last_piece = self._piece == pieces - 1

    def build(self, m: Module, platform: Platform | None, *, token: Value) -> None:
        """Place the decoder in ``m``; ``token`` stays while a mask is read."""
        decoder = self.decoder
        m.submodules.decoder = place(decoder, platform)
        m.d.comb += [
            decoder.i.payload.eq(self.i.p.word),
            decoder.i.valid.eq(self.i.valid & self._is_mask),
            decoder.token.eq(token),
            decoder.width.eq(Mux(self._is_last_piece, self.rest, WORD)),
            decoder.o.ready.eq(self._is_mask),
            decoder.flush.eq(~self._is_mask),
        ]

    def read(self, m: Module, checks: LoadChecks, *, mask: Any, state: str) -> None:
        """What the state of ``m`` does that reads the mask, until all groups are there.

        Parameters
        ----------
        mask : View of ``valid``, ``address``, ``word``
            Driven: in a cycle with ``valid`` a word of the memory.
        state : str
            What follows.
        """
        decoder, left, groups = self.decoder, self.left, self.groups
        address = Signal(range(self.mask_words + 1))
        earlier = Signal(self.bits - self.rest, reset_less=True)
        left_after = Signal(left.shape())
        takes = decoder.i.valid & decoder.i.ready
        m.d.comb += [
            self._is_mask.eq(1),
            self.i.ready.eq(decoder.i.ready),
            left_after.eq(left - takes),
            mask.word.eq(Cat(earlier, decoder.o.payload[: self.rest])),
            mask.address.eq(address),
        ]
        m.d.sync += left.eq(left_after)
        with m.If(decoder.o.valid):
            m.d.sync += self._piece.eq(Mux(self._is_last_piece, 0, self._piece + 1))
            if self.bits > WORD:
                m.d.sync += earlier.eq(Cat(earlier, decoder.o.payload)[WORD:])
        ends_group = decoder.o.valid & self._is_last_piece
        is_room = address != self.mask_words
        m.d.comb += mask.valid.eq(ends_group & is_room)
        with m.If(ends_group):
            m.d.sync += [address.eq(address + 1), groups.eq(groups - 1)]
            with m.If(groups == 1):
                m.next = state
        is_starved = decoder.i.ready & (left == 0)
        is_left_over = ends_group & (groups == 1) & (left_after != 0)
        takes_last = takes & self.i.p.last & ~checks.is_split
        with m.If(is_starved | is_left_over | takes_last | (ends_group & ~is_room)):
            checks.fail(LoadError.LENGTH)
