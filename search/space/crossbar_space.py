"""The crossbar tiles that a space allows."""

from typing import Annotated

from pydantic import Field

from kakure.model.config.schema import Schema

from .layer_space import FromList, Sharing

__all__ = ["CrossbarSpace"]


class CrossbarSpace(Schema):
    """Sizes of a crossbar tile; one for the whole accelerator."""

    rows: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Inputs that one column count adds up."""
    columns: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Columns of one polarity."""
