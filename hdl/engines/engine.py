"""What an engine must say of itself to run a layer of an accelerator."""

from collections.abc import Callable, Sequence
from typing import Protocol

from kakure.model.config.config import Config

from .ports import EngineComponent

__all__ = ["Engine", "Push"]

Push = Callable[[int], int]
"""Offer an item from a cycle on; returns the cycle in which it is taken."""


class Engine(Protocol):
    """The hardware of one layer: its component, its time, its size.

    An engine is a folder that implements this beside its hardware, and a line in
    :mod:`kakure.hdl.engines.table`. What stands here with a value holds where an engine says
    nothing else.

    Parameters
    ----------
    config : Config
    index : int
        The layer, which has this engine.
    """

    def __init__(self, config: Config, index: int) -> None: ...

    def component(self) -> EngineComponent:
        """The hardware itself."""
        ...

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What decides the hardware, but for the layer and its geometry: sizes, seeds."""
        return {}

    @property
    def bus_widths(self) -> dict[str, int]:
        """Bits of the widest buses inside, by what they carry."""
        return {}

    @property
    def windows_held(self) -> int:
        """Most windows that it has taken and whose sums have not been taken from it."""
        return 1

    @property
    def cycles_per_vector(self) -> float:
        """Cycles from one window to the next in a steady run: what the requantizer may take."""
        ...

    @property
    def cycles_per_image(self) -> int:
        """Cycles that it is busy with an image when it never waits."""
        ...

    def timing(self, following: Push) -> Push:
        """Follow windows to the cycle: returns the stage's ``push``.

        ``push(t)`` offers a window from cycle t on and returns the cycle in which it is taken;
        sums are given to ``following`` in the same way, which is the only thing to wait for.
        """
        ...

    @property
    def write_cycles(self) -> Sequence[int] | None:
        """Cycles that a word of weights takes, by its row; None where all take one.

        Where there are some, the component has ``written``.
        """
        return None

    @property
    def takes_planes(self) -> bool:
        """Whether it has hardware for bitwise weights, of any number of planes."""
        return False

    @property
    def tiles(self) -> int:
        """Crossbar tiles, copies included."""
        return 0

    @property
    def cells(self) -> int:
        """Cells that hold a weight's sign and mask, copies included."""
        return 0

    @property
    def adders(self) -> int:
        """Sums that are made at the same time, which is about what a simulation costs."""
        ...
