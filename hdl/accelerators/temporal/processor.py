"""The temporal accelerator without its control: one operation at a time."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.parameters.parameters import OFFSET_BITS

from .address import address_layout
from .array import TemporalArray
from .block_maker import BlockMaker
from .finisher import Finisher
from .memory_shape import deep_enough
from .operation import Sizes, operation_layout
from .processor_shape import processor_shape
from .program import DIGIT
from .scale_lanes import scales_layout
from .summer import Summer
from .target import most_pace
from .widths import MEMORY_CELLS
from .window_reader import WindowReader
from .work_counters import events_layout

__all__ = ["TemporalProcessor"]

MEMORIES = 2


class TemporalProcessor(wiring.Component):
    """Array, weights made on chip, and two memories of activations.

    Parameters
    ----------
    array : TemporalConfig
    sizes : Sizes
    sum_bits : int
        Width of a sum [bit].

    Members
    -------
    operation : ``In(operation_layout(...))``
        Stays until ``is_done``.
    used : ``In``, with planes
        Planes in use, 1 to all; stays while an image is worked on.
    start, is_done
        Begin an operation; its last word was written.
    image : ``In(struct)``
        In a cycle with ``valid``, a word of the first memory; only between operations.
    mask, scales : ``In(struct)``
        In a cycle with ``valid``, a word of the masks; scales of an output. Likewise.
    logits : ``Out(struct)``
        In a cycle with ``valid``, ``values`` of the next ``outputs`` classes.
    events : ``Out(events_layout(...))``
        What the array does, from the second cycle of a layer to its last one, a cycle later.
    """

    operation: Any
    used: Signal
    start: Signal
    is_done: Signal
    image: Any
    mask: Any
    scales: Any
    logits: Any
    events: Any

    def __init__(self, *, array: TemporalConfig, sizes: Sizes, sum_bits: int) -> None:
        self.array = array
        self.sizes = sizes
        self.sum_bits = sum_bits
        self.shape = processor_shape(array, sizes)
        banks, word = array.slots, array.word
        logits = data.ArrayLayout(signed(OFFSET_BITS), array.outputs)
        super().__init__({
            "operation": In(operation_layout(array, sizes)),
            **({"used": In(range(sizes.planes + 1))} if sizes.planes else {}),
            "start": In(1),
            "is_done": Out(1),
            "image": In(
                data.StructLayout({
                    "valid": 1,
                    "address": address_layout(sizes.rows, banks),
                    "word": word * DIGIT,
                })
            ),
            "mask": In(
                data.StructLayout({
                    "valid": 1,
                    "address": range(max(sizes.mask_words, 2)),
                    "word": array.many * array.outputs,
                })
            ),
            "scales": In(scales_layout(array.outputs, sizes.sets * sizes.scales)),
            "logits": Out(data.StructLayout({"valid": 1, "values": logits})),
            "events": Out(events_layout(array.lanes)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        config, sizes, operation = self.array, self.sizes, self.operation
        banks, word = config.slots, config.word
        array = TemporalArray(
            inputs=config.inputs,
            outputs=config.outputs,
            pixels=config.pixels,
            batches=config.batches,
            sum_bits=self.sum_bits,
            many=config.many,
            most_pace=most_pace(config),
            planes=sizes.planes,
        )
        maker = BlockMaker(
            inputs=config.inputs,
            outputs=config.outputs,
            word=word,
            many=config.many,
            rows=sizes.rows,
            mask_words=sizes.mask_words,
            planes=sizes.planes,
        )
        reader = WindowReader(
            inputs=config.inputs,
            pixels=config.pixels,
            batches=config.batches,
            word=word,
            rows=sizes.rows,
            planes=sizes.planes,
        )
        finisher = Finisher(
            outputs=config.outputs,
            word=word,
            banks=banks,
            rows=sizes.rows,
            sum_bits=self.sum_bits,
            depth=sizes.scales,
            sets=sizes.sets,
        )
        if sizes.planes:
            m.d.comb += [maker.used.eq(self.used), reader.used.eq(self.used)]
        if sizes.sets > 1:
            m.d.comb += finisher.set.eq(self.used - 1)
        summer = Summer(word=word, banks=banks, rows=sizes.rows)
        masks = Ram(depth=sizes.mask_words, width=config.many * config.outputs, cells=MEMORY_CELLS)
        for name, block in {
            "array": array,
            "maker": maker,
            "reader": reader,
            "finisher": finisher,
            "summer": summer,
            "masks": masks,
        }.items():
            m.submodules[name] = place(block, platform)

        is_layer = self.start & ~operation.is_sum
        is_drained = finisher.is_done & ~array.is_draining  # at the pace of this layer
        m.d.comb += [
            Value.cast(maker.window).eq(Value.cast(operation.window)),
            Value.cast(reader.layer).eq(Value.cast(operation.positions)),
            Value.cast(finisher.layer).eq(Value.cast(operation.result)),
            Value.cast(summer.layer).eq(Value.cast(operation.sum)),
            array.pace.eq(operation.pace),
            maker.start.eq(is_layer),
            reader.start.eq(is_layer),
            finisher.start.eq(is_layer),
            summer.start.eq(self.start & operation.is_sum),
            self.is_done.eq(Mux(operation.is_sum, summer.is_done, is_drained)),
            masks.write_enable.eq(self.mask.valid),
            masks.write_address.eq(self.mask.address),
            masks.write_data.eq(self.mask.word),
            masks.read_enable.eq(maker.mask_enable),
            masks.read_address.eq(maker.mask_address),
            Value.cast(maker.mask).eq(masks.read_data),
            Value.cast(finisher.scales).eq(Value.cast(self.scales)),
            Value.cast(self.logits).eq(Value.cast(finisher.logits)),
            Value.cast(array.weights).eq(Value.cast(maker.weights)),
            array.made.eq(maker.made),
            array.is_made.eq(maker.has_weights),
            maker.takes_weights.eq(array.takes),
            Value.cast(reader.slots).eq(Value.cast(maker.slots)),
            reader.has_slots.eq(maker.has_slots),
            maker.takes_slots.eq(reader.takes_slots),
            reader.is_draining.eq(array.is_draining),
            array.i.valid.eq(reader.o.valid),
            reader.o.ready.eq(array.i.ready),
            Value.cast(array.i.payload).eq(Value.cast(reader.o.payload)),
            Value.cast(finisher.i).eq(Value.cast(array.o)),
        ]
        self._count(m, is_layer, array, reader)
        self._memories(m, platform, reader, finisher, summer)
        return m

    def _count(self, m: Module, begins: Value, array: TemporalArray, reader: WindowReader) -> None:
        """Tell what the array waits for."""
        runs, events = Signal(), self.events
        with m.If(begins):
            m.d.sync += runs.eq(1)
        with m.Elif(self.is_done):
            m.d.sync += runs.eq(0)
        counts = runs & ~self.is_done
        waits = counts & array.is_free & ~reader.o.valid
        m.d.sync += [
            events.waits_weights.eq(counts & array.is_free & reader.o.valid),
            events.waits_windows.eq(waits & reader.is_busy),
            events.waits_results.eq((counts & array.is_held) | (waits & ~reader.is_busy)),
        ]
        m.d.comb += [events.computes.eq(array.computes), events.lanes.eq(array.lanes)]

    def _memories(
        self,
        m: Module,
        platform: Platform | None,
        reader: WindowReader,
        finisher: Finisher,
        summer: Summer,
    ) -> None:
        """The banks of both memories, and who reads and writes them."""
        operation, image = self.operation, self.image
        banks, width = self.array.slots, self.array.word * DIGIT
        read: list[list[Signal]] = []
        for number in range(MEMORIES):
            is_source = operation.source == number
            is_target = operation.target == number
            is_added = operation.added == number
            read.append([])
            for bank in range(banks):
                memory = Ram(depth=deep_enough(self.sizes.rows), width=width, cells=MEMORY_CELLS)
                m.submodules[f"memory_{number}_{bank}"] = place(memory, platform)
                reads = (
                    (reader.enable[bank] & is_source, reader.row[bank]),
                    (summer.read_enable[bank] & is_source, summer.read_row[bank]),
                    (finisher.read_enable[bank] & is_added, finisher.read_row[bank]),
                )
                writes = [
                    (finisher.write_enable[bank] & is_target, finisher.write_row[bank],
                     finisher.write[bank]),
                    (summer.write_enable[bank] & is_target, summer.write_row[bank],
                     summer.write[bank]),
                ]  # fmt: skip
                if number == 0:
                    is_here = image.valid & (image.address.bank == bank)
                    writes.append((is_here, image.address.row, image.word))
                for enable, row in reads:
                    with m.If(enable):
                        m.d.comb += [memory.read_enable.eq(1), memory.read_address.eq(row)]
                for enable, row, data_ in writes:
                    with m.If(enable):
                        m.d.comb += [
                            memory.write_enable.eq(1),
                            memory.write_address.eq(row),
                            memory.write_data.eq(data_),
                        ]
                read[number].append(memory.read_data)
        source = Mux(operation.source, Cat(read[1]), Cat(read[0]))
        added = Mux(operation.added, Cat(read[1]), Cat(read[0]))
        m.d.comb += [
            Value.cast(reader.read).eq(source),
            Value.cast(summer.read).eq(source),
            Value.cast(finisher.read).eq(added),
        ]
