"""The accelerators that a space allows: kinds, and the shapes of an array that layers share."""

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config_error import explain
from kakure.model.config.schema import Schema
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.weights import Weights
from kakure.model.errors import FieldError

from .layer_space import FromList, LayerSpace

__all__ = ["AcceleratorSpace"]

Kind = Literal["spatial", "temporal"]
Size = Annotated[int, Field(ge=1, le=65536)]
Sizes = Annotated[tuple[Size, ...], FromList]

SHAPE = ("inputs", "outputs", "pixels", "batches", "rows")
"""What is chosen of an array."""


class AcceleratorSpace(Schema):
    """Kinds of accelerators, and sizes of the array of a temporal one: every combination."""

    kind: Annotated[tuple[Kind, ...], FromList] = Field(("spatial",), min_length=1)
    """Kinds to choose from; what follows is of temporal ones."""
    inputs: Sizes = Field((64,), min_length=1)
    """Products that an element adds up in a cycle."""
    outputs: Sizes = Field((16,), min_length=1)
    """Output channels of the array."""
    pixels: Sizes = Field((4,), min_length=1)
    """Positions of the array."""
    batches: Sizes = Field((16,), min_length=1)
    """Accumulators of an element."""
    rows: Sizes = Field((4,), min_length=1)
    """Inputs whose weights are made in a cycle, at most."""
    lanes: int | None = Field(None, ge=1)
    """Products of one bit in a cycle, inputs · outputs · pixels: only arrays with so many; any
    number when left out."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write what is of temporal accelerators only where there are such."""
        values = written(self)
        if "temporal" not in self.kind:
            return {"kind": values["kind"]}
        return values

    @model_validator(mode="after")
    def _check(self) -> "AcceleratorSpace":
        for name in ("kind", *SHAPE):
            values = getattr(self, name)
            for value in values:
                if values.count(value) > 1:
                    raise FieldError(name, f"must not repeat {value}")
        if "temporal" not in self.kind:
            for name in (*SHAPE, "lanes"):
                if name in self.model_fields_set:
                    raise FieldError(name, "must be left out without kind temporal")
            return self
        for outputs in self.outputs:
            try:
                TemporalConfig.model_validate({"outputs": outputs})
            except ValidationError as error:
                raise FieldError("outputs", explain(error, {}).said) from None
        if not self.arrays:
            raise FieldError("lanes", f"must be inputs · outputs · pixels of one, not {self.lanes}")
        return self

    @cached_property
    def arrays(self) -> tuple[TemporalConfig, ...]:
        """Every array, in the order of the file's lists; none without temporal accelerators."""
        if "temporal" not in self.kind:
            return ()
        sizes = product(*(getattr(self, name) for name in SHAPE))
        arrays = (
            TemporalConfig.model_validate(dict(zip(SHAPE, one, strict=True))) for one in sizes
        )
        return tuple(array for array in arrays if self.lanes in (None, array.lanes))

    def check(self, layers: Sequence[LayerSpace], weights: Weights) -> None:
        """See that the layers can take turns on an array, where that may be chosen.

        Raises
        ------
        FieldError
            If a layer does not offer the PE array, or an array does not make such weights.
        """
        if not self.arrays:
            return
        for index, layer in enumerate(layers):
            if "pe_array" not in layer.engine:
                rule = "must offer pe_array, as a temporal accelerator's sums are exact"
                raise FieldError(("layers", index, "engine"), rule)
        if not isinstance(weights, HiddenWeights):
            rule = f"must be hidden for a temporal accelerator, not {weights.kind}"
            raise FieldError(("weights", "kind"), rule)
        if weights.generator != "xorshift32":
            rule = f"must be xorshift32 for a temporal accelerator, not {weights.generator}"
            raise FieldError(("weights", "generator"), rule)
