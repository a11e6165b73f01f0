"""Memory macros of a flat netlist, as a simulation goes through them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .flat_netlist import FlatNetlist
from .gate_order import GateOrder
from .nldm import Ints

__all__ = ["MacroLayout"]


@dataclass(frozen=True)
class MacroLayout:
    """Sizes of each macro, offset of its bits among those of all, then the slots of its ports.

    Attributes
    ----------
    rows : int32 array (macros,)
        Where each begins in ``table``.
    table : int array
        Depth, width, address bits and offset, then slots.
    bits : int
        Of all macros.
    words : int
        Bits of a word of every macro: what is read in a cycle at most.
    """

    rows: NDArray[np.int32]
    table: Ints
    bits: int
    words: int

    @classmethod
    def of(cls, flat: FlatNetlist, order: GateOrder) -> "MacroLayout":
        """Lay out the macros of a netlist."""
        table: list[int] = []
        rows = []
        offset = 0
        for macro in flat.macros:
            pins = {name: order.slot[nets] for name, nets in macro.pins.items()}
            rows.append(len(table))
            address = len(pins["write_address"])
            table += [macro.macro.depth, macro.macro.width, address, offset]
            for port in ("write_enable", "read_enable", "write_address", "read_address"):
                table += [int(n) for n in pins[port]]
            table += [int(n) for n in pins["write_data"]]
            table += [int(n) for n in pins["read_data"]]
            offset += macro.macro.depth * macro.macro.width
        return cls(
            rows=np.array(rows, np.int32),
            table=np.array([*table, 0], np.int64),
            bits=offset,
            words=sum(macro.macro.width for macro in flat.macros),
        )
