"""The configuration: one JSON file that fixes a network and the hardware that runs it."""

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from kakure.model.errors import FieldError, UserError
from kakure.model.shown import cut, shown

from .geometry import LayerGeometry, chain
from .json_file import parse, read_text

__all__ = [
    "DATASET_SHAPES",
    "BitwiseWeights",
    "Config",
    "CrossbarConfig",
    "HiddenWeights",
    "LayerConfig",
    "PeArrayConfig",
    "check_density",
    "check_file_name",
    "check_residual",
    "check_shape",
    "json_schema",
    "load_config",
    "parse_config",
]

DATASET_SHAPES = {
    "digits": (8, 8, 1),
    "fashion-mnist": (28, 28, 1),
    "cifar10": (32, 32, 3),
}
"""(height, width, channels) of the data sets known by name; each has ten classes."""

CLASSES = 10


class Schema(BaseModel):
    """Frozen; unknown keys are refused; numbers are never coerced from text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )

    def changed(self, **values: Any) -> Self:
        """The same with other values, checked anew.

        pydantic's ``model_copy`` checks nothing, and keeps what was cached of the old values.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate(fields | values)


class HiddenWeights(Schema):
    """Weights m·s: signs made on chip, a trained supermask m."""

    kind: Literal["hidden"] = "hidden"
    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Seed of the sign generator. With ``xorshift16``, 1 gives the signs of Hiddenite."""
    generator: Literal["xorshift32", "xorshift16"] = "xorshift32"
    """Sign generator; ``xorshift16`` is kept for fidelity, its faults are in docs/numerics.md."""
    density: float = Field(0.5, gt=0.0, le=1.0)
    """Fraction of the weights that training keeps in every layer."""

    def kept(self, weights: int) -> int:
        """How many of a layer's weights training keeps."""
        return round(weights * self.density)


class BitwiseWeights(Schema):
    """Odd integer weights of N planes of ±1, usable at any of 1 to N bits, MSB first."""

    kind: Literal["bitwise"] = "bitwise"
    bits: int = Field(8, ge=1, le=8)
    """Number of planes N [bit]."""


class CrossbarConfig(Schema):
    """Size of one crossbar tile."""

    rows: int = Field(default=64, ge=1, le=1024)
    """Rows R: inputs that one column count adds up."""
    columns: int = Field(default=64, ge=1, le=1024)
    """Columns C of one polarity: outputs of one tile."""


class PeArrayConfig(Schema):
    """Size of one bit-serial PE array."""

    inputs: int = Field(default=16, ge=1, le=256)
    """Inputs that one cycle adds up."""
    outputs: int = Field(default=16, ge=1, le=256)
    """Output channels worked on in parallel."""
    pixels: int = Field(default=16, ge=1, le=256)
    """Output positions that share the weights of one cycle."""


class LayerConfig(Schema):
    """One layer: the network's part (kind, channels, kernel, pool) and its engine."""

    kind: Literal["conv", "linear"]
    """``linear`` reads the whole map as one window."""
    channels: int = Field(ge=1, le=4096)
    """Output channels (XPert: CD)."""
    kernel: int | None = Field(None, ge=1, le=15)
    """Side of the square window; conv only, and required there."""
    padding: int | None = Field(None, ge=0, le=14)
    """Zeros around the map; conv only; (kernel − 1) / 2 rounded down when left out."""
    pool: int = Field(1, ge=1, le=16)
    """Side and stride of the max-pool; rows and columns left over are dropped."""
    engine: Literal["crossbar", "pe_array"]
    input_bits: int = Field(ge=1, le=8)
    """Width of the unsigned activations that this layer reads (XPert: IP) [bit]."""
    column_sharing: int | None = Field(None, ge=1, le=1024)
    """Columns that share one readout (XPert: CS); crossbar only, and required there."""
    adc_type: Literal["flash", "sar"] | None = None
    """Readout (XPert: AT); crossbar only, and required there."""
    adc_bits: int | None = Field(None, ge=1, le=12)
    """Width of a readout's code (XPert: AP) [bit]; crossbar only, and required there."""
    adc_shift: int = Field(0, ge=0, le=8)
    """Bits dropped, rounded half up, before the code saturates; crossbar only."""
    copies: int = Field(1, ge=1, le=64)
    """How often the layer's tiles are repeated to work on several positions; crossbar only."""
    residual: bool = False
    """Whether the layer adds what it reads to what it computes; conv that keeps its map, only."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write ``residual`` only where it is true: the digest is of what is written."""
        values = written(self)
        if not self.residual:
            values.pop("residual", None)
        return values

    @model_validator(mode="after")
    def _check(self) -> "LayerConfig":
        if self.kind == "conv" and self.kernel is None:
            raise FieldError("kernel", "is required for a conv layer")
        if self.kind == "linear":
            for name in ("kernel", "padding"):
                if getattr(self, name) is not None:
                    raise FieldError(name, "must be left out of a linear layer")
            if self.pool != 1:
                raise FieldError("pool", f"must be 1 in a linear layer, not {self.pool}")
        if self.kernel is not None and self.padding is not None and self.padding >= self.kernel:
            raise FieldError("padding", f"must be below kernel = {self.kernel}, not {self.padding}")
        if self.residual:
            check_residual(self.kind, self.kernel, self.padding, self.pool)
        needs = ("column_sharing", "adc_type", "adc_bits")
        if self.engine == "crossbar":
            for name in needs:
                if getattr(self, name) is None:
                    raise FieldError(name, "is required with engine crossbar")
        else:
            for name in needs:
                if getattr(self, name) is not None:
                    raise FieldError(name, "must be left out with engine pe_array")
            if self.adc_shift:
                raise FieldError("adc_shift", "must be left out with engine pe_array")
            if self.copies != 1:
                raise FieldError("copies", "must be left out with engine pe_array")
        return self


