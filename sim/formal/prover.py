"""What a proof is elaborated with: memories are watched, everything else is as in simulation."""

from typing import Any

from amaranth.hdl import Assert, Elaboratable, Module, ResetInserter, Value
from amaranth.lib import wiring

from kakure.hdl.emission.hierarchy import Emitter
from kakure.hdl.memory.ram import Ram

__all__ = ["Prover"]


class Prover(Emitter):
    """Asserts of every memory that no word is read or written which it does not have."""

    def place(self, component: wiring.Component, reset: Value | None = None) -> Any:
        """Return the component, a memory with what is asserted of it."""
        placed: Elaboratable = _Watched(component) if isinstance(component, Ram) else component
        return placed if reset is None else ResetInserter(reset)(placed)


class _Watched(Elaboratable):
    def __init__(self, memory: Ram) -> None:
        self.memory = memory

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        for enable, address in (
            (memory.write_enable, memory.write_address),
            (memory.read_enable, memory.read_address),
        ):
            m.d.comb += Assert(~enable | (address < memory.depth), "a word that is there")
        return m
