"""The choices for one layer of a space, and what one choice is."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from kakure.model.config.checks import check_residual
from kakure.model.config.schema import Schema
from kakure.model.errors import FieldError

__all__ = [
    "PLAIN",
    "Form",
    "FromList",
    "LayerChoice",
    "LayerSpace",
    "Option",
    "Sharing",
    "as_tuple",
]

Engine = Literal["crossbar", "pe_array"]
AdcType = Literal["flash", "sar"]


def as_tuple(value: Any) -> Any:
    """Lists of JSON are tuples here."""
    return tuple(value) if isinstance(value, list) else value


def _one_or_list(value: Any) -> Any:
    return as_tuple(value) if isinstance(value, list | tuple) else (value,)


FromList = BeforeValidator(as_tuple)
Pool = Annotated[int, Field(ge=1, le=16)]
OneOrList = BeforeValidator(
    _one_or_list,
    json_schema_input_type=Pool | Annotated[list[Pool], Field(min_length=1)],
)
Sharing = Annotated[int, Field(ge=1, le=1024)]
AdcBits = Annotated[int, Field(ge=1, le=12)]


@dataclass(frozen=True)
class Option:
    """What phase 1 chooses for a layer besides its channels; None and 1 with a PE array."""

    engine: Engine
    adc_type: AdcType | None = None
    column_sharing: int | None = None
    copies: int = 1


@dataclass(frozen=True)
class Form:
    """What phase 1 chooses of the network in one layer: two networks differ in a form."""

    channels: int
    residual: bool = False

    def follows(self, channels: int) -> bool:
        """Whether it can read so many channels: a shortcut joins equal numbers."""
        return not self.residual or self.channels == channels


@dataclass(frozen=True)
class LayerChoice:
    """Everything that is chosen for one layer."""

    channels: int
    option: Option
    input_bits: int
    adc_bits: int | None
    residual: bool = False


class LayerSpace(Schema):
    """One layer: what is fixed, and a list of values for everything that may be chosen.

    Phase 1 assumes the first value of ``input_bits`` and of ``adc_bits``; phase 2 chooses.
    """

    kind: Literal["conv", "linear"]
    """``linear`` reads the whole map as one window."""
    kernel: int | None = Field(None, ge=1, le=15)
    """Side of the square window; conv only, and required there."""
    padding: int | None = Field(None, ge=0, le=14)
    """Zeros around the map; conv only; (kernel − 1) / 2 rounded down when left out."""
    stride: int = Field(1, ge=1, le=2)
    """Distance of windows, down and across; conv only."""
    pool: Annotated[tuple[Pool, ...], OneOrList] = Field((1,), min_length=1)
    """Side and stride of the max-pool: one number, or pooling points to choose from."""
    repeat: Annotated[tuple[Annotated[int, Field(ge=0, le=16)], ...], FromList] = Field(
        (1,), min_length=1
    )
    """How many such layers follow each other, each with choices of its own; the first one strides,
    or sums, and the last one pools."""
    sum_pool: bool = False
    """Whether a linear layer reads the sums of the map's channels instead of the whole map."""
    map_bits: int | None = Field(None, ge=1, le=8)
    """Width of the activations that are summed, ``input_bits`` when left out; sum_pool only
    [bit]."""
    sum_shift: int | None = Field(None, ge=0, le=20)
    """Bits dropped from a sum before it saturates at ``input_bits``; sum_pool only; when left out,
    as few as let every sum fit."""
    adc_shift: int = Field(0, ge=0, le=8)
    """Bits that every crossbar readout of the layer drops."""
    channels: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], FromList] = Field(
        min_length=1
    )
    """Output channels (XPert: CD)."""
    engine: Annotated[tuple[Engine, ...], FromList] = Field(default=("crossbar",), min_length=1)
    """Engines to choose from."""
    input_bits: Annotated[tuple[Annotated[int, Field(ge=1, le=8)], ...], FromList] = Field(
        min_length=1
    )
    """Widths of the activations read (XPert: IP); phase 1 assumes the first [bit]."""
    column_sharing: Annotated[tuple[Sharing, ...], FromList] = ()
    """Columns that share one readout (XPert: CS); required with engine crossbar."""
    adc_type: Annotated[tuple[AdcType, ...], FromList] = ()
    """Readouts (XPert: AT); required with engine crossbar."""
    adc_bits: Annotated[tuple[AdcBits, ...], FromList] = ()
    """Widths of a readout's code (XPert: AP); phase 1 assumes the first; with crossbar [bit]."""
    copies: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], FromList] = Field(
        (1,), min_length=1
    )
    """How often the layer's tiles are repeated; engine crossbar only."""
    residual: Annotated[tuple[bool, ...], FromList] = Field((False,), min_length=1)
    """Whether what the layer reads is added to what it computes; conv that keeps its map, only."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write what chooses a family only where it does: the digest is of what is written."""
        values = written(self)
        if self.residual == (False,):
            values.pop("residual", None)
        if self.repeat == (1,):
            values.pop("repeat", None)
        for name, default in PLAIN.items():
            if getattr(self, name) == default:
                values.pop(name, None)
        if len(self.pool) == 1 and "pool" in values:
            values["pool"] = self.pool[0]
        return values

    @model_validator(mode="after")
    def _check(self) -> "LayerSpace":
        if self.kind == "conv" and self.kernel is None:
            raise FieldError("kernel", "is required for a conv layer")
        if self.kind == "linear" and self.pool != (1,):
            raise FieldError("pool", f"must be 1 in a linear layer, not {max(self.pool)}")
        if self.kind == "linear" and self.stride != 1:
            raise FieldError("stride", f"must be 1 in a linear layer, not {self.stride}")
        if self.kind == "conv" and self.sum_pool:
            raise FieldError("sum_pool", "must be false in a conv layer")
        for name in ("map_bits", "sum_shift"):
            if getattr(self, name) is not None and not self.sum_pool:
                raise FieldError(name, "must be left out without sum_pool")
        if True in self.residual:
            is_one = max(self.repeat) <= 1
            pool, stride = (min(self.pool), self.stride) if is_one else (1, 1)
            check_residual(self.kind, self.kernel, self.padding, pool, stride)
        for name in (*CHOICES, "engine"):
            values = getattr(self, name)
            for value in values:
                if values.count(value) > 1:
                    raise FieldError(name, f"must not repeat {value}")
        needs = ("column_sharing", "adc_type", "adc_bits")
        if "crossbar" in self.engine:
            for name in needs:
                if not getattr(self, name):
                    raise FieldError(name, "is required with engine crossbar")
        else:
            for name in needs:
                if getattr(self, name):
                    raise FieldError(name, "must be left out without engine crossbar")
            if self.copies != (1,) or self.adc_shift:
                name = "adc_shift" if self.adc_shift else "copies"
                raise FieldError(name, "must be left out without engine crossbar")
        return self

    @property
    def is_fixed(self) -> bool:
        """Whether it is one layer with one pool."""
        return len(self.pool) == 1 and self.repeat == (1,)

    @property
    def window(self) -> tuple[str | int | None, ...]:
        """What of the network is fixed in a layer of one pool."""
        later = (getattr(self, name) for name in PLAIN)
        return (self.kind, self.kernel, self.padding, self.pool[0], *later)

    def fixed(self, pool: int, repeat: int) -> "tuple[LayerSpace, ...]":
        """The layers that it is with this pool, so many; what strides or pools has no shortcut."""
        layers = []
        for number in range(repeat):
            changes: dict[str, Any] = {} if number == 0 else dict(PLAIN)
            strides = number == 0 and self.stride > 1
            pools = number == repeat - 1 and pool > 1
            if strides or pools:
                changes["residual"] = (False,)
            pools_here = (pool if pools else 1,)
            layers.append(self.changed(pool=pools_here, repeat=(1,), **changes))
        return tuple(layers)

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """What phase 1 may choose besides the channels, in the order of the file's lists."""
        crossbar = [
            Option("crossbar", adc_type, sharing, copies)
            for adc_type, sharing, copies in product(
                self.adc_type, self.column_sharing, self.copies
            )
        ]
        groups = {"crossbar": crossbar, "pe_array": [Option("pe_array")]}
        return tuple(option for engine in self.engine for option in groups[engine])

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """What phase 1 may choose of the network, in the order of the file's lists."""
        return tuple(Form(*form) for form in product(self.channels, self.residual))

    def choice(self, channels: int, option: Option, residual: bool = False) -> LayerChoice:
        """A choice at the precision that phase 1 assumes."""
        adc_bits = self.adc_bits[0] if option.engine == "crossbar" else None
        return LayerChoice(channels, option, self.input_bits[0], adc_bits, residual)

    def choices(self) -> Iterator[LayerChoice]:
        """Every choice of the layer."""
        for form, option, bits in product(self.forms, self.options, self.input_bits):
            for adc_bits in self.adc_bits if option.engine == "crossbar" else (None,):
                yield LayerChoice(form.channels, option, bits, adc_bits, form.residual)

    @property
    def size(self) -> int:
        """Number of choices of the layer."""
        crossbar = len(self.adc_type) * len(self.column_sharing) * len(self.copies)
        options = crossbar * len(self.adc_bits) * ("crossbar" in self.engine)
        options += "pe_array" in self.engine
        return len(self.forms) * options * len(self.input_bits)


PLAIN: dict[str, Any] = {"stride": 1, "sum_pool": False, "map_bits": None, "sum_shift": None}
"""Keys that old files do not know, and what leaves a layer as it was."""

CHOICES = (
    "channels",
    "input_bits",
    "column_sharing",
    "adc_type",
    "adc_bits",
    "copies",
    "residual",
    "pool",
    "repeat",
)
"""The knobs of a layer that are lists in the file."""
