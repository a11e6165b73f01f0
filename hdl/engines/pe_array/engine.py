"""A layer on a bit-serial PE array whose weights are made anew for every batch of positions."""

from dataclasses import dataclass

from amaranth.hdl import Array, Module, Mux, Signal, Value

from kakure.hdl.emission.field import field
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.weights.sign_generator import SignGenerator, job_prefix
from kakure.model.config.weights.hidden import HiddenWeights

from .array import PeArray
from .batch_engine import Batch, BatchEngine

__all__ = ["PeEngine"]


@dataclass(frozen=True)
class _Weights:
    """The weights of a chunk, a signal a row, and the cycle that completes them."""

    rows: dict[str, list[Signal]]
    loaded: Signal


class PeEngine(BatchEngine):
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
    As those of :class:`~kakure.hdl.engines.pe_array.batch_engine.BatchEngine`; of the words of
    ``weights`` the mask is kept.

    Timing
    ------
    As :class:`~kakure.hdl.engines.pe_array.batch_engine.BatchEngine`.

    Source
    ------
    Weights made on chip and shared by positions: Hirose et al., Hiddenite, ISSCC 2022.
    """

    weights_kind = "hidden"

    def run(
        self, m: Module, platform: Platform | None, array: PeArray, batch: Batch, starts: Signal
    ) -> None:
        """Make the weights of a batch that is complete, and feed the array."""
        is_loading = Signal()
        weights = self._load(m, platform, starts, is_loading)
        self._work(m, platform, array, batch, weights, starts, is_loading)

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
            self.hold(m, rows[polarity], takes=takes, row=row, block=word.block, bits=bits)
        return _Weights(rows, loaded)

    def _mask(self, m: Module, platform: Platform | None, next_word: Value) -> Value:
        """The mask of the word that the sign generator offers: written once, read in order."""
        words = self.shape.mask_words
        memory = Ram(depth=words, width=self.shape.mask.width)
        m.submodules.mask = place(memory, platform)
        is_first = (self.weights.row == 0) & (self.weights.block == 0)  # also of a second load
        word = self.weights.positive | self.weights.negative
        self.fill(m, memory, word=word, is_first=is_first, name="mask_written")

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
        self.feed(m, platform, array, batch, bank=bank, next_block=next_block)
        turn = in_chunk * schedule.banks + bank
        for polarity, rows in weights.rows.items():
            for o in range(schedule.outputs):
                weights_of = Array(self.block_weights(rows, o))
                m.d.comb += field(payload, polarity, o).eq(weights_of[turn])
