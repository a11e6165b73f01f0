"""A layer on a bit-serial array of processing elements, whose sums are exact."""

from typing import Any, Literal

from pydantic import Field

from kakure.model.config.schema import Schema

from .layer import LayerConfig

__all__ = ["PeArrayConfig", "PeArrayLayer"]


class PeArrayConfig(Schema):
    """Size of one bit-serial PE array."""

    inputs: int = Field(default=16, ge=1, le=256)
    """Inputs that one cycle adds up."""
    outputs: int = Field(default=16, ge=1, le=256)
    """Output channels worked on in parallel."""
    pixels: int = Field(default=16, ge=1, le=256)
    """Output positions that share the weights of one cycle."""


class PeArrayLayer(LayerConfig):
    """A layer on a bit-serial PE array."""

    engine: Literal["pe_array"]
    """Bit-serial processing elements; the weights are made anew for every batch of positions."""

    def _written_as_unused(self) -> dict[str, Any]:
        """Keys that belong to a crossbar: older digests are of what was written with them."""
        return {
            "column_sharing": None,
            "adc_type": None,
            "adc_bits": None,
            "adc_shift": 0,
            "copies": 1,
        }
