"""A layer on a bit-serial PE array whose weights are made anew for every batch of positions."""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value

from kakure.hdl.emission.field import drive, field
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.ports import WORD, EngineComponent, planes_of
from kakure.hdl.memory.ram import Ram
from kakure.hdl.weights.sign_generator import SignGenerator, job_prefix
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

from .array import PeArray
from .schedule import PeSchedule

__all__ = ["Batch", "PeEngine", "pe_identity"]


def pe_identity(config: Config, index: int) -> dict[str, int | str | None]:
    """What decides a layer's array, but for the layer."""
    array = config.pe_array
    if planes_of(config):
        weights: dict[str, int | str | None] = {"planes": planes_of(config)}
    else:
        hidden = HiddenWeights.of(config.weights)
        weights = {
            "layer": index,  # its signs are made on the spot
            "seed": hidden.seed,
            "generator": hidden.generator,
        }
    return {
        **weights,
        "pe_inputs": array.inputs,
        "pe_outputs": array.outputs,
        "pe_pixels": array.pixels,
    }


@dataclass(frozen=True)
class Batch:
    """The windows of a batch: a memory for each position, and which position is the last.

    ``begins_image`` is 1 while an image's first window is stored.
    """

    memories: list[Ram]
    last_pixel: Signal
    begins_image: Value


@dataclass(frozen=True)
class _Weights:
    """The weights of a chunk, a signal a row, and the cycle that completes them."""

    rows: dict[str, list[Signal]]
    loaded: Signal


