"""The memory of the array's sums: what is added to them, and how they are sent."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram

from .array_step import ArrayStep
from .program import DIGIT
from .widths import MEMORY_CELLS

__all__ = ["SumMemory"]


class SumMemory:
    """Sums of ``pixels`` positions in a word, which a step of the array is added to, or sent from.

    Read in a step's first cycle, written in the one after its last plane.

    Parameters
    ----------
    step : ArrayStep
        The step in work.
    outputs, pixels, batches : int
        Of the array: sums of a position, positions of a word, words.
    sum_bits : int
        Width of a sum [bit].
    """

    def __init__(
        self, *, step: ArrayStep, outputs: int, pixels: int, batches: int, sum_bits: int
    ) -> None:
        self.step = step
        self.outputs = outputs
        self.pixels = pixels
        self.sum_bits = sum_bits
        width = pixels * outputs * sum_bits
        self.memory = Ram(depth=batches, width=width, cells=MEMORY_CELLS)

    def add(self, m: Module, platform: Platform | None, partial: list[Value]) -> None:
        """Place the memory in ``m``; a step's digit, summed up as ``partial``, is added to sums."""
        step, memory = self.step, self.memory
        m.submodules.sums = place(memory, platform)
        adds = Signal()
        batch = Signal(step.batch.shape(), reset_less=True)
        digit = Signal(step.digit.shape(), reset_less=True)
        begins = Signal(reset_less=True)
        doubles = Signal(reset_less=True) if step.doubles is not None else None
        is_last = step.is_last_plane
        m.d.sync += adds.eq(is_last)
        with m.If(is_last):
            m.d.sync += [
                batch.eq(step.batch),
                digit.eq(step.digit),
                begins.eq(step.begins_sums & (step.digit == 0)),
            ]
            if doubles is not None and step.doubles is not None:
                m.d.sync += doubles.eq(step.doubles & (step.digit == 0))
        words = []
        for n, part in enumerate(partial):
            total = Signal(Shape(self.sum_bits, signed=True), name=f"total_{n}")
            before = Mux(begins, 0, self._before(n, doubles)).as_signed()
            m.d.comb += total.eq(before + Mux(digit, part << DIGIT, part))
            words.append(total)
        reads = step.drains | ~step.begins_sums | (step.digit != 0)
        m.d.comb += [
            memory.write_address.eq(batch),
            memory.write_data.eq(Cat(words)),
            memory.write_enable.eq(adds),
            memory.read_address.eq(step.batch),
            memory.read_enable.eq(step.is_first_cycle & reads),
        ]

    def _before(self, n: int, doubles: Signal | None) -> Value:
        """What a sum was, or twice that."""
        bits = self.memory.read_data[n * self.sum_bits : (n + 1) * self.sum_bits]
        if doubles is None:
            return bits
        return Mux(doubles, Cat(0, bits)[: self.sum_bits], bits)

    def send(self, m: Module, *, pace: Signal, o: Any, is_draining: Signal) -> None:
        """Send in ``m`` the sums of a step that drains, a position every ``pace`` cycles.

        Parameters
        ----------
        o : View of ``valid``, ``sums``
            Driven: in a cycle with ``valid``, ``sums`` of the next position.
        is_draining : Signal
            Driven: positions are sent, or will be from the next cycle on.
        """
        sends = Signal(name="is_draining")
        begins = self.step.is_first_cycle & self.step.drains
        cycle = Signal(pace.shape())
        pixel = Signal(range(self.pixels))
        with m.If(sends):
            m.d.sync += cycle.eq(cycle + 1)
            with m.If(cycle == pace - 1):
                m.d.sync += [cycle.eq(0), pixel.eq(pixel + 1)]
                with m.If(pixel == self.pixels - 1):
                    m.d.sync += sends.eq(0)
        with m.If(begins):
            m.d.sync += [sends.eq(1), pixel.eq(0), cycle.eq(0)]
        width = self.outputs * self.sum_bits
        m.d.comb += o.valid.eq(sends & (cycle == 0))
        m.d.comb += is_draining.eq(sends | begins)
        m.d.comb += Value.cast(o.sums).eq(self.memory.read_data.word_select(pixel, width))