def check_shape(dataset: str, input_shape: tuple[int, int, int] | None) -> None:
    """See that the images have a size, and one only.

    Raises
    ------
    ValueError
        If they have none, two, or one out of range.
    """
    if dataset not in DATASET_SHAPES and input_shape is None:
        raise FieldError(
            "input_shape",
            "is required where dataset is not one of "
            f"{', '.join(DATASET_SHAPES)}, but {shown(dataset)}",
        )
    if dataset in DATASET_SHAPES and input_shape is not None:
        raise FieldError("input_shape", f"must be left out with dataset {dataset}")
    if input_shape is not None and not all(1 <= n <= 1024 for n in input_shape):
        raise FieldError(
            "input_shape", f"must be 1 to 1024 in each part, not {cut(str(input_shape))}"
        )


LONGEST_NAME = 255
"""Longest name of a file or folder on Linux [byte]."""


def check_file_name(field: str, text: str | None) -> None:
    """See that a path of the user can be the path of a file, whether or not that is there.

    Raises
    ------
    ValueError
        If it holds what no path may hold, or a part that is too long; the message begins with
        ``field``.
    """
    if text is None:
        return
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise FieldError(field, f"must be a path that a file can have, not {shown(text)}")
    longest = max(encoded.split(b"/"), key=len)
    if len(longest) > LONGEST_NAME:
        raise FieldError(
            field, f"must have names of at most {LONGEST_NAME} bytes, not {len(longest)}"
        )


def check_residual(kind: str, kernel: int | None, padding: int | None, pool: int) -> None:
    """See that a layer may have a shortcut around it: its output has the size of its input.

    Raises
    ------
    ValueError
        If it may not.
    """
    if kind != "conv" or kernel is None:
        raise FieldError("residual", "must be false in a linear layer")
    if pool != 1:
        raise FieldError("pool", f"must be 1 with residual, not {pool}")
    if not kernel % 2:
        raise FieldError("kernel", f"must be odd with residual, not {kernel}")
    half = kernel // 2
    if padding not in (None, half):
        raise FieldError("padding", f"must be {half} with residual, not {padding}")


class Config(Schema):
    """A network and its hardware."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Letters, digits, dot, hyphen, underscore."""
    dataset: str = Field(min_length=1)
    """digits, fashion-mnist, cifar10, or a folder of idx files, relative to this file."""
    input_shape: tuple[int, int, int] | None = None
    """(height, width, channels); needed only where ``dataset`` is a folder."""
    weights: Annotated[HiddenWeights | BitwiseWeights, Field(discriminator="kind")]
    crossbar: CrossbarConfig = CrossbarConfig()
    pe_array: PeArrayConfig = PeArrayConfig()
    layers: tuple[LayerConfig, ...] = Field(min_length=1, max_length=64)
    parameters: str | None = Field(default=None, min_length=1)
    """Trained masks and scales (.safetensors), relative to this file."""

    @field_validator("layers", "input_shape", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _check(self) -> "Config":
        check_shape(self.dataset, self.input_shape)
        check_file_name("dataset", self.dataset)
        check_file_name("parameters", self.parameters)
        for index, layer in enumerate(self.layers):
            sharing = layer.column_sharing
            if sharing is not None and self.crossbar.columns % sharing:
                raise FieldError(
                    ("layers", index, "column_sharing"),
                    f"must divide crossbar.columns = {self.crossbar.columns}, not {sharing}",
                )
        _ = self.geometry
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of one input image."""
        return self.input_shape or DATASET_SHAPES[self.dataset]

    @cached_property
    def geometry(self) -> tuple[LayerGeometry, ...]:
        """What follows from the configuration for every layer: sizes, groups, ranges."""
        return chain(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def check_density(config: Config) -> None:
    """See that training would keep something of every layer.

    Raises
    ------
    UserError
        If the density rounds to no weight at all; the line names the layer and its weights.
    """
    if config.weights.kind != "hidden":
        return
    for geometry in config.geometry:
        if not config.weights.kept(geometry.weights):
            raise UserError(
                f"must keep at least 1 of the {geometry.weights} weights of "
                f"layers[{geometry.index}], not 0, as {config.weights.density} "
                "does",
                where=("weights", "density"),
            )


SCHEMAS = {
    "": Config,
    "weights.hidden": HiddenWeights,
    "weights.bitwise": BitwiseWeights,
    "crossbar": CrossbarConfig,
    "pe_array": PeArrayConfig,
    "layers": LayerConfig,
}
"""The schema of every object of the file."""


def parse_config(text: str, source: str = "config") -> Config:
    """Read a configuration from JSON text.

    Raises
    ------
    UserError
        ``source: field: rule, not value`` for the first thing that is wrong.
    """
    return parse(text, source, Config, SCHEMAS)


def load_config(path: Path | str) -> Config:
    """Read a configuration file.

    Raises
    ------
    UserError
        If the file cannot be read, or is wrong; the line names file, field, rule and value.
    """
    return parse_config(read_text(path), str(path))


def json_schema() -> str:
    """JSON schema of the configuration, for editors."""
    schema = Config.model_json_schema()
    schema["properties"]["$schema"] = {"type": "string", "description": "This schema, for editors."}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