class PeEngine(EngineComponent):
    """Exact sums of a layer, a batch of output positions at a time.

    Only the supermask is stored. For each batch the sign generator makes the layer's signs again,
    chunk by chunk, while the mask is read beside it; a chunk's weights are used for all positions
    of the batch. :class:`~kakure.hdl.engines.pe_array.schedule.PeSchedule` holds the order of work.

    Bit-equal to :func:`kakure.model.reference.pe_array.pe_array`.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Members
    -------
    weights : ``In(WeightWrite)``
        The words of the weight generator, in its order; of them the mask is kept. Word 0 of row 0
        begins anew.
    i : ``In(stream.Signature(ArrayLayout(input_bits, fan_in)))``
        A window, read in place, taken in the last of ``store_cycles`` cycles.
    o : ``Out(stream.Signature(ArrayLayout(range(-peak, peak + 1), outputs)))``
        Its sums.

    Timing
    ------
    ``pixels`` windows (fewer at the end of an image) are taken, the first sums are offered
    ``work_cycles`` cycles after the last one, and no window is taken until the last sums are.

    Source
    ------
    Weights made on chip and shared by positions: Hirose et al., Hiddenite, ISSCC 2022.
    """

    weights_kind = "hidden"

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
        self._run(m, platform, array, batch, starts)
        self._send(m, array, batch, sent)
        return m

    def _run(
        self, m: Module, platform: Platform | None, array: PeArray, batch: Batch, starts: Signal
    ) -> None:
        """Make the weights of a batch that is complete, and feed the array."""
        is_loading = Signal()
        weights = self._load(m, platform, starts, is_loading)
        self._work(m, platform, array, batch, weights, starts, is_loading)

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

    def _load(
        self, m: Module, platform: Platform | None, starts: Signal, is_loading: Signal
    ) -> _Weights:
        """Make the weights of a chunk."""
        schedule = self.schedule
        geometry = schedule.geometry
        weights = HiddenWeights.of(self.config.weights)
        signs = SignGenerator(
            generator=weights.generator,
            max_channels=geometry.in_channels,
            windows=(geometry.window,),
            max_blocks=schedule.words_per_row,
        )
        m.submodules.signs = place(signs, platform)
        prefix = job_prefix(weights.generator, seed=weights.seed, layer=self.index)
        m.d.comb += [
            signs.jobs.valid.eq(starts),
            signs.jobs.payload.prefix.eq(prefix),
            signs.jobs.payload.channels.eq(geometry.in_channels),
            signs.jobs.payload.window.eq(geometry.window),
            signs.jobs.payload.blocks.eq(schedule.words_per_row),
        ]

        mask = self._mask(m, platform, signs.o.valid & signs.o.ready)
        m.d.comb += signs.o.ready.eq(is_loading)
        word = signs.o.payload
        takes = Signal()
        m.d.comb += takes.eq(signs.o.valid & is_loading)
        first = Signal(range(geometry.fan_in), name="chunk_first")
        chunk_words = self.shape.chunk_words
        count = Signal(range(chunk_words), name="chunk_word")
        row = Signal(range(schedule.chunk_rows), name="chunk_row")
        m.d.comb += row.eq(word.row - first)
        loaded = Signal(name="chunk_loaded")
        ends_chunk = word.last | (count == chunk_words - 1)
        m.d.comb += loaded.eq(takes & ends_chunk)
        with m.If(takes):
            m.d.sync += count.eq(Mux(ends_chunk, 0, count + 1))
            with m.If(ends_chunk):
                m.d.sync += first.eq(Mux(word.last, 0, first + schedule.chunk_rows))

        rows = {}
        for polarity, bits in (("positive", mask & word.signs), ("negative", mask & ~word.signs)):
            rows[polarity] = [
                Signal(geometry.outputs, name=f"{polarity}_{r}", reset_less=True)
                for r in range(schedule.chunk_rows)
            ]
            for r, target in enumerate(rows[polarity]):
                for b in range(schedule.words_per_row):
                    with m.If(takes & (row == r) & (word.block == b)):
                        m.d.sync += target[b * WORD : (b + 1) * WORD].eq(bits)
        return _Weights(rows, loaded)

    def _mask(self, m: Module, platform: Platform | None, next_word: Value) -> Value:
        """The mask of the word that the sign generator offers: written once, read in order."""
        words = self.shape.mask_words
        memory = Ram(depth=words, width=self.shape.mask.width)
        m.submodules.mask = place(memory, platform)
        written = Signal(range(words), name="mask_written")
        is_first = (self.weights.row == 0) & (self.weights.block == 0)  # also of a second load
        with m.If(self.weights.valid):
            m.d.sync += written.eq(memory.write_address + 1)
        m.d.comb += memory.write_address.eq(Mux(is_first, 0, written))
        m.d.comb += memory.write_data.eq(self.weights.positive | self.weights.negative)
        m.d.comb += memory.write_enable.eq(self.weights.valid)

        current = Signal(range(words), name="mask_word")
        following = Signal(range(words), name="mask_next")
        m.d.comb += following.eq(current)
        with m.If(next_word):
            m.d.comb += following.eq(Mux(current == words - 1, 0, current + 1))
        m.d.sync += current.eq(following)
        m.d.comb += memory.read_address.eq(following)
        m.d.comb += memory.read_enable.eq(1)
        return memory.read_data

    def _work(
        self,
        m: Module,
        platform: Platform | None,
        array: PeArray,
        batch: Batch,
        weights: _Weights,
        starts: Signal,
        is_loading: Signal,
    ) -> None:
        """Feed the array: for each block of the chunk, every bank of outputs."""
        schedule = self.schedule
        block = Signal(range(schedule.blocks), name="block")
        bank = Signal(range(schedule.banks), name="bank")
        is_working = Signal()
        ends_block = bank == schedule.banks - 1
        ends_batch = ends_block & (block == schedule.blocks - 1)
        chunk_blocks = self.shape.chunk_blocks
        in_chunk = Signal(range(chunk_blocks), name="chunk_block")
        ends_chunk = ends_batch | (ends_block & (in_chunk == chunk_blocks - 1))

        next_block = Signal.like(block)
        m.d.comb += next_block.eq(block)
        taken = Signal()
        m.d.comb += taken.eq(array.i.valid & array.i.ready)
        with m.If(taken):
            m.d.sync += bank.eq(Mux(ends_block, 0, bank + 1))
            with m.If(ends_block):
                m.d.comb += next_block.eq(Mux(ends_batch, 0, block + 1))
                m.d.sync += in_chunk.eq(Mux(ends_chunk, 0, in_chunk + 1))
        m.d.sync += block.eq(next_block)
        with m.If(starts | (taken & ends_chunk & ~ends_batch)):
            m.d.sync += is_loading.eq(1)
        with m.Elif(weights.loaded):
            m.d.sync += is_loading.eq(0)
        with m.If(weights.loaded):
            m.d.sync += is_working.eq(1)
        with m.Elif(taken & ends_chunk):
            m.d.sync += is_working.eq(0)

        payload = array.i.payload
        m.d.comb += array.i.valid.eq(is_working)
        m.d.comb += payload.is_first.eq(block == 0)
        m.d.comb += payload.is_last.eq(ends_batch)
        if schedule.banks > 1:
            m.d.comb += payload.bank.eq(bank)
        x = drive(field(payload, "x"), [memory.read_data for memory in batch.memories])
        for p, memory in enumerate(batch.memories):
            m.submodules[f"inputs_{p}"] = place(memory, platform)
            m.d.comb += [
                memory.read_address.eq(next_block),
                memory.read_enable.eq(1),
                *x[p : p + 1],
            ]
        turn = in_chunk * schedule.banks + bank
        for polarity, rows in weights.rows.items():
            for o in range(schedule.outputs):
                weights_of = Array(self._block_weights(rows, o))
                m.d.comb += field(payload, polarity, o).eq(weights_of[turn])

    def _block_weights(self, chunk: list[Signal], output: int) -> list[Value]:
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
