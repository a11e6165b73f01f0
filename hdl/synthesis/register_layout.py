"""Flip-flops and clock gates of a flat netlist, as a simulation goes through them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError

from .activity import FLIP_FLOPS
from .flat_netlist import FlatNetlist
from .gate_order import GateOrder
from .nldm import Ints

__all__ = ["RegisterLayout"]

Slots = NDArray[np.int32]


@dataclass(frozen=True)
class RegisterLayout:
    """All flip-flops, which hang on one clock, directly or behind one clock gate.

    Attributes
    ----------
    gate_rows, flop_rows : dict of str to slice
        By type, where its cells are among all clock gates, or flip-flops.
    gates : int32 array (gates,)
        Slot of each clock gate's enable.
    flops, gate : int32 array (flops,)
        Slot of each flip-flop's state, and its clock gate; -1 where it has none.
    data, states : int32 array (flops,)
        Slots of inputs and states, ordered by gates.
    groups : int32 array (gates in use + 1, 2)
        A gate, and the first of its flip-flops in that order; the last is their number.
    """

    gate_rows: dict[str, slice]
    gates: Slots
    flop_rows: dict[str, slice]
    flops: Slots
    gate: Slots
    data: Slots
    states: Slots
    groups: Slots

    @classmethod
    def of(cls, flat: FlatNetlist, order: GateOrder, clock: int) -> "RegisterLayout":
        """Lay them out; ``clock`` is the clock's net, -1 where there is none.

        Raises
        ------
        UserError
            If a sequential cell is not known, or a clock gate hangs on another.
        """
        groups = flat.groups
        gate_of: dict[int, int] = {}
        enables: list[Ints] = []
        gate_rows: dict[str, slice] = {}
        count = 0
        strange = [
            k
            for k, g in groups.items()
            if g.cell.is_sequential and not g.cell.is_clock_gate and k not in FLIP_FLOPS
        ]
        if strange:
            raise UserError(f"cell {strange[0]} is not known to the netlist simulation")
        for kind in (k for k, g in groups.items() if g.cell.is_clock_gate):
            pins = groups[kind].pins
            if (pins["CK"] != clock).any():
                raise UserError(
                    f"{kind} must hang on the clock itself", value="behind another gate"
                )
            size = len(pins["E"])
            gate_of |= {int(n): count + i for i, n in enumerate(pins["GCK"])}
            enables.append(order.slot[pins["E"]])
            gate_rows[kind] = slice(count, count + size)
            count += size
        data, state, gate = [], [], []
        flop_rows: dict[str, slice] = {}
        flops = 0
        for kind, nets in order.state.items():
            pins = groups[kind].pins
            data.append(order.slot[pins["D"]])
            state.append(order.slot[nets])
            gate.append(np.array([-1 if n == clock else gate_of[int(n)] for n in pins["CK"]], int))
            flop_rows[kind] = slice(flops, flops + len(nets))
            flops += len(nets)
        empty = np.zeros(0)
        flops_of = np.ascontiguousarray(np.concatenate([*state, empty]), np.int32)
        gate_of_flop = np.ascontiguousarray(np.concatenate([*gate, empty]), np.int32)
        # The kernel has them by their gates, to pass over those whose gate is closed.
        by_gate = np.argsort(gate_of_flop, kind="stable")
        found, first = np.unique(gate_of_flop[by_gate], return_index=True)
        return cls(
            gate_rows=gate_rows,
            gates=np.ascontiguousarray(np.concatenate([*enables, empty]), np.int32),
            flop_rows=flop_rows,
            flops=flops_of,
            gate=gate_of_flop,
            data=np.ascontiguousarray(np.concatenate([*data, empty])[by_gate], np.int32),
            states=np.ascontiguousarray(flops_of[by_gate]),
            groups=np.ascontiguousarray(
                [*zip(found, first, strict=True), (0, len(by_gate))], np.int32
            ),
        )
