"""Addresses of words that lie in banks: word a in bank a mod banks, row a // banks."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

__all__ = ["add_address", "address_layout", "address_value"]


def address_layout(rows: int, banks: int) -> data.StructLayout:
    """An address, or a distance, of ``banks`` banks with at most ``rows`` rows."""
    return data.StructLayout({"bank": range(banks), "row": range(max(rows, 2))})


def address_value(number: int, rows: int, banks: int) -> dict[Any, int]:
    """A number of words as an address; one below 0 as a distance back."""
    row, bank = divmod(number, banks)
    width = max(rows - 1, 1).bit_length()
    return {"bank": bank, "row": row % (1 << width)}


def add_address(m: Module, a: Any, b: Any, banks: int, name: str) -> Any:
    """The address a distance on; modulo all rows that the layout can say."""
    result: Any = Signal(a.shape(), name=name)
    total = Signal(range(2 * banks), name=f"{name}_bank")
    carries = Signal(name=f"{name}_carries")
    m.d.comb += total.eq(Value.cast(a.bank) + Value.cast(b.bank))
    m.d.comb += carries.eq(total >= banks)
    m.d.comb += result.bank.eq(Mux(carries, total - banks, total))
    m.d.comb += result.row.eq(a.row + b.row + carries)
    return result
