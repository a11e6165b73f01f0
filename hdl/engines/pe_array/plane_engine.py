"""A layer on a bit-serial PE array whose weights are planes in a memory."""

from amaranth.hdl import Array, Module, Mux, Signal, Value

from kakure.hdl.emission.field import field
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.memory.ram import Ram

from .array import PeArray
from .batch_engine import Batch, BatchEngine

__all__ = ["PlaneEngine"]


class PlaneEngine(BatchEngine):
    """Exact sums of a layer with bitwise weights, a batch of output positions at a time.

    All planes lie in one memory. For each batch, the first ``used`` of them are read, block of
    inputs by block of inputs, and each block's bits are used for all positions of the batch: first
    all blocks of the most significant plane, then all of the next one, before which the sums are
    doubled. An image keeps the number of planes that its first window came with.

    Bit-equal to :func:`kakure.model.reference.pe_array.pe_array_bitwise`.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Members
    -------
    As those of :class:`~kakure.hdl.engines.ports.EngineComponent`.

    Timing
    ------
    As :class:`~kakure.hdl.engines.pe_array.batch_engine.BatchEngine`; ``work_cycles`` are those of
    the planes in use.

    Source
    ------
    Planes of weights, most significant first: Suda et al., ProgressiveNN, CANDAR 2020.
    """

    weights_kind = "bitwise"

    def run(
        self, m: Module, platform: Platform | None, array: PeArray, batch: Batch, starts: Signal
    ) -> None:
        """Plane by plane and block by block, read the bits and feed the array."""
        schedule = self.schedule
        block = Signal(range(schedule.blocks), name="block")
        bank = Signal(range(schedule.banks), name="bank")
        plane = Signal(range(max(planes_of(self.config, self.index), 2)), name="plane")
        is_loading, is_working = Signal(), Signal()
        is_last_block = block == schedule.blocks - 1
        ends_block = bank == schedule.banks - 1
        ends_plane = ends_block & is_last_block
        used = Signal.like(self.used, reset_less=True)
        with m.If(batch.begins_image):
            m.d.sync += used.eq(self.used)
        ends_batch = ends_plane & (plane + 1 == used)

        taken, next_block = Signal(), Signal.like(block)
        m.d.comb += taken.eq(array.i.valid & array.i.ready)
        m.d.comb += next_block.eq(block)
        with m.If(taken):
            m.d.sync += bank.eq(Mux(ends_block, 0, bank + 1))
            with m.If(ends_block):
                m.d.comb += next_block.eq(Mux(is_last_block, 0, block + 1))
            with m.If(ends_plane):
                m.d.sync += plane.eq(Mux(ends_batch, 0, plane + 1))
        m.d.sync += block.eq(next_block)
        rows, loaded = self._bits(m, platform, is_loading, is_last_block, taken & ends_batch)
        with m.If(starts | (taken & ends_block & ~ends_batch)):
            m.d.sync += is_loading.eq(1)
        with m.Elif(loaded):
            m.d.sync += is_loading.eq(0)
        with m.If(loaded):
            m.d.sync += is_working.eq(1)
        with m.Elif(taken & ends_block):
            m.d.sync += is_working.eq(0)

        payload = array.i.payload
        m.d.comb += [
            array.i.valid.eq(is_working),
            payload.is_first.eq((block == 0) & (plane == 0)),
            payload.doubles.eq((block == 0) & (plane != 0)),
            payload.is_last.eq(ends_batch),
        ]
        self.feed(m, platform, array, batch, bank=bank, next_block=next_block)
        for o in range(schedule.outputs):
            m.d.comb += field(payload, "positive", o).eq(Array(self.block_weights(rows, o))[bank])

    def _bits(
        self,
        m: Module,
        platform: Platform | None,
        is_loading: Signal,
        is_last_block: Value,
        ends_batch: Value,
    ) -> tuple[list[Signal], Signal]:
        """The bits of a block, a signal a row, and the cycle that completes them."""
        schedule = self.schedule
        per_row, inputs = schedule.words_per_row, schedule.inputs
        rest = schedule.geometry.fan_in - (schedule.blocks - 1) * inputs
        memory = self._memory(m, platform, is_loading, ends_batch)
        row = Signal(range(inputs), name="row")
        word = Signal(range(per_row), name="word")
        ends_row = word == per_row - 1
        loaded = Signal(name="loaded")
        m.d.comb += loaded.eq(
            is_loading & ends_row & (row == Mux(is_last_block, rest - 1, inputs - 1))
        )
        rows = [
            Signal(schedule.geometry.outputs, name=f"bits_{r}", reset_less=True)
            for r in range(inputs)
        ]
        with m.If(is_loading):
            m.d.sync += word.eq(Mux(ends_row, 0, word + 1))
            with m.If(ends_row):
                m.d.sync += row.eq(Mux(loaded, 0, row + 1))
        self.hold(m, rows, takes=is_loading, row=row, block=word, bits=memory.read_data)
        return rows, loaded

    def _memory(self, m: Module, platform: Platform | None, takes: Value, ends_batch: Value) -> Ram:
        """All planes: written once, read in order, from the first word again for each batch."""
        shape = self.shape.mask
        memory = Ram(depth=shape.depth, width=shape.width)
        m.submodules.planes = place(memory, platform)
        weights = self.weights
        is_first = (weights.plane == 0) & (weights.row == 0) & (weights.block == 0)
        self.fill(m, memory, word=weights.bits, is_first=is_first, name="written")
        current = Signal(range(shape.depth), name="current")
        following = Signal(range(shape.depth), name="following")
        m.d.comb += [
            following.eq(Mux(ends_batch, 0, current + takes)),
            memory.read_address.eq(following),
            memory.read_enable.eq(1),
        ]
        m.d.sync += current.eq(following)
        return memory
