"""The temporal accelerator: one array, on which the layers take turns."""

from math import gcd
from typing import Literal, Self

from pydantic import Field, model_validator

from kakure.model.errors import FieldError

from .accelerator import AcceleratorConfig

__all__ = ["SIZES", "TemporalConfig"]

WORD = 32
"""Outputs whose signs are made together."""
SIZES = ("activations", "mask_bits", "channels", "classes", "operations")
"""What limits the networks that an accelerator runs."""


class TemporalConfig(AcceleratorConfig):
    """One bit-serial array of inputs · outputs · pixels, on which the layers take turns."""

    kind: Literal["temporal"] = "temporal"
    inputs: int = Field(64, ge=1, le=65536)
    """Products that an element adds up in a cycle."""
    outputs: int = Field(16, ge=1, le=4096)
    """Output channels of the array: a power of two up to 32, or a multiple of 32."""
    pixels: int = Field(4, ge=1, le=4096)
    """Positions of the array."""
    batches: int = Field(16, ge=1, le=4096)
    """Accumulators of an element: positions for which a weight is used once it is made, each."""
    rows: int = Field(4, ge=1, le=4096)
    """Inputs whose weights are made in a cycle, at most: as many as divide a word's channels."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Of a chip for many networks: its Verilog depends on nothing but these fields, all of which
    are then needed."""
    activations: int | None = Field(None, ge=1, le=1 << 24)
    """Words of each memory of activations; as many as the network needs, when left out."""
    mask_bits: int | None = Field(None, ge=1, le=1 << 32)
    """Bits of the memory of masks; likewise."""
    channels: int | None = Field(None, ge=1, le=1 << 20)
    """Output channels, of all layers, that there is room for; likewise."""
    classes: int | None = Field(None, ge=1, le=1 << 16)
    """Output channels of the last layer that there is room for; likewise."""
    operations: int | None = Field(None, ge=1, le=1 << 15)
    """Layers, and sums of maps, that there is room for; likewise."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for size in SIZES:
            if self.name is not None and getattr(self, size) is None:
                raise FieldError(size, "is required where the accelerator has a name")
        if WORD % self.outputs and self.outputs % WORD:
            rule = f"must be 1, 2, 4, 8, 16, 32 or a multiple of 32, not {self.outputs}"
            raise FieldError("outputs", rule)
        return self

    @classmethod
    def of(cls, accelerator: AcceleratorConfig) -> Self:
        """The same object, for what is made for temporal accelerators only."""
        assert isinstance(accelerator, cls), f"must be temporal, not {accelerator.kind}"
        return accelerator

    @property
    def description(self) -> str:
        """The array in a few words, ``temporal, 64 inputs x 16 outputs x 4 pixels``."""
        sizes = f"{self.inputs} inputs x {self.outputs} outputs x {self.pixels} pixels"
        return f"{self.kind}, {sizes}, {self.batches} accumulators, {self.rows} rows"

    @property
    def lanes(self) -> int:
        """Products of one bit in a cycle."""
        return self.inputs * self.outputs * self.pixels

    @property
    def word(self) -> int:
        """Channels that lie in one word of a memory of activations."""
        return gcd(self.inputs, self.outputs)

    @property
    def many(self) -> int:
        """Inputs whose weights are made in a cycle."""
        return gcd(self.rows, self.word)

    @property
    def slots(self) -> int:
        """Words that an element reads at once, each from a bank of its own."""
        return self.inputs // self.word
