"""The array of the temporal accelerator: sums of many positions with weights that stay a while."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.field import field
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram

from .array_shape import TemporalArrayShape
from .block_layout import made_layout
from .excess_counter import ExcessCounter
from .horner_element import HornerElement
from .program import DIGIT
from .widths import DIGITS, MEMORY_CELLS

__all__ = ["TemporalArray", "step_layout"]


def step_layout(*, inputs: int, pixels: int, batches: int, planes: int = 0) -> data.StructLayout:
    """What the array is told of a step, beside its activations; with planes, when to double."""
    return data.StructLayout({
        "x": data.ArrayLayout(data.ArrayLayout(DIGIT, inputs), pixels),
        "positions": range(pixels + 1),
        "last_plane": range(DIGIT),
        "digit": range(DIGITS),
        "batch": range(max(batches, 2)),  # Verilog has no port of width 0
        "computes": 1,
        "begins_block": 1,
        "begins_sums": 1,
        "drains": 1,
        **({"doubles": 1} if planes else {}),
    })


class TemporalArray(wiring.Component):
    """``outputs`` sums of each of ``pixels`` positions, for ``batches`` of them with one weight.

    A step adds one digit of a block of a batch's windows to its sums. Weights are written into a
    second set while the first is in use; a step that ``begins_block`` exchanges them.

    Parameters
    ----------
    inputs, outputs, pixels, batches : int, at least 1
    sum_bits : int
        Width of a sum [bit].
    many : int
        Inputs whose weights come in a cycle.
    most_pace : int, at least 1
        Most cycles for a position that is sent.
    planes : int
        Planes of bitwise weights, else 0.

    Members
    -------
    weights : ``In(made_layout(...))``
        In a cycle with ``valid``, the second set takes ``positive`` and ``negative`` of all outputs
        for ``many`` inputs. Groups come in order, each once.
    made : ``In(range(inputs * outputs + 1))``
        How many weights of the second set there are.
    is_made : ``In(1)``
        The second set is complete. From the cycle after ``takes`` on it may be written again.
    takes : ``Out(1)``
        The sets are exchanged at the end of this cycle.
    i : ``In(stream.Signature(step_layout(...)))``
        A step. ``computes``: the digit ``digit`` of ``batch`` is added, ``last_plane`` + 1 planes
        of it; digit 0 to nothing where it ``begins_sums``, and to twice the sums where it
        ``doubles``. ``drains``: before that, what the sums
        of ``batch`` were is sent.
    pace : ``In(range(most_pace + 1))``
        Cycles for each position that is sent. Stays while there are any.
    o : ``Out(struct)``
        In a cycle with ``valid``, ``sums`` of the next position that is drained.
    is_draining : ``Out(1)``
        Positions are sent, or will be from the next cycle on.
    is_free, is_held : ``Out(1)``
        From the next cycle on no step is in work; one is, and only waits for its sums to be sent.
    computes : ``Out(1)``
        A plane is added in this cycle.
    lanes : ``Out(range(inputs * outputs * pixels + 1))``
        Products of a cycle that ``computes``: the weights that there are, for each of ``positions``
        of the step.

    Timing
    ------
    A step takes as many cycles as it has planes or as draining takes, whichever is more. The next
    one is taken in the last of them, but not a block before its weights. Positions are sent from
    the second cycle of the step on. A step that is taken in cycle t reads its sums in cycle t + 1.
    """

    unnamed: ClassVar = {"planes": 0}

    weights: Any
    made: Signal
    is_made: Signal
    takes: Signal
    i: stream.Interface
    pace: Signal
    o: Any
    is_draining: Signal
    is_free: Signal
    is_held: Signal
    computes: Signal
    lanes: Signal

    def __init__(
        self,
        *,
        inputs: int,
        outputs: int,
        pixels: int,
        batches: int,
        sum_bits: int,
        many: int = 1,
        most_pace: int = 1,
        planes: int = 0,
    ) -> None:
        self.planes = planes
        self.inputs = inputs
        self.outputs = outputs
        self.pixels = pixels
        self.batches = batches
        self.sum_bits = sum_bits
        self.many = many
        self.most_pace = most_pace
        self.shape = TemporalArrayShape(inputs, outputs, pixels, batches, many, most_pace, sum_bits)
        sums = data.ArrayLayout(signed(sum_bits), outputs)
        step = step_layout(inputs=inputs, pixels=pixels, batches=batches, planes=planes)
        super().__init__({
            "weights": In(made_layout(inputs=inputs, outputs=outputs, many=many)),
            "made": In(range(inputs * outputs + 1)),
            "is_made": In(1),
            "takes": Out(1),
            "i": In(stream.Signature(step)),
            "pace": In(range(most_pace + 1)),
            "o": Out(data.StructLayout({"valid": 1, "sums": sums})),
            "is_draining": Out(1),
            "is_free": Out(1),
            "is_held": Out(1),
            "computes": Out(1),
            "lanes": Out(range(inputs * outputs * pixels + 1)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        take = Signal()
        m.d.comb += take.eq(self.i.valid & self.i.ready)
        step: Any = self.i.payload
        weights = self._weights(m, take & step.begins_block)
        tags, x = self._step(m, take)
        excess = self._excess(m, platform, take & step.begins_block)
        partial = self._elements(m, platform, x, weights, excess, tags)
        self._sums(m, platform, tags, partial)
        return m

    def _weights(self, m: Module, exchange: Value) -> tuple[list[Signal], list[Signal]]:
        """Positive and negative weights in use, a word of inputs for each output."""
        m.d.comb += self.takes.eq(exchange)
        result = []
        for polarity in ("positive", "negative"):
            used = [
                Signal(self.inputs, name=f"{polarity}_{o}", reset_less=True)
                for o in range(self.outputs)
            ]
            made = [
                Signal(self.inputs, name=f"made_{polarity}_{o}", reset_less=True)
                for o in range(self.outputs)
            ]
            rows = self.weights[polarity]
            for group in range(self.inputs // self.many):
                with m.If(self.weights.valid & (self.weights.group == group)):
                    for n in range(self.many):
                        lane = group * self.many + n
                        m.d.sync += [word[lane].eq(rows[n][o]) for o, word in enumerate(made)]
            with m.If(exchange):
                m.d.sync += [old.eq(new) for old, new in zip(used, made, strict=True)]
            result.append(used)
        return result[0], result[1]

    def _excess(self, m: Module, platform: Platform | None, exchange: Value) -> list[Signal]:
        """How many of the weights in use are negative, of each output."""
        result = []
        for o in range(self.outputs):
            counter = ExcessCounter(inputs=self.inputs, many=self.many)
            m.submodules[f"excess_{o}"] = place(counter, platform)
            rows = self.weights.negative
            m.d.comb += [
                counter.valid.eq(self.weights.valid),
                counter.is_first.eq(self.weights.group == 0),
                counter.negative.eq(Cat(rows[n][o] for n in range(self.many))),
                counter.takes.eq(exchange),
            ]
            result.append(counter.o)
        return result

    def _step(self, m: Module, take: Signal) -> tuple[dict[str, Signal], list[Signal]]:
        """The step in work: what it is, where it is, and its activations."""
        step: Any = self.i.payload
        bits = DIGIT * self.inputs
        x = [Signal(bits, name=f"x_{p}", reset_less=True) for p in range(self.pixels)]
        names = ("digit", "batch", "begins_sums", "drains")
        names += ("doubles",) if self.planes else ()
        tags = {n: Signal(step[n].shape(), name=n, reset_less=True) for n in names}
        tags["plane"] = plane = Signal(range(DIGIT))
        tags["adds"] = adds = Signal()
        tags["is_first_plane"] = is_first = Signal()
        tags["is_first_cycle"] = is_first_cycle = Signal()
        left = Signal(range(max(self.most_pace * self.pixels, DIGIT)))

        m.d.comb += self.i.ready.eq((left == 0) & (~step.begins_block | self.is_made))
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.sync += is_first.eq(0)
        m.d.sync += is_first_cycle.eq(take)
        with m.If(plane == 0):
            m.d.sync += adds.eq(0)
        with m.Else():
            m.d.sync += plane.eq(plane - 1)
        with m.If(take):
            planes = Mux(step.computes, step.last_plane, 0)
            drained = Mux(step.drains, self.pixels * self.pace - 1, 0)
            m.d.sync += left.eq(Mux(planes > drained, planes, drained))
            m.d.sync += [tags[n].eq(step[n]) for n in names]
            m.d.sync += [plane.eq(planes), adds.eq(step.computes), is_first.eq(1)]
        there = Signal.like(self.made)  # weights of the block in work
        with m.If(take & step.begins_block):
            m.d.sync += there.eq(self.made)
        m.d.comb += [
            self.is_free.eq((left == 0) & ~take),
            self.is_held.eq(Mux(take, ~step.computes, (left != 0) & (plane == 0))),
            self.computes.eq(adds),
        ]
        with m.If(take & step.computes):
            products = Mux(step.begins_block, self.made, there) * step.positions
            m.d.sync += self.lanes.eq(products)
            m.d.sync += [old.eq(Value.cast(field(step, "x", p))) for p, old in enumerate(x)]
        return tags, x

    def _elements(
        self,
        m: Module,
        platform: Platform | None,
        x: list[Signal],
        weights: tuple[list[Signal], list[Signal]],
        excess: list[Signal],
        tags: dict[str, Signal],
    ) -> list[Value]:
        """What the digit adds to each sum, position by position."""
        positive, negative = weights
        partial = []
        for p, digits in enumerate(x):
            ones = Signal(self.inputs, name=f"ones_{p}")
            planes = [digits[plane::DIGIT] for plane in range(DIGIT)]
            m.d.comb += ones.eq(Array(planes)[tags["plane"]])
            for o in range(self.outputs):
                element = HornerElement(inputs=self.inputs)
                m.submodules[f"element_{p}_{o}"] = place(element, platform)
                m.d.comb += [
                    element.x.eq(ones),
                    element.positive.eq(positive[o]),
                    element.negative.eq(negative[o]),
                    element.excess.eq(excess[o]),
                    element.step.eq(tags["adds"]),
                    element.clears.eq(tags["is_first_plane"]),
                ]
                partial.append(element.o)
        return partial

    def _sums(
        self,
        m: Module,
        platform: Platform | None,
        tags: dict[str, Signal],
        partial: list[Value],
    ) -> None:
        """The memory of sums: read in a step's first cycle, written after its last plane."""
        many = self.pixels * self.outputs
        memory = Ram(depth=self.batches, width=many * self.sum_bits, cells=MEMORY_CELLS)
        m.submodules.sums = place(memory, platform)
        adds = Signal()
        batch = Signal(tags["batch"].shape(), reset_less=True)
        digit = Signal(tags["digit"].shape(), reset_less=True)
        begins = Signal(reset_less=True)
        doubles = Signal(reset_less=True) if self.planes else None
        is_last = tags["adds"] & (tags["plane"] == 0)
        m.d.sync += adds.eq(is_last)
        with m.If(is_last):
            m.d.sync += [
                batch.eq(tags["batch"]),
                digit.eq(tags["digit"]),
                begins.eq(tags["begins_sums"] & (tags["digit"] == 0)),
            ]
            if doubles is not None:
                m.d.sync += doubles.eq(tags["doubles"] & (tags["digit"] == 0))
        shape = Shape(self.sum_bits, signed=True)
        words = []
        for n, part in enumerate(partial):
            total = Signal(shape, name=f"total_{n}")
            bits = memory.read_data[n * self.sum_bits : (n + 1) * self.sum_bits]
            if doubles is not None:
                bits = Mux(doubles, Cat(0, bits)[: self.sum_bits], bits)
            before = Mux(begins, 0, bits).as_signed()
            m.d.comb += total.eq(before + Mux(digit, part << DIGIT, part))
            words.append(total)
        reads = tags["is_first_cycle"] & (
            tags["drains"] | ~tags["begins_sums"] | (tags["digit"] != 0)
        )
        m.d.comb += [
            memory.write_address.eq(batch),
            memory.write_data.eq(Cat(words)),
            memory.write_enable.eq(adds),
            memory.read_address.eq(tags["batch"]),
            memory.read_enable.eq(reads),
        ]

        is_draining = Signal()
        cycle = Signal(self.pace.shape())
        pixel = Signal(range(self.pixels))
        begins_drain = tags["is_first_cycle"] & tags["drains"]
        with m.If(is_draining):
            m.d.sync += cycle.eq(cycle + 1)
            with m.If(cycle == self.pace - 1):
                m.d.sync += [cycle.eq(0), pixel.eq(pixel + 1)]
                with m.If(pixel == self.pixels - 1):
                    m.d.sync += is_draining.eq(0)
        with m.If(begins_drain):
            m.d.sync += [is_draining.eq(1), pixel.eq(0), cycle.eq(0)]
        width = self.outputs * self.sum_bits
        m.d.comb += self.o.valid.eq(is_draining & (cycle == 0))
        m.d.comb += self.is_draining.eq(is_draining | begins_drain)
        m.d.comb += Value.cast(self.o.sums).eq(memory.read_data.word_select(pixel, width))
