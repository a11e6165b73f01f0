"""The temporal accelerator without its buses: words in, results out."""

from dataclasses import asdict
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring

from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.image_keeper import ImageKeeper
from kakure.hdl.accelerators.precision_choice import PrecisionChoice
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.weights.image_reader import LoadError
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config

from .core_blocks import CoreBlocks
from .core_shape import TemporalCoreShape
from .operation import operation_layout, sizes_of
from .operation_sequence import OperationSequence
from .planner import program_of
from .record import record_words
from .work_counters import WORK_REGISTERS

__all__ = ["TemporalCore", "has_choice"]


def has_choice(config: Config) -> bool:
    """Whether the margin of a result may decide how many planes an image is tried with.

    It keeps the image: a chip for many networks does not know how large that is.
    """
    return planes_of(config) > 1 and TemporalConfig.of(config.accelerator).name is None


class TemporalCore(Core):
    """One array on which the operations of a program take turns, image after image.

    The first words are a program: operations, masks and scales. From those and the hashes of the
    seed the weights are made, each time that they are used; of bitwise weights the masks are the
    planes. Then every word belongs to an image. An image is taken while nothing is computed.

    Bit-equal to :func:`kakure.model.reference.network.network`.

    Parameters
    ----------
    config : Config
        Its accelerator is temporal.
    """

    own_registers = WORK_REGISTERS

    def __init__(self, *, config: Config) -> None:
        self.array = TemporalConfig.of(config.accelerator)
        self.sizes = sizes_of(program_of(config), self.array, planes_of(config))
        self.shape = TemporalCoreShape.of(self.array, self.sizes)
        super().__init__(config=config)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on: nothing of the network but its size."""
        sizes = asdict(self.sizes)
        if not self.sizes.planes:
            sizes.pop("planes")
        return {**self.array.model_dump(), **sizes}

    def elaborate(self, platform) -> Module:
        m = Module()
        sizes = self.sizes
        blocks = CoreBlocks.of(self.array, sizes, judges=has_choice(self.config))
        words = record_words(operation_layout(self.array, sizes))
        sequence = OperationSequence(blocks, words)
        blocks.place(m, platform)
        images = self._images(m, platform, blocks)
        self._count(m, blocks)
        self._take(m, blocks)
        reader, processor, program = blocks.reader, blocks.processor, blocks.program
        m.d.comb += [
            blocks.writer.i.payload.eq(images.payload),
            blocks.writer.i.valid.eq(images.valid & sequence.is_free),
            images.ready.eq(blocks.writer.i.ready & sequence.is_free),
            Value.cast(blocks.writer.image).eq(Value.cast(reader.image)),
            Value.cast(processor.image).eq(Value.cast(blocks.writer.o)),
            Value.cast(processor.mask).eq(Value.cast(reader.mask)),
            Value.cast(processor.scales).eq(Value.cast(reader.scales)),
            program.write_enable.eq(reader.record.valid),
            program.write_address.eq(reader.record.address),
            program.write_data.eq(reader.record.word),
            Value.cast(blocks.sender.i).eq(Value.cast(processor.logits)),
        ]
        sequence.build(m)
        wiring.connect(m, blocks.sender.o, wiring.flipped(self.o))
        self._control(m, blocks)
        return m

    def _count(self, m: Module, blocks: CoreBlocks) -> None:
        """Count work from a reset on, or from that of a new load."""
        work = blocks.work
        is_reset = Signal(init=1)  # in the cycle after a reset
        m.d.sync += is_reset.eq(0)
        m.d.comb += work.clear.eq(is_reset | blocks.gate.restarts)
        m.d.comb += Value.cast(work.events).eq(Value.cast(blocks.processor.events))
        m.d.comb += Value.cast(self.own).eq(Value.cast(work.values))

    def _take(self, m: Module, blocks: CoreBlocks) -> None:
        """Bring words to the reader until it is done, then to the gate."""
        gate, front, reader = blocks.gate, blocks.front, blocks.reader
        wiring.connect(m, wiring.flipped(self.i), front.i)
        for taker in (reader, gate):
            m.d.comb += Value.cast(taker.i.payload).eq(Value.cast(front.o.payload))
        with m.If(reader.done):
            m.d.comb += gate.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(gate.i.ready)
        with m.Else():
            m.d.comb += reader.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(reader.i.ready)

    def _control(self, m: Module, blocks: CoreBlocks) -> None:
        """What the core is told, and what it says of itself."""
        gate, front, reader, sender = blocks.gate, blocks.front, blocks.reader, blocks.sender
        has_failed = reader.error != LoadError.NONE
        m.d.comb += [
            gate.last_word.eq(reader.last_word),
            gate.is_held.eq(front.is_held),
            front.is_open.eq(gate.is_open),
            gate.ends.eq(sender.ends),
            gate.is_loaded.eq(reader.done),
            gate.is_batch.eq(self.is_batch),
            gate.load.eq(self.load),
            gate.clear.eq(self.clear),
            reader.is_split.eq(self.is_split),
            sender.last_class.eq(reader.last_class),
            sender.sends_class.eq(self.sends_class),
            sender.may_send.eq(gate.may_send),
            sender.must_drop.eq(gate.must_drop),
            self.loaded.eq(reader.done),
            self.error.eq(Value.cast(reader.error) | Value.cast(gate.error)),  # one is NONE
            self.error_layer.eq(Mux(has_failed, reader.layer, 0)),
            self.restarts.eq(gate.restarts),
            self.is_waiting.eq(gate.is_waiting),
            self.dropped.eq(gate.dropped),
            self.is_busy.eq(gate.is_busy),
        ]

    def _images(self, m: Module, platform: Platform | None, blocks: CoreBlocks) -> Any:
        """Where images come from; of bitwise weights, with how many planes they are tried."""
        gate, planes = blocks.gate, self.sizes.planes
        if not planes:
            return gate.o
        choice = PrecisionChoice(planes=planes)
        m.submodules.choice = place(choice, platform)
        m.d.comb += [
            choice.tried.eq(self.tried),
            choice.is_busy.eq(gate.is_busy | (gate.o.valid & gate.o.ready)),
            blocks.processor.used.eq(choice.used),
        ]
        if not has_choice(self.config):
            return gate.o
        return self._choose(m, platform, blocks, choice)

    def _choose(
        self, m: Module, platform: Platform | None, blocks: CoreBlocks, choice: PrecisionChoice
    ) -> Any:
        """Try images again where their results are not clear; where images come from."""
        reader, sender = blocks.reader, blocks.sender
        height, width, channels = self.config.shape
        words = -(-height * width * channels // 4)
        keeper = ImageKeeper(image_words=words, is_told=True)
        m.submodules.keeper = place(keeper, platform)
        wiring.connect(m, blocks.gate.o, keeper.i)
        has_more = choice.has_more & (reader.last_word < words)
        m.d.comb += [
            choice.threshold.eq(self.threshold),
            choice.again.eq(sender.again),
            choice.ends.eq((keeper.is_held | keeper.is_again) & sender.ends),
            keeper.last_word.eq(reader.last_word),
            keeper.holds.eq(has_more),
            keeper.again.eq(sender.again),
            keeper.ends.eq(sender.ends),
            sender.threshold.eq(choice.least),
            sender.has_more.eq(has_more),
        ]
        return keeper.o
