"""The array of the temporal accelerator: sums of many positions with weights that stay a while."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place

from .array_shape import TemporalArrayShape
from .array_step import ArrayStep
from .block_layout import made_layout
from .horner_element import HornerElement
from .program import DIGIT
from .sum_memory import SumMemory
from .weight_sets import WeightSets
from .widths import DIGITS

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
        offered: Any = self.i.payload
        exchange = take & offered.begins_block
        weights = WeightSets(
            weights=self.weights, inputs=self.inputs, outputs=self.outputs, many=self.many
        )
        step = ArrayStep(
            i=self.i,
            inputs=self.inputs,
            pixels=self.pixels,
            most_pace=self.most_pace,
            planes=self.planes,
        )
        sums = SumMemory(
            step=step,
            outputs=self.outputs,
            pixels=self.pixels,
            batches=self.batches,
            sum_bits=self.sum_bits,
        )
        m.d.comb += self.takes.eq(exchange)
        weights.build(m, exchange)
        step.build(m, take=take, is_made=self.is_made, pace=self.pace)
        self._count(m, take, step)
        weights.count(m, platform, exchange)
        sums.add(m, platform, self._elements(m, platform, step, weights))
        sums.send(m, pace=self.pace, o=self.o, is_draining=self.is_draining)
        return m

    def _count(self, m: Module, take: Signal, step: ArrayStep) -> None:
        """Say what is in work, and count its products; keep its activations."""
        offered: Any = self.i.payload
        there = Signal.like(self.made)  # weights of the block in work
        with m.If(take & offered.begins_block):
            m.d.sync += there.eq(self.made)
        is_drained = (step.left != 0) & (step.plane == 0)
        m.d.comb += [
            self.is_free.eq((step.left == 0) & ~take),
            self.is_held.eq(Mux(take, ~offered.computes, is_drained)),
            self.computes.eq(step.adds),
        ]
        with m.If(take & offered.computes):
            products = Mux(offered.begins_block, self.made, there) * offered.positions
            m.d.sync += self.lanes.eq(products)
            m.d.sync += step.keep()

    def _elements(
        self, m: Module, platform: Platform | None, step: ArrayStep, weights: WeightSets
    ) -> list[Value]:
        """What the digit adds to each sum, position by position."""
        partial = []
        for p, digits in enumerate(step.x):
            ones = Signal(self.inputs, name=f"ones_{p}")
            planes = [digits[plane::DIGIT] for plane in range(DIGIT)]
            m.d.comb += ones.eq(Array(planes)[step.plane])
            for o in range(self.outputs):
                element = HornerElement(inputs=self.inputs)
                m.submodules[f"element_{p}_{o}"] = place(element, platform)
                m.d.comb += [
                    element.x.eq(ones),
                    element.positive.eq(weights.positive[o]),
                    element.negative.eq(weights.negative[o]),
                    element.excess.eq(weights.excess[o]),
                    element.step.eq(step.adds),
                    element.clears.eq(step.is_first_plane),
                ]
                partial.append(element.o)
        return partial
