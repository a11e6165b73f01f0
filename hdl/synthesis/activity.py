"""What happened in a simulated netlist: toggles, clock pulses, accesses."""

from dataclasses import dataclass

from .nldm import Ints

__all__ = ["FLIP_FLOPS", "Activity"]

FLIP_FLOPS = frozenset({"DFF_X1", "DFF_X2"})
"""Cells of the library that are simulated as registers."""


@dataclass(frozen=True)
class Activity:
    """What happened in some cycles, summed over all lanes.

    Attributes
    ----------
    cycles, lanes : int
    toggles : int array (nets,)
        By net of the flat netlist; clock nets have none here.
    flop_clocks, flop_toggles : dict of str to int array
        By type of flip-flop and cell: clock pulses it got, and changes of its state.
    gate_clocks : dict of str to int array
        By type of clock gate and cell: pulses it let through.
    reads, writes : int array
        Accesses of each memory macro.
    """

    cycles: int
    lanes: int
    toggles: Ints
    flop_clocks: dict[str, Ints]
    flop_toggles: dict[str, Ints]
    gate_clocks: dict[str, Ints]
    reads: Ints
    writes: Ints

    def __sub__(self, other: "Activity") -> "Activity":
        def less(name: str) -> dict[str, Ints]:
            mine, theirs = getattr(self, name), getattr(other, name)
            return {kind: mine[kind] - theirs[kind] for kind in mine}

        return Activity(
            cycles=self.cycles - other.cycles,
            lanes=self.lanes,
            toggles=self.toggles - other.toggles,
            flop_clocks=less("flop_clocks"),
            flop_toggles=less("flop_toggles"),
            gate_clocks=less("gate_clocks"),
            reads=self.reads - other.reads,
            writes=self.writes - other.writes,
        )
