"""The boards that bitstreams are made for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True)
class Target:
    """A board of amaranth-boards with an ECP5 and a UART.

    Attributes
    ----------
    name : str
    module, platform : str
        Where its platform is.
    clock_mhz : float
        What its oscillator gives.
    mhz : float
        The clock of an accelerator where none is asked for.
    """

    name: str
    module: str
    platform: str
    clock_mhz: float
    mhz: float

    def make(self) -> Any:
        """Its platform."""
        platform: Callable[[], Any] = getattr(import_module(self.module), self.platform)
        return platform()


TARGETS = {
    target.name: target
    for target in (
        Target("ulx3s_85f", "amaranth_boards.ulx3s", "ULX3S_85F_Platform", 25.0, 25.0),
        Target("ecpix5_85f", "amaranth_boards.ecpix5", "ECPIX585Platform", 100.0, 25.0),
    )
}
"""A line for each."""
