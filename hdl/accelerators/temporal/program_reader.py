"""Reader of a program image: operations, masks and scales of a network, checked."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.arithmetic.crc32 import Crc32
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.weights.image_reader import IMAGE_WORD, LoadError
from kakure.hdl.weights.mask_decoder import MAX_TOKEN, MaskDecoder
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.parameters.parameters import MULTIPLIER_BITS, SHIFT_BITS
from kakure.model.parameters.supermask_image import MAGIC

from .core_shape import TemporalCoreShape
from .image_writer import image_layout
from .operation import Sizes, operation_layout
from .scale_lanes import scales_layout
from .widths import CHANNEL_BITS

__all__ = ["KIND", "ProgramReader", "record_words"]

WORD = 32
KIND = 0x54
"""Second byte of a program's header, the letter T."""
COUNT = 32


def record_words(layout: data.Layout) -> int:
    """32-bit words of a record."""
    return -(-Shape.cast(layout).width // WORD)


class ProgramReader(wiring.Component):
    """A network from the words of :func:`kakure.hdl.accelerators.temporal.image.program_words`.

    Everything is checked; the first thing wrong ends the load for good: what follows is taken and
    dropped until reset.

    Parameters
    ----------
    array : TemporalConfig
    sizes : Sizes

    Members
    -------
    i : ``In(stream)`` of ``word``, ``last``
        ``last`` with the last word and no other.
    is_split : ``In(1)``
        ``last`` is not looked at.
    operations, last_word, last_class, image : Out
        Of the network, once it is ``done``.
    record : ``Out(struct)``
        In a cycle with ``valid``, the next ``word`` of the operations, at ``address``.
    mask, scales : ``Out(struct)``
        As :class:`~kakure.hdl.accelerators.temporal.processor.TemporalProcessor` takes them.
    done : ``Out(1)``
        All was right. Stays; ``i.ready`` is 0 from then on.
    error, layer : Out
        The first thing that was wrong, and in which layer.
    """

    i: stream.Interface
    is_split: Signal
    operations: Signal
    last_word: Signal
    last_class: Signal
    image: Any
    record: Any
    mask: Any
    scales: Any
    done: Signal
    error: Any
    layer: Signal

    def __init__(self, *, array: TemporalConfig, sizes: Sizes) -> None:
        self.array = array
        self.sizes = sizes
        self.words = record_words(operation_layout(array, sizes))
        self.shape = TemporalCoreShape.of(array, sizes).reader
        self.image_shape = image_layout(sizes.rows, array.slots)
        self.network: dict[str, Any] = {
            "operations": range(sizes.operations + 1),
            "last_word": TOLD_BITS,
            "last_class": CHANNEL_BITS,
            "image": self.image_shape,
        }
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "is_split": In(1),
            **{name: Out(shape) for name, shape in self.network.items()},
            "record": Out(
                data.StructLayout({
                    "valid": 1,
                    "address": range(sizes.operations * self.words),
                    "word": WORD,
                })
            ),
            "mask": Out(
                data.StructLayout({
                    "valid": 1,
                    "address": range(max(sizes.mask_words, 2)),
                    "word": array.many * array.outputs,
                })
            ),
            "scales": Out(scales_layout(array.outputs, sizes.sets * sizes.scales)),
            "done": Out(1),
            "error": Out(LoadError),
            "layer": Out(8),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        word = self.i.p.word
        crc = Crc32()
        m.submodules.crc = place(crc, platform)
        begins = Signal()
        m.d.comb += [
            crc.clear.eq(begins),
            crc.valid.eq(self.i.valid & self.i.ready),
            crc.word.eq(word),
            self.i.ready.eq(1),  # but in MASK and DONE
        ]
        layers, left = Signal(8, reset_less=True), Signal(COUNT, reset_less=True)
        self._left, self._groups = left, Signal(COUNT, reset_less=True)
        number = Signal(range(self.sizes.operations + 1))  # of an operation
        address = Signal(range(self.sizes.operations * self.words), reset_less=True)
        held: dict[str, Any] = {}  # without a reset, so that they get clock gates
        for name in ("operations", "last_word", "last_class"):
            held[name] = Signal(self.network[name], name=f"held_{name}", reset_less=True)
            m.d.comb += getattr(self, name).eq(held[name])

        def fail(error: LoadError) -> None:
            m.d.sync += self.error.eq(error)
            m.next = "FAILED"

        def go_on(state: str) -> None:
            """To ``state``, after a word that is not the last."""
            m.next = state
            with m.If(self.i.p.last & ~self.is_split):
                fail(LoadError.LENGTH)

        def check(state: str, is_right: Value, error: LoadError = LoadError.HEADER) -> None:
            go_on(state)
            with m.If(~is_right):
                fail(error)

        operations = word[:16]
        header = Signal(WORD, reset_less=True)
        image_words = record_words(self.image_shape)
        image = Signal(image_words * WORD, reset_less=True)
        shifted = Cat(image, word)[WORD:]
        m.d.comb += [
            Value.cast(self.image).eq(image),
            self.record.address.eq(address),
            self.record.word.eq(word),
        ]

        self._place_decoder(m, platform, header[8:16])
        with m.FSM():
            with m.State("PROGRAM"):
                m.d.comb += begins.eq(1)
                m.d.sync += held["operations"].eq(operations)
                with m.If(self.i.valid):
                    is_right = (word[16:] == (MAGIC << 8 | KIND)) & (operations != 0)
                    check("LAYERS", is_right & (operations <= self.sizes.operations))
            with m.State("LAYERS"):
                m.d.sync += layers.eq(word)
                with m.If(self.i.valid):
                    check("WORDS", (word != 0) & (word < 256))
            with m.State("WORDS"):
                m.d.sync += held["last_word"].eq(word)
                with m.If(self.i.valid):
                    check("CLASSES", word < 1 << TOLD_BITS)
            with m.State("CLASSES"):
                m.d.sync += [held["last_class"].eq(word), left.eq(image_words - 1)]
                with m.If(self.i.valid):
                    check("IMAGE", word < self.array.outputs * self.sizes.logits)
            with m.State("IMAGE"), m.If(self.i.valid):
                m.d.sync += [image.eq(shifted), left.eq(left - 1)]
                go_on("IMAGE")
                with m.If(left == 0):
                    m.d.sync += [left.eq(self.words - 1), number.eq(0), address.eq(0)]
                    go_on("RECORD")
            with m.State("RECORD"), m.If(self.i.valid):
                m.d.comb += self.record.valid.eq(1)
                m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
                go_on("RECORD")
                with m.If(left == 0):
                    m.d.sync += [left.eq(self.words - 1), number.eq(number + 1)]
                    with m.If(number == self.operations - 1):
                        go_on("CHECK_PROGRAM")
            with m.State("CHECK_PROGRAM"), m.If(self.i.valid):
                check("HEADER", word == crc.value, LoadError.CRC)
            with m.State("HEADER"):
                m.d.comb += begins.eq(1)
                m.d.sync += header.eq(word)
                token, rest = word[8:16], word[16:]
                with m.If(self.i.valid):
                    is_right = (word[:8] == self.layer) & (token <= MAX_TOKEN)
                    check("GROUPS", is_right & (rest == MAGIC << 8))
            with m.State("GROUPS"):
                m.d.sync += self._groups.eq(word)
                with m.If(self.i.valid):
                    check("COUNT", word != 0)
            with m.State("COUNT"):
                m.d.sync += left.eq(word)
                with m.If(self.i.valid):
                    go_on("CHANNELS")
            channels = Signal(CHANNEL_BITS, reset_less=True)
            with m.State("CHANNELS"):
                m.d.sync += channels.eq(word)
                with m.If(self.i.valid):
                    check("MASK", (word != 0) & (word < 1 << CHANNEL_BITS))
            with m.State("MASK"):
                self._read_mask(m, fail)
            self._read_scales(m, channels, check)
            with m.State("CHECK"), m.If(self.i.valid):
                is_last = self.layer == layers - 1
                with m.If(word != crc.value):
                    fail(LoadError.CRC)
                with m.Elif((self.i.p.last != is_last) & ~self.is_split):
                    fail(LoadError.LENGTH)
                with m.Else():
                    m.next = "HEADER"
                    m.d.sync += self.layer.eq(self.layer + 1)
                    with m.If(is_last):
                        m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [self.done.eq(1), self.i.ready.eq(0)]
            with m.State("FAILED"):
                pass
        return m

    def _place_decoder(self, m: Module, platform: Platform | None, token: Value) -> None:
        """The decoder of masks, which gives groups of bits in pieces of up to 32."""
        self._decoder = MaskDecoder()
        m.submodules.decoder = place(self._decoder, platform)
        bits = self.array.many * self.array.outputs
        pieces = -(-bits // WORD)
        self._rest = bits - (pieces - 1) * WORD
        self._piece = Signal(range(pieces))
        self._is_last_piece = self._piece == pieces - 1
        self._is_mask = Signal()
        m.d.comb += [
            self._decoder.i.payload.eq(self.i.p.word),
            self._decoder.i.valid.eq(self.i.valid & self._is_mask),
            self._decoder.token.eq(token),
            self._decoder.width.eq(Mux(self._is_last_piece, self._rest, WORD)),
            self._decoder.o.ready.eq(self._is_mask),
            self._decoder.flush.eq(~self._is_mask),
        ]

    def _read_mask(self, m: Module, fail: Any) -> None:
        """Groups of the layer's mask, until all are there."""
        decoder, left = self._decoder, self._left
        bits = self.array.many * self.array.outputs
        address = Signal(range(self.sizes.mask_words + 1))
        earlier = Signal(bits - self._rest, reset_less=True)
        left_after = Signal(COUNT)
        m.d.comb += [
            self._is_mask.eq(1),
            self.i.ready.eq(decoder.i.ready),
            left_after.eq(left - (decoder.i.valid & decoder.i.ready)),
            self.mask.word.eq(Cat(earlier, decoder.o.payload[: self._rest])),
            self.mask.address.eq(address),
        ]
        m.d.sync += left.eq(left_after)
        with m.If(decoder.o.valid):
            m.d.sync += self._piece.eq(Mux(self._is_last_piece, 0, self._piece + 1))
            if bits > WORD:
                m.d.sync += earlier.eq(Cat(earlier, decoder.o.payload)[WORD:])
        ends_group = decoder.o.valid & self._is_last_piece
        is_room = address != self.sizes.mask_words
        m.d.comb += self.mask.valid.eq(ends_group & is_room)
        with m.If(ends_group):
            m.d.sync += [address.eq(address + 1), self._groups.eq(self._groups - 1)]
            with m.If(self._groups == 1):
                m.next = "MULTIPLIER"
        is_starved = decoder.i.ready & (left == 0)
        is_left_over = ends_group & (self._groups == 1) & (left_after != 0)
        takes_last = decoder.i.valid & decoder.i.ready & self.i.p.last & ~self.is_split
        with m.If(is_starved | is_left_over | takes_last | (ends_group & ~is_room)):
            fail(LoadError.LENGTH)

    def _read_scales(self, m: Module, channels: Signal, check: Any) -> None:
        word = self.i.p.word
        multiplier = Signal(MULTIPLIER_BITS, reset_less=True)
        shift = Signal(SHIFT_BITS, reset_less=True)
        channel = Signal(CHANNEL_BITS)
        output = Signal(range(self.array.outputs))
        address = Signal(range(self.sizes.scales + 1))
        begin = Signal(range(self.sizes.scales + 1))  # of the layer's scales, in each set
        number = Signal(range(self.sizes.sets))
        there: Value = address
        if self.sizes.sets > 1:
            there = address + number * self.sizes.scales
        is_last = channel == channels - 1
        ends_pass = is_last | (output == self.array.outputs - 1)
        m.d.comb += [
            self.scales.output.eq(output),
            self.scales.address.eq(there),
            self.scales.multiplier.eq(multiplier),
            self.scales.offset.eq(word),
            self.scales.shift.eq(shift),
        ]
        zeros = Cat(word[MULTIPLIER_BITS:24], word[24 + SHIFT_BITS :])
        with m.State("MULTIPLIER"):
            m.d.sync += [multiplier.eq(word), shift.eq(word[24:])]
            with m.If(self.i.valid):
                check("OFFSET", ~zeros.any(), LoadError.SCALE)
        with m.State("OFFSET"), m.If(self.i.valid):
            is_room = address != self.sizes.scales
            m.d.comb += self.scales.valid.eq(is_room)
            m.d.sync += channel.eq(Mux(is_last, 0, channel + 1))
            m.d.sync += output.eq(Mux(ends_pass, 0, output + 1))
            with m.If(ends_pass):
                m.d.sync += address.eq(address + 1)
            if self.sizes.sets > 1:
                is_last_set = number == self.sizes.sets - 1
                with m.If(is_last):
                    m.d.sync += number.eq(Mux(is_last_set, 0, number + 1))
                    with m.If(is_last_set):
                        m.d.sync += begin.eq(address + 1)
                    with m.Else():
                        m.d.sync += address.eq(begin)
                is_last = is_last & is_last_set
            with m.If(is_last):
                check("CHECK", is_room, LoadError.LENGTH)
            with m.Else():
                check("MULTIPLIER", is_room, LoadError.LENGTH)
