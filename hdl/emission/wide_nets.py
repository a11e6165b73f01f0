"""Modules with more bits at their ports, and wider registers, than Amaranth can number."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from typing import Any

__all__ = ["NET_BITS", "wide_nets"]

nir: Any = import_module("amaranth.hdl._nir")  # amaranth-stubs do not know these two
rtlil: Any = import_module("amaranth.back.rtlil")

NET_BITS = 32
"""Bits of a net's number that say which bit of its cell it is; Amaranth 0.5 has 16."""

_PATCHING = RLock()


def _from_cell(cls: Any, cell: int, bit: int) -> Any:
    assert 0 <= bit < 1 << NET_BITS
    assert cell > 0 or (cell == 0 and bit >= 2), "the numbers 0 and 1 are constants"
    return cls(cell << NET_BITS | bit)


class _Wire(rtlil.Wire):
    """A wire of any width."""

    def __init__(self, width: int, **attributes: Any) -> None:
        super().__init__(min(width, 1 << 16), **attributes)
        self.width = width


@contextmanager
def wide_nets() -> Iterator[None]:
    """Let Amaranth write modules of any width while RTLIL is made.

    In its netlist a net is one integer: the number of a cell, and in the lower 16 bits that of one
    of its outputs. All inputs of a module are outputs of one cell, all outputs of an instance those
    of another, and a register is a third, so none may have more than 65 536 bits in all, into
    however many ports they are cut. The numbers are read by three methods of one class, which are
    replaced here. Nets keep their order, so that what could be written without this does not change
    by a character. Then it refuses wires of more than 65 536 bits, which no tool that reads our
    Verilog does (:mod:`kakure.hdl.emission.verilog` cuts wide numbers, which Verilator refuses).
    """
    net = nir.Net
    with _PATCHING:
        kept = {name: vars(net)[name] for name in ("from_cell", "cell", "bit")}
        wire = rtlil.Wire
        try:
            net.from_cell = classmethod(_from_cell)
            net.cell = property(lambda self: self >> NET_BITS)
            net.bit = property(lambda self: self & (1 << NET_BITS) - 1)
            rtlil.Wire = _Wire
            yield
        finally:
            rtlil.Wire = wire
            for name, method in kept.items():
                setattr(net, name, method)
