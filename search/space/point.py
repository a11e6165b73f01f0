"""One point of a space: what is chosen once for an accelerator, and every layer's choice."""

from collections.abc import Iterator
from dataclasses import dataclass

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.engines.crossbar import Cells

from .layer_space import LayerChoice, LayerSpace, Option

__all__ = ["Hardware", "Point"]

TURN = Option("pe_array")
"""What a layer is on an array that it takes turns on with others: sums are exact there."""


@dataclass(frozen=True)
class Hardware:
    """What is chosen once for a whole accelerator.

    Attributes
    ----------
    rows, columns : int
        Of a crossbar tile.
    array : TemporalConfig or None
        On which the layers take turns; None where each has hardware of its own.
    cells : str
        Of a crossbar tile.
    """

    rows: int
    columns: int
    array: TemporalConfig | None = None
    cells: Cells = "registers"

    def choices(self, layer: LayerSpace) -> Iterator[LayerChoice]:
        """Every choice of a layer on it."""
        options = self.options(layer)
        return (choice for choice in layer.choices() if choice.option in options)

    def options(self, layer: LayerSpace) -> tuple[Option, ...]:
        """What a layer may choose on it."""
        return layer.options if self.array is None else (TURN,)


@dataclass(frozen=True)
class Point:
    """One point of a space: what is chosen once, and every layer's choice."""

    hardware: Hardware
    layers: tuple[LayerChoice, ...]
