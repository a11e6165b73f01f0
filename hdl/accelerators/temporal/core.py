"""The temporal accelerator without its buses: words in, results out."""

from dataclasses import asdict
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.image_keeper import ImageKeeper
from kakure.hdl.accelerators.precision_choice import PrecisionChoice
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.memory.ram import Ram
from kakure.hdl.weights.image_reader import LoadError
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config

from .core_shape import TemporalCoreShape
from .image_writer import ImageWriter
from .logit_sender import LogitSender
from .operation import operation_layout, sizes_of
from .planner import program_of
from .processor import TemporalProcessor
from .program_reader import ProgramReader
from .record import WORD, record_words
from .widths import MEMORY_CELLS
from .work_counters import WORK_REGISTERS, WorkCounters

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
        array, sizes = self.array, self.sizes
        gate = FrameGate(image_words=None)
        front = StreamRegister(width=len(Value.cast(self.i.payload)))
        reader = ProgramReader(array=array, sizes=sizes)
        writer = ImageWriter(word=array.word, banks=array.slots, rows=sizes.rows)
        processor = TemporalProcessor(array=array, sizes=sizes, sum_bits=sizes.sum_bits)
        judges = has_choice(self.config)
        sender = LogitSender(outputs=array.outputs, depth=sizes.logits, judges=judges)
        layout = operation_layout(array, sizes)
        work = WorkCounters(lanes=array.lanes)
        depth = sizes.operations * record_words(layout)
        program = Ram(depth=depth, width=WORD, cells=MEMORY_CELLS)
        m.submodules.gate = place(gate, platform)
        m.submodules.front = place(front, platform, reset=gate.restarts)
        m.submodules.reader = place(reader, platform, reset=gate.restarts)
        m.submodules.writer = place(writer, platform)
        m.submodules.processor = place(processor, platform)
        m.submodules.sender = place(sender, platform)
        m.submodules.program = place(program, platform)
        m.submodules.work = place(work, platform)
        images = gate.o
        if sizes.planes:
            choice = PrecisionChoice(planes=sizes.planes)
            m.submodules.choice = place(choice, platform)
            m.d.comb += [
                choice.tried.eq(self.tried),
                choice.is_busy.eq(gate.is_busy | (gate.o.valid & gate.o.ready)),
                processor.used.eq(choice.used),
            ]
            if judges:
                images = self._choose(m, platform, gate, reader, sender, choice)
        is_reset = Signal(init=1)  # in the cycle after a reset
        m.d.sync += is_reset.eq(0)
        m.d.comb += work.clear.eq(is_reset | gate.restarts)
        m.d.comb += Value.cast(work.events).eq(Value.cast(processor.events))
        m.d.comb += Value.cast(self.own).eq(Value.cast(work.values))

        is_free = Signal()
        wiring.connect(m, wiring.flipped(self.i), front.i)
        for taker in (reader, gate):
            m.d.comb += Value.cast(taker.i.payload).eq(Value.cast(front.o.payload))
        with m.If(reader.done):
            m.d.comb += gate.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(gate.i.ready)
        with m.Else():
            m.d.comb += reader.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(reader.i.ready)
        m.d.comb += [
            writer.i.payload.eq(images.payload),
            writer.i.valid.eq(images.valid & is_free),
            images.ready.eq(writer.i.ready & is_free),
            Value.cast(writer.image).eq(Value.cast(reader.image)),
            Value.cast(processor.image).eq(Value.cast(writer.o)),
            Value.cast(processor.mask).eq(Value.cast(reader.mask)),
            Value.cast(processor.scales).eq(Value.cast(reader.scales)),
            program.write_enable.eq(reader.record.valid),
            program.write_address.eq(reader.record.address),
            program.write_data.eq(reader.record.word),
            Value.cast(sender.i).eq(Value.cast(processor.logits)),
        ]
        self._sequence(m, reader, writer, processor, sender, program, is_free)
        wiring.connect(m, sender.o, wiring.flipped(self.o))

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
        return m

    def _choose(
        self,
        m: Module,
        platform: Platform | None,
        gate: FrameGate,
        reader: ProgramReader,
        sender: LogitSender,
        choice: PrecisionChoice,
    ) -> Any:
        """Try images again where their results are not clear; where images come from."""
        height, width, channels = self.config.shape
        words = -(-height * width * channels // 4)
        keeper = ImageKeeper(image_words=words, is_told=True)
        m.submodules.keeper = place(keeper, platform)
        wiring.connect(m, gate.o, keeper.i)
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

    def _sequence(
        self,
        m: Module,
        reader: ProgramReader,
        writer: ImageWriter,
        processor: TemporalProcessor,
        sender: LogitSender,
        program: Ram,
        is_free: Signal,
    ) -> None:
        """Operation after operation, once an image is there."""
        words = record_words(operation_layout(self.array, self.sizes))
        number: Any = Signal.like(reader.operations)
        is_last = number == reader.operations
        address, left = Signal(program.read_address.shape()), Signal(range(words))
        operation = Signal(words * WORD, reset_less=True)
        has_read = Signal()
        m.d.comb += [
            program.read_address.eq(address),
            Value.cast(processor.operation).eq(operation),
        ]
        m.d.sync += has_read.eq(program.read_enable)
        with m.If(has_read):
            m.d.sync += operation.eq(Cat(operation, program.read_data)[WORD:])
        with m.FSM():
            with m.State("IMAGE"):
                m.d.comb += is_free.eq(1)
                m.d.sync += [number.eq(0), address.eq(0), left.eq(words - 1)]
                with m.If(writer.ends):
                    m.next = "FETCH"
            with m.State("FETCH"):  # the image's last digit is written meanwhile
                m.d.comb += program.read_enable.eq(1)
                m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
                with m.If(left == 0):
                    m.d.sync += [number.eq(number + 1), left.eq(words - 1)]
                    m.next = "LAST_WORD"
            with m.State("LAST_WORD"):
                m.next = "START"
            with m.State("START"):
                # The last result has to leave before this one's logits come.
                with m.If(~sender.is_busy | ~is_last):
                    m.d.comb += processor.start.eq(1)
                    m.next = "RUN"
            with m.State("RUN"), m.If(processor.is_done):
                m.next = "FETCH"
                with m.If(is_last):
                    m.d.comb += sender.is_complete.eq(1)
                    m.next = "IMAGE"
