"""Scales of all outputs of the finisher, and sums by them."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

from kakure.hdl.emission.hierarchy import Platform, place

from .scale_lane import ScaleLane, lane_layout
from .widths import COUNT_BITS

__all__ = ["ScaleLanes", "scales_layout"]


def scales_layout(outputs: int, depth: int) -> data.StructLayout:
    """The write port of the scales: M, B and S of one output of a channel pass."""
    return data.StructLayout({
        **lane_layout(depth).members,
        "output": range(max(outputs, 2)),  # Verilog has no port of width 0
    })


class ScaleLanes:
    """A :class:`.ScaleLane` for each output; all have the scales of the same channel pass.

    Parameters
    ----------
    outputs : int
        Sums that are scaled at once.
    sum_bits : int
        Width of a sum [bit].
    depth : int
        Channel passes that there are scales for.

    Attributes
    ----------
    scaled, logits : list of Signal
        Those of the lanes.
    """

    def __init__(self, *, outputs: int, sum_bits: int, depth: int) -> None:
        self.lanes = [ScaleLane(sum_bits=sum_bits, depth=depth) for _ in range(outputs)]
        self.scaled = [lane.scaled for lane in self.lanes]
        self.logits = [lane.logit for lane in self.lanes]

    def build(
        self,
        m: Module,
        platform: Platform | None,
        *,
        scales: Any,
        start: Value,
        reads: Value,
        at: Value,
        multiply: Value,
        values: list[Signal],
    ) -> None:
        """Place the lanes in ``m``.

        Parameters
        ----------
        scales : View of :func:`scales_layout`
            In a cycle with ``valid`` they are kept.
        start : Value
            Scales may have changed.
        reads, at : Value
            In a cycle with ``reads``, the pass of the next sums. What was read last is not read
            again.
        multiply, values : Value, list of Signal
            In a cycle with ``multiply``, sums are taken.
        """
        asked = Signal(COUNT_BITS, reset_less=True)
        is_known = Signal()
        is_other = ~is_known | (asked != at)
        with m.If(reads):
            m.d.sync += [asked.eq(at), is_known.eq(1)]
        with m.If(start | scales.valid):
            m.d.sync += is_known.eq(0)
        for o, (lane, value) in enumerate(zip(self.lanes, values, strict=True)):
            m.submodules[f"lane_{o}"] = place(lane, platform)
            for name in ("address", "multiplier", "offset", "shift"):
                m.d.comb += lane.scales[name].eq(scales[name])
            m.d.comb += [
                lane.scales.valid.eq(scales.valid & (scales.output == o)),
                lane.read.eq(reads & is_other),
                lane.address.eq(at),
                lane.multiply.eq(multiply),
                lane.value.eq(value),
            ]
