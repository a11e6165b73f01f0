"""The crossbar tiles that a space allows."""

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from kakure.model.config.engines.crossbar import Cells
from kakure.model.config.schema import Schema, without_default

from .layer_space import FromList, Sharing

__all__ = ["CrossbarSpace"]


class CrossbarSpace(Schema):
    """Sizes and cells of a crossbar tile; one for the whole accelerator."""

    rows: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Inputs that one column count adds up."""
    columns: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Columns of one polarity."""
    cells: Annotated[tuple[Cells, ...], FromList] = Field(default=("registers",), min_length=1)
    """What the cells are, as in a configuration."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write ``cells`` only where there is a choice: the digest is of what is written."""
        return without_default(self, "cells", written(self))
