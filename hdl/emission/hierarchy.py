"""Placing a component in its parent: inline in simulation, by name in emitted Verilog."""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

from amaranth.build import Platform as Board
from amaranth.hdl import Instance, ResetInserter, Value
from amaranth.lib import wiring

__all__ = ["Emitter", "Platform", "place"]


class Emitter(ABC):
    """What emission passes to ``elaborate``: it collects every component that is placed."""

    @abstractmethod
    def place(self, component: wiring.Component, reset: Value | None = None) -> Instance:
        """Note the component and return an instance of its module on the component's ports."""


Platform: TypeAlias = Emitter | Board
"""What ``elaborate`` is given where it is not simulated: by emission, or by a board's build."""


def place(
    component: wiring.Component, platform: Platform | None, reset: Value | None = None
) -> Any:
    """Return what a parent adds to ``m.submodules`` for ``component``.

    The parent goes on using the component's ports. In simulation (``platform`` None) and in a
    build for a board that is the component itself. In emission it is an instance of a module
    emitted once for all components of the same class and parameters, so that identical blocks are
    one Verilog file, one synthesis. Where ``reset`` is given, it resets the component as the
    domain's own reset does.
    """
    if isinstance(platform, Emitter):
        return platform.place(component, reset)
    return component if reset is None else ResetInserter(reset)(component)
