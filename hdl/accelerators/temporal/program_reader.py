"""Reader of a program image: operations, masks and scales of a network, checked."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.arithmetic.crc32 import Crc32
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.weights.image_reader import IMAGE_WORD, LoadError
from kakure.hdl.weights.mask_decoder import MAX_TOKEN
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.parameters.supermask_image import MAGIC

from .core_shape import TemporalCoreShape
from .image_writer import image_layout
from .load_checks import LoadChecks
from .operation import Sizes, operation_layout
from .program_head import ProgramHead
from .program_masks import ProgramMasks
from .program_scales import ProgramScales
from .record import WORD, record_words
from .scale_lanes import scales_layout
from .widths import CHANNEL_BITS

__all__ = ["ProgramReader"]

COUNT = 32
"""Width of a number of words, or of groups [bit]."""


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
        array, sizes, i = self.array, self.sizes, self.i
        crc = Crc32()
        m.submodules.crc = place(crc, platform)
        begins = Signal()
        m.d.comb += [
            crc.clear.eq(begins),
            crc.valid.eq(i.valid & i.ready),
            crc.word.eq(i.p.word),
            i.ready.eq(1),  # but in MASK and DONE
        ]
        left = Signal(COUNT, reset_less=True)
        header = Signal(WORD, reset_less=True)
        head = ProgramHead(
            i=i,
            left=left,
            operations=sizes.operations,
            words=self.words,
            image_words=record_words(self.image_shape),
            classes=array.outputs * sizes.logits,
            network={name: getattr(self, name) for name in self.network},
        )
        bits = array.many * array.outputs
        masks = ProgramMasks(i=i, left=left, bits=bits, mask_words=sizes.mask_words)
        scales = ProgramScales(outputs=array.outputs, depth=sizes.scales, sets=sizes.sets)
        checks = LoadChecks(m, i=i, is_split=self.is_split, error=self.error)
        head.build(m, self.record)
        masks.build(m, platform, token=header[8:16])
        with m.FSM():
            head.read(m, checks, begins=begins, record=self.record, state="CHECK_PROGRAM")
            with m.State("CHECK_PROGRAM"), m.If(i.valid):
                checks.check("HEADER", i.p.word == crc.value, LoadError.CRC)
            channels = self._read_layer(m, checks, begins, header, masks)
            with m.State("MASK"):
                masks.read(m, checks, mask=self.mask, state="MULTIPLIER")
            scales.read(m, checks, channels=channels, scales=self.scales, state="CHECK")
            with m.State("CHECK"), m.If(i.valid):
                self._end_layer(m, checks, crc, self.layer == head.layers - 1)
            with m.State("DONE"):
                m.d.comb += [self.done.eq(1), i.ready.eq(0)]
            with m.State("FAILED"):
                pass
        return m

    def _read_layer(
        self, m: Module, checks: LoadChecks, begins: Signal, header: Signal, masks: ProgramMasks
    ) -> Signal:
        """The head of a layer's section, to the mask; its channels."""
        word, valid = self.i.p.word, self.i.valid
        with m.State("HEADER"):
            m.d.comb += begins.eq(1)
            m.d.sync += header.eq(word)
            token, rest = word[8:16], word[16:]
            with m.If(valid):
                is_right = (word[:8] == self.layer) & (token <= MAX_TOKEN)
                checks.check("GROUPS", is_right & (rest == MAGIC << 8))
        with m.State("GROUPS"):
            m.d.sync += masks.groups.eq(word)
            with m.If(valid):
                checks.check("COUNT", word != 0)
        with m.State("COUNT"):
            m.d.sync += masks.left.eq(word)
            with m.If(valid):
                checks.go_on("CHANNELS")
        channels = Signal(CHANNEL_BITS, reset_less=True)
        with m.State("CHANNELS"):
            m.d.sync += channels.eq(word)
            with m.If(valid):
                checks.check("MASK", (word != 0) & (word < 1 << CHANNEL_BITS))
        return channels

    def _end_layer(self, m: Module, checks: LoadChecks, crc: Crc32, is_last: Value) -> None:
        """The checksum of a layer's section; after it the next one, or the end."""
        with m.If(self.i.p.word != crc.value):
            checks.fail(LoadError.CRC)
        with m.Elif((self.i.p.last != is_last) & ~self.is_split):
            checks.fail(LoadError.LENGTH)
        with m.Else():
            m.next = "HEADER"
            m.d.sync += self.layer.eq(self.layer + 1)
            with m.If(is_last):
                m.next = "DONE"
