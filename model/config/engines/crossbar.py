"""A layer on a crossbar, whose column counts pass through saturating readouts."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.schema import Schema, without_default
from kakure.model.errors import FieldError
from kakure.model.reference.crossbar import channel_peaks, crossbar, crossbar_bitwise

from .layer import IntArray, LayerConfig
from .row_groups import code_peak, row_groups

if TYPE_CHECKING:
    from kakure.model.config.config import Config

__all__ = ["Cells", "CrossbarConfig", "CrossbarLayer"]

Cells = Literal["registers", "memory"]
"""What the cells of a crossbar may be."""


class CrossbarConfig(Schema):
    """Size of one crossbar tile."""

    rows: int = Field(default=64, ge=1, le=1024)
    """Rows R: inputs that one column count adds up."""
    columns: int = Field(default=64, ge=1, le=1024)
    """Columns C of one polarity: outputs of one tile."""
    cells: Cells = "registers"
    """What the cells are: flip-flops, or words of a memory where a tile has 32 words or more."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write ``cells`` only where they are others: the digest is of what is written."""
        return without_default(self, "cells", written(self))


class CrossbarLayer(LayerConfig):
    """A layer on crossbar tiles; its columns share readouts."""

    engine: Literal["crossbar"]
    """Tiles of cells whose columns are counted, and read out by saturating converters."""
    column_sharing: int = Field(ge=1, le=1024)
    """Columns that share one readout (XPert: CS)."""
    adc_type: Literal["flash", "sar"]
    """Readout (XPert: AT)."""
    adc_bits: int = Field(ge=1, le=12)
    """Width of a readout's code (XPert: AP) [bit]."""
    adc_shift: int = Field(0, ge=0, le=8)
    """Bits dropped, rounded half up, before the code saturates."""
    copies: int = Field(1, ge=1, le=64)
    """How often the layer's tiles are repeated to work on several positions."""

    def check_in(self, config: "Config", index: int) -> None:
        """See that whole readouts fit a tile; FieldError if not."""
        if config.crossbar.columns % self.column_sharing:
            raise FieldError(
                ("layers", index, "column_sharing"),
                f"must divide crossbar.columns = {config.crossbar.columns}, "
                f"not {self.column_sharing}",
            )

    @property
    def description(self) -> str:
        """The engine in a few words, ``crossbar flash 4b``."""
        return f"crossbar {self.adc_type} {self.adc_bits}b"

    @property
    def is_exact(self) -> bool:
        """Codes round and saturate."""
        return False

    def groups(self, config: "Config", fan_in: int) -> tuple[int, ...]:
        """Rows of each row group; their sum is ``fan_in``."""
        return row_groups(fan_in, config.crossbar.rows)

    def check_groups(self, index: int, groups: tuple[int, ...]) -> None:
        """See that the shift leaves something of a count; FieldError if not."""
        if self.peak(groups) == 0:
            raise FieldError(
                ("layers", index, "adc_shift"),
                f"must leave something of a count of {max(groups)} rows, not {self.adc_shift}",
            )

    def peak(self, groups: tuple[int, ...]) -> int:
        """Largest sum, for inputs of one bit and weights in {−1, 0, 1}."""
        return sum(code_peak(rows, self.adc_bits, self.adc_shift) for rows in groups)

    def rounding(self, groups: tuple[int, ...]) -> int:
        """What rounding adds at most to an exact sum of inputs of one bit."""
        return len(groups) << self.adc_shift if self.adc_shift else 0

    def sums(self, config: "Config", x: IntArray, w: IntArray) -> NDArray[np.int64]:
        """Sums through saturating readouts, (n, f) x (f, c) -> (n, c)."""
        return crossbar(
            x,
            w,
            rows=config.crossbar.rows,
            input_bits=self.input_bits,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
        )

    def bitwise_sums(
        self, config: "Config", x: IntArray, u: IntArray, bits: int
    ) -> NDArray[np.int64]:
        """Sums through readouts of one column a plane, (n, f) x (f, c) -> (n, c)."""
        return crossbar_bitwise(
            x,
            u,
            bits=bits,
            rows=config.crossbar.rows,
            input_bits=self.input_bits,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
        )

    def plain_sum(self, groups: tuple[int, ...], window: list[int], column: list[int]) -> int:
        """One sum of :meth:`sums`, a number at a time: what a person can check."""
        largest = (1 << self.adc_bits) - 1
        half = (1 << self.adc_shift) >> 1
        total = start = 0
        for rows in groups:
            for plane in range(self.input_bits):
                counts = [0, 0]
                for r in range(start, start + rows):
                    if window[r] >> plane & 1 and column[r]:
                        counts[column[r] < 0] += 1
                up, down = (min((n + half) >> self.adc_shift, largest) for n in counts)
                total += (up - down) << (plane + self.adc_shift)
            start += rows
        return total

    def channel_peaks(self, geometry: LayerGeometry, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Magnitude that no sum of hidden weights exceeds, whatever the signs, (f, c) -> (c,)."""
        return channel_peaks(
            mask,
            groups=geometry.groups,
            input_bits=self.input_bits,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
        )
