"""One layer of the network: what it computes, whatever engine runs it."""

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kakure.model.config.checks import check_residual
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.schema import KindName, Schema
from kakure.model.errors import FieldError, UserError
from kakure.model.reference.crossbar import bitwise_value, channel_peaks
from kakure.model.reference.pe_array import pe_array

if TYPE_CHECKING:
    from kakure.model.config.config import Config

__all__ = ["MOST_LAYERS", "LayerConfig"]

IntArray = NDArray[np.integer]

MOST_LAYERS = 64
"""Layers of a network, at most."""

LATER: dict[str, Any] = {
    "stride": 1,
    "sum_pool": False,
    "map_bits": None,
    "sum_shift": None,
    "reads": 1,
    "residual": False,
    "planes": None,
}
"""Keys that old files do not know, and what leaves a layer as it was."""


class LayerConfig(Schema):
    """One layer: the network's part (kind, channels, kernel, pool); its engine is a subclass.

    Add the subclass to :data:`kakure.model.config.engines.table.LAYERS`. What this class says of an
    engine holds where its sums are exact; an engine that rounds says otherwise.
    """

    kind: Literal["conv", "linear"]
    """``linear`` reads the whole map as one window."""
    channels: int = Field(ge=1, le=4096)
    """Output channels (XPert: CD)."""
    kernel: int | None = Field(None, ge=1, le=15)
    """Side of the square window; conv only, and required there."""
    padding: int | None = Field(None, ge=0, le=14)
    """Zeros around the map; conv only; (kernel − 1) / 2 rounded down when left out."""
    stride: int = Field(1, ge=1, le=2)
    """Distance of windows, down and across; conv only."""
    pool: int = Field(1, ge=1, le=16)
    """Side and stride of the max-pool; rows and columns left over are dropped."""
    sum_pool: bool = False
    """Whether a linear layer reads the sums of the map's channels instead of the whole map."""
    map_bits: int | None = Field(None, ge=1, le=8)
    """Width of the activations that are summed, ``input_bits`` when left out; sum_pool only
    [bit]."""
    sum_shift: int | None = Field(None, ge=0, le=20)
    """Bits dropped from a sum before it saturates at ``input_bits``; sum_pool only; when left out,
    as few as let every sum fit."""
    engine: KindName
    """What computes the sums."""
    input_bits: int = Field(ge=1, le=8)
    """Width of the unsigned activations that this layer reads (XPert: IP) [bit]."""
    reads: int = Field(1, ge=1, le=64)
    """Which map the layer reads: 1 is what the layer before it wrote, 2 what that one's
    predecessor wrote, or the image."""
    residual: bool | int = False
    """Whether the layer adds what it reads to what it computes; a number, over how many layers:
    2 adds the map two layers back, as in a block of two. Conv, and both maps of one size."""
    planes: int | None = Field(None, ge=1, le=8)
    """Planes of bitwise weights that this layer has, the most significant ones; ``weights.bits``,
    which some layer must have, when left out."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write what came later last, and only where it says something: the digest is of this."""
        values = written(self)
        later = {name: values.pop(name, default) for name, default in LATER.items()}
        values |= self._written_as_unused()
        return values | {name: later[name] for name in LATER if later[name] != LATER[name]}

    def _written_as_unused(self) -> dict[str, Any]:
        """Keys of other engines that this one's layers have always been written with."""
        return {}

    @field_validator("residual", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        """One layer is what ``true`` says."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, int) or not 1 <= value <= MOST_LAYERS:
            rule = f"must be true, false, or a number of layers, 1 to {MOST_LAYERS}"
            raise PydanticCustomError("rule", "{rule}", {"rule": rule})
        return True if value == 1 else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "conv" and self.kernel is None:
            raise FieldError("kernel", "is required for a conv layer")
        if self.kind == "linear":
            for name in ("kernel", "padding"):
                if getattr(self, name) is not None:
                    raise FieldError(name, "must be left out of a linear layer")
            for name in ("pool", "stride"):
                if getattr(self, name) != 1:
                    raise FieldError(
                        name, f"must be 1 in a linear layer, not {getattr(self, name)}"
                    )
        elif self.sum_pool:
            raise FieldError("sum_pool", "must be false in a conv layer")
        if not self.sum_pool:
            for name in ("map_bits", "sum_shift"):
                if getattr(self, name) is not None:
                    raise FieldError(name, "must be left out without sum_pool")
        if self.kernel is not None and self.padding is not None and self.padding >= self.kernel:
            raise FieldError("padding", f"must be below kernel = {self.kernel}, not {self.padding}")
        if self.residual is True and self.reads == 1:
            check_residual(self.kind, self.kernel, self.padding, self.pool, self.stride)
        elif self.residual and self.kind != "conv":
            raise FieldError("residual", "must be false in a linear layer")
        return self

    @classmethod
    def of(cls, config: "Config", index: int) -> Self:
        """A layer that is known to have this engine."""
        layer = config.layers[index]
        assert isinstance(layer, cls), f"layers[{index}].engine must be another, not {layer.engine}"
        return layer

    def check_in(self, config: "Config", index: int) -> None:
        """See that the layer fits the rest of its configuration; FieldError if not."""

    @property
    def read_bits(self) -> int:
        """Width of the map that the layer reads, before it sums it [bit]."""
        return self.map_bits or self.input_bits

    @property
    def description(self) -> str:
        """The engine in a few words."""
        return self.engine

    @property
    def is_exact(self) -> bool:
        """Whether the sums are those of a matrix product."""
        return True

    def groups(self, config: "Config", fan_in: int) -> tuple[int, ...]:
        """Rows that are added up at once; their sum is ``fan_in``."""
        return (fan_in,)

    def check_groups(self, index: int, groups: tuple[int, ...]) -> None:
        """See that a sum can be another than 0; FieldError if not."""

    def peak(self, groups: tuple[int, ...]) -> int:
        """Largest sum, for inputs of one bit and weights in {−1, 0, 1}."""
        return sum(groups)

    def rounding(self, groups: tuple[int, ...]) -> int:
        """What rounding adds at most to an exact sum of inputs of one bit."""
        return 0

    def sums(self, config: "Config", x: IntArray, w: IntArray) -> NDArray[np.int64]:
        """Sums of inputs and weights in {−1, 0, 1}, (n, f) x (f, c) -> (n, c)."""
        return pe_array(x, w)

    def bitwise_sums(
        self, config: "Config", x: IntArray, u: IntArray, bits: int
    ) -> NDArray[np.int64]:
        """Sums of inputs and bitwise weights of codes 0 .. 2^bits − 1, (n, f) x (f, c) -> (n, c).

        Raises
        ------
        UserError
            If the engine rounds, and does not say how it reads such weights out.
        """
        if not self.is_exact:
            raise UserError("must be exact for bitwise weights", where=("engine",))
        return pe_array(x, bitwise_value(u, bits))

    def plain_sum(self, groups: tuple[int, ...], window: list[int], column: list[int]) -> int:
        """One sum of :meth:`sums`, a number at a time: what a person can check."""
        return sum(v * w for v, w in zip(window, column, strict=True))

    def channel_peaks(self, geometry: LayerGeometry, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Magnitude that no sum of hidden weights exceeds, whatever the signs, (f, c) -> (c,)."""
        return channel_peaks(mask, groups=geometry.groups, input_bits=self.input_bits)
