"""One point of a sweep: a block with its parameters, and how its vectors are made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

__all__ = ["Point"]


@dataclass(frozen=True)
class Point:
    """A block and what it is tested with.

    Attributes
    ----------
    block : str
        Name of the block's module in :mod:`hdl`; its bench is ``bench_<block>``.
    parameters : dict
        What tells the point from the others of the block.
    make : function
        Returns the component.
    save_vectors : function of a path
        Writes stimuli and golden results, made by :mod:`kakure.model.reference.network`, for the
        bench.
    is_quick : bool
        Whether it is one of the few that run on every change.
    """

    block: str
    parameters: dict[str, Any]
    make: Callable[[], wiring.Component]
    save_vectors: Callable[[Path], None]
    is_quick: bool = False

    @property
    def name(self) -> str:
        """Block and parameters, readable."""
        return " ".join([self.block, *(f"{key}={value}" for key, value in self.parameters.items())])
