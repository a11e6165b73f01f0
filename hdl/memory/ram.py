"""On-chip memory with one write and one read port: the macro of a synthesized design."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .ram_shape import CELLS, RamShape

__all__ = ["Ram"]


class Ram(wiring.Component):
    """Memory of ``depth`` words of ``width`` bits, written and read on the clock edge.

    A module of its own, so that synthesis counts it as a macro. Contents start at 0.

    Parameters
    ----------
    depth : int, at least 1
        Words.
    width : int, at least 1
        Bits of a word.
    cells : str
        Of what cells a macro is made, as :func:`kakure.hdl.synthesis.memory_macro.memory_macro`
        has them: ``lop``, or ``lstp`` for a memory that is large and seldom read.

    Members
    -------
    write_address, write_data, write_enable : In
        Written at the end of the cycle in which ``write_enable`` is 1.
    read_address, read_enable : In
        Sampled at the end of the cycle in which ``read_enable`` is 1.
    read_data : Out
        The word read last; where the same cycle wrote that word, the new one.

    Raises
    ------
    ValueError
        If ``depth`` or ``width`` is below 1, or the cells are unknown.
    """

    write_address: Signal
    write_data: Signal
    write_enable: Signal
    read_address: Signal
    read_enable: Signal
    read_data: Signal

    def __init__(self, *, depth: int, width: int, cells: str = "lop") -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth!r}")
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width!r}")
        if cells not in CELLS:
            raise ValueError(f"cells must be {' or '.join(CELLS)}, not {cells!r}")
        self.depth = depth
        self.width = width
        self.cells = cells
        self.shape = RamShape(depth, width, is_lstp=int(cells == "lstp"))
        address = range(max(depth, 2))  # Verilog has no port of width 0
        super().__init__({
            "write_address": In(address),
            "write_data": In(width),
            "write_enable": In(1),
            "read_address": In(address),
            "read_enable": In(1),
            "read_data": Out(width),
        })

    @property
    def identity(self) -> dict[str, int | str | None]:
        """Its size, and its cells where they are not the common ones."""
        size: dict[str, int | str | None] = {"depth": self.depth, "width": self.width}
        return size if self.cells == "lop" else size | {"cells": self.cells}

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.width, depth=self.depth, init=[])
        write = memory.write_port()
        read = memory.read_port(transparent_for=(write,))
        m.d.comb += [
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            write.en.eq(self.write_enable),
            read.addr.eq(self.read_address),
            read.en.eq(self.read_enable),
            self.read_data.eq(read.data),
        ]
        return m
