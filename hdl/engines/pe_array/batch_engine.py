"""A layer on a bit-serial PE array, a batch of positions at a time: windows in, sums out."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value

from kakure.hdl.emission.field import drive, field
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.ports import WORD, EngineComponent
from kakure.hdl.memory.ram import Ram
from kakure.model.config.config import Config

from .array import PeArray
from .identity import pe_identity
from .schedule import PeSchedule

__all__ = ["Batch", "BatchEngine"]


@dataclass(frozen=True)
class Batch:
    """The windows of a batch: a memory for each position, and which position is the last.

    ``begins_image`` is 1 while an image's first window is stored.
    """

    memories: list[Ram]
    last_pixel: Signal
    begins_image: Value


class BatchEngine(EngineComponent):
    """Exact sums of a layer, a batch of output positions at a time, with any kind of weights.

    The windows of a batch are stored, the array works, the sums leave. A kind of weights is a
    subclass: it says where the weights come from and in which order the array works.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Members
    -------
    As those of :class:`~kakure.hdl.engines.ports.EngineComponent`; ``i`` is read in place, and
    taken in the last of ``store_cycles`` cycles.

    Timing
    ------
    ``pixels`` windows (fewer at the end of an image) are taken, the first sums are offered
    ``work_cycles`` cycles after the last one, and no window is taken until the last sums are.
    """

    weights_kind: ClassVar[str]
    """As :class:`.PeArray` has it."""

    def __init__(self, *, config: Config, index: int) -> None:
        self.schedule = PeSchedule(config, index)
        self.shape = self.schedule.shape
        super().__init__(config=config, index=index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, pe_identity(self.config, self.index))

    def elaborate(self, platform) -> Module:
        m = Module()
        schedule = self.schedule
        array = PeArray(
            inputs=schedule.inputs,
            outputs=schedule.outputs,
            pixels=schedule.pixels,
            input_bits=schedule.geometry.input_bits,
            kind=self.weights_kind,
            peak=schedule.geometry.peak,
            banks=schedule.banks,
        )
        m.submodules.array = place(array, platform)

        starts = Signal()  # a batch is complete
        sent = Signal()  # its last sums are taken
        is_storing = Signal(init=1)
        with m.If(starts):
            m.d.sync += is_storing.eq(0)
        with m.If(sent):
            m.d.sync += is_storing.eq(1)

        batch = self._store(m, is_storing, starts)
        self.run(m, platform, array, batch, starts)
        self._send(m, array, batch, sent)
        return m

    @abstractmethod
    def run(
        self, m: Module, platform: Platform | None, array: PeArray, batch: Batch, starts: Signal
    ) -> None:
        """Feed the array with a batch that is complete, which ``starts`` says."""

    def _store(self, m: Module, is_storing: Value, starts: Signal) -> Batch:
        """Write windows into one memory per position, a block of inputs a cycle."""
        schedule = self.schedule
        blocks = []
        for chunk in schedule.chunks:
            row = chunk.first
            for rows in chunk.blocks:
                values = [Value.cast(self.i.payload[r]) for r in range(row, row + rows)]
                blocks.append(Cat(values))
                row += rows
        block = Signal(range(schedule.blocks), name="stored_blocks")
        pixel = Signal(range(schedule.pixels), name="stored_pixels")
        position = Signal(range(schedule.positions), name="stored_positions")
        ends_window = block == schedule.blocks - 1
        ends_image = position == schedule.positions - 1
        stores = is_storing & self.i.valid
        m.d.comb += self.i.ready.eq(is_storing & ends_window)
        m.d.comb += starts.eq(stores & ends_window & ((pixel == schedule.pixels - 1) | ends_image))
        with m.If(stores):
            m.d.sync += block.eq(Mux(ends_window, 0, block + 1))
            with m.If(ends_window):
                m.d.sync += pixel.eq(Mux(starts, 0, pixel + 1))
                m.d.sync += position.eq(Mux(ends_image, 0, position + 1))

        stored = self.shape.stored
        memories = [Ram(depth=stored.depth, width=stored.width) for _ in range(schedule.pixels)]
        for p, memory in enumerate(memories):
            m.d.comb += memory.write_address.eq(block)
            m.d.comb += memory.write_data.eq(Array(blocks)[block])
            m.d.comb += memory.write_enable.eq(stores & (pixel == p))
        last_pixel = Signal(range(schedule.pixels))
        with m.If(starts):
            m.d.sync += last_pixel.eq(pixel)
        return Batch(memories, last_pixel, stores & (position == 0))

    def fill(self, m: Module, memory: Ram, *, word: Value, is_first: Value, name: str) -> None:
        """Keep the words of the weight generator in their order, in a load and the next ones.

        Parameters
        ----------
        word : Value
            What is kept of the word that is written.
        is_first : Value
            That word is the first one.
        name : str
            Of the register with the address of the next one.
        """
        written = Signal(range(memory.depth), name=name)
        with m.If(self.weights.valid):
            m.d.sync += written.eq(memory.write_address + 1)
        m.d.comb += memory.write_address.eq(Mux(is_first, 0, written))
        m.d.comb += memory.write_data.eq(word)
        m.d.comb += memory.write_enable.eq(self.weights.valid)

    def hold(
        self,
        m: Module,
        rows: list[Signal],
        *,
        takes: Value,
        row: Value,
        block: Value,
        bits: Value,
    ) -> None:
        """Where it ``takes``, write the ``bits`` of a ``block`` of outputs into a ``row``."""
        for r, target in enumerate(rows):
            for b in range(self.schedule.words_per_row):
                with m.If(takes & (row == r) & (block == b)):
                    m.d.sync += target[b * WORD : (b + 1) * WORD].eq(bits)

    def feed(
        self,
        m: Module,
        platform: Platform | None,
        array: PeArray,
        batch: Batch,
        *,
        bank: Signal,
        next_block: Signal,
    ) -> None:
        """Give the array the windows' inputs of the block that is next, and the bank."""
        payload = array.i.payload
        if self.schedule.banks > 1:
            m.d.comb += payload.bank.eq(bank)
        x = drive(field(payload, "x"), [memory.read_data for memory in batch.memories])
        for p, memory in enumerate(batch.memories):
            m.submodules[f"inputs_{p}"] = place(memory, platform)
            m.d.comb += [
                memory.read_address.eq(next_block),
                memory.read_enable.eq(1),
                *x[p : p + 1],
            ]

    def block_weights(self, chunk: list[Signal], output: int) -> list[Value]:
        """Weights of the array's ``output`` for every block of a chunk and every bank."""
        schedule = self.schedule
        options: list[Value] = []
        for start in range(0, schedule.chunk_rows, schedule.inputs):
            rows = chunk[start : start + schedule.inputs]
            for bank in range(schedule.banks):
                channel = bank * schedule.outputs + output
                is_there = channel < schedule.geometry.outputs
                options.append(Cat(row[channel] for row in rows) if is_there else Const(0, 1))
        return options

    def _send(self, m: Module, array: PeArray, batch: Batch, sent: Signal) -> None:
        """Offer the sums of the batch, a position at a time."""
        schedule = self.schedule
        banks = [divmod(c, schedule.outputs) for c in range(schedule.geometry.outputs)]
        vectors = [
            Cat(field(array.o.payload, "sums", bank, p, output) for bank, output in banks)
            for p in range(schedule.pixels)
        ]
        pixel = Signal(range(schedule.pixels), name="sent_pixels")
        is_last = pixel == batch.last_pixel
        m.d.comb += self.o.valid.eq(array.o.valid)
        m.d.comb += Value.cast(self.o.payload).eq(Array(vectors)[pixel])
        m.d.comb += array.o.ready.eq(self.o.ready & is_last)
        m.d.comb += sent.eq(self.o.valid & self.o.ready & is_last)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += pixel.eq(Mux(is_last, 0, pixel + 1))
