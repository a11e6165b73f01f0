"""The space of a search: a network family and, layer by layer, what may be chosen."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from model.config import (
    BitwiseWeights,
    Config,
    HiddenWeights,
    PeArrayConfig,
    Schema,
)
from model.config_error import explain
from model.json_file import parse, read_text

__all__ = [
    "Effort",
    "LayerChoice",
    "LayerSpace",
    "Option",
    "Point",
    "Space",
    "describe",
    "json_schema",
    "load_space",
    "parse_space",
]

Engine = Literal["crossbar", "pe_array"]
AdcType = Literal["flash", "sar"]
Objective = Literal["latency", "interval"]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


FromList = BeforeValidator(_as_tuple)
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
class LayerChoice:
    """Everything that is chosen for one layer."""

    channels: int
    option: Option
    input_bits: int
    adc_bits: int | None


@dataclass(frozen=True)
class Point:
    """One point of a space: the crossbar's size and every layer's choice."""

    rows: int
    columns: int
    layers: tuple[LayerChoice, ...]


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
    pool: int = Field(1, ge=1, le=16)
    """Side and stride of the max-pool: the family's pooling points."""
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

    @model_validator(mode="after")
    def _check(self) -> "LayerSpace":
        for name in (*CHOICES, "engine"):
            values = getattr(self, name)
            for value in values:
                if values.count(value) > 1:
                    raise ValueError(f"{name} must not repeat {value}")
        needs = ("column_sharing", "adc_type", "adc_bits")
        if "crossbar" in self.engine:
            for name in needs:
                if not getattr(self, name):
                    raise ValueError(f"{name} is required with engine crossbar")
        else:
            for name in needs:
                if getattr(self, name):
                    raise ValueError(f"{name} must be left out without engine crossbar")
            if self.copies != (1,) or self.adc_shift:
                name = "adc_shift" if self.adc_shift else "copies"
                raise ValueError(f"{name} must be left out without engine crossbar")
        return self

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

    def choice(self, channels: int, option: Option) -> LayerChoice:
        """A choice at the precision that phase 1 assumes."""
        adc_bits = self.adc_bits[0] if option.engine == "crossbar" else None
        return LayerChoice(channels, option, self.input_bits[0], adc_bits)

    def choices(self) -> Iterator[LayerChoice]:
        """Every choice of the layer."""
        for channels, option, bits in product(self.channels, self.options, self.input_bits):
            for adc_bits in self.adc_bits if option.engine == "crossbar" else (None,):
                yield LayerChoice(channels, option, bits, adc_bits)

    @property
    def size(self) -> int:
        """Number of choices of the layer."""
        crossbar = len(self.adc_type) * len(self.column_sharing) * len(self.copies)
        options = crossbar * len(self.adc_bits) * ("crossbar" in self.engine)
        options += "pe_array" in self.engine
        return len(self.channels) * options * len(self.input_bits)


CHOICES = ("channels", "input_bits", "column_sharing", "adc_type", "adc_bits", "copies")
"""The knobs of a layer that are lists in the file."""


class CrossbarSpace(Schema):
    """Sizes of a crossbar tile; one for the whole accelerator."""

    rows: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Inputs that one column count adds up."""
    columns: Annotated[tuple[Sharing, ...], FromList] = Field(default=(64,), min_length=1)
    """Columns of one polarity."""


class Effort(Schema):
    """How much a search spends, and which accuracy it may give up."""

    candidates: int = Field(default=4, ge=1, le=64)
    """Best networks of phase 1 that are scored."""
    score: Literal["training", "naswot", "parameters"] = "training"
    """What chooses among them: accuracy after a short training, NASWOT, or the network's size."""
    score_epochs: int = Field(default=3, ge=1, le=1000)
    """Length of the short training."""
    epochs: int = Field(default=20, ge=1, le=1000)
    """Length of the chosen network's training."""
    tuning_epochs: int = Field(default=2, ge=1, le=1000)
    """Length of the fine-tuning at another precision."""
    precisions: int = Field(default=24, ge=1, le=10_000)
    """Precisions whose accuracy phase 2 measures, at most."""
    accuracy_loss: float = Field(default=0.01, ge=0, lt=1)
    """How far the accuracy may fall below that at the precision which phase 1 assumes."""


class Space(Schema):
    """A network family, its hardware's choices, and what phase 1 is to find there."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Letters, digits, dot, hyphen, underscore."""
    dataset: str = Field(min_length=1)
    """digits, fashion-mnist, cifar10, or a folder of idx files, relative to this file."""
    input_shape: tuple[int, int, int] | None = None
    """(height, width, channels); needed only where ``dataset`` is a folder."""
    weights: Annotated[HiddenWeights | BitwiseWeights, Field(discriminator="kind")]
    crossbar: CrossbarSpace = CrossbarSpace()
    pe_array: PeArrayConfig = PeArrayConfig()
    objective: Objective = "latency"
    """Least sum of the layers' times, or least time from one result to the next: their maximum."""
    area_um2: float | None = Field(None, gt=0, le=1e12, allow_inf_nan=False)
    """Bound on the area; none when left out [µm²]."""
    least_weights: int = Field(0, ge=0)
    """Bound from below on the network's weights: without one, the smallest network wins."""
    effort: Effort = Effort()
    layers: tuple[LayerSpace, ...] = Field(min_length=1, max_length=64)

    @field_validator("layers", "input_shape", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return _as_tuple(value)

    @model_validator(mode="after")
    def _check(self) -> "Space":
        for index, layer in enumerate(self.layers):
            for columns, sharing in product(self.crossbar.columns, layer.column_sharing):
                if columns % sharing:
                    raise ValueError(
                        f"layers[{index}].column_sharing must divide crossbar.columns = "
                        f"{columns}, not {sharing}"
                    )
        try:
            _ = self.probe
        except ValidationError as error:
            field, _, rule = explain(error, {}).partition(": ")
            raise ValueError(f"{field} {rule}") from None
        return self

    @cached_property
    def probe(self) -> Config:
        """The first point: the maps, windows and pools are those of every other one too."""
        layers = tuple(layer.choice(layer.channels[0], layer.options[0]) for layer in self.layers)
        return self._config(
            Point(self.crossbar.rows[0], self.crossbar.columns[0], layers), self.name
        )

    def config(self, point: Point, name: str | None = None) -> Config:
        """The configuration of a point.

        Raises
        ------
        ValueError
            If the point does not lie in the space.
        """
        for field in ("rows", "columns"):
            self._expect(f"crossbar.{field}", getattr(point, field), getattr(self.crossbar, field))
        for index, (layer, choice) in enumerate(zip(self.layers, point.layers, strict=True)):
            path = f"layers[{index}]"
            self._expect(f"{path}.channels", choice.channels, layer.channels)
            self._expect(f"{path}.option", choice.option, layer.options)
            self._expect(f"{path}.input_bits", choice.input_bits, layer.input_bits)
            is_crossbar = choice.option.engine == "crossbar"
            self._expect(
                f"{path}.adc_bits", choice.adc_bits, layer.adc_bits if is_crossbar else (None,)
            )
        return self._config(point, name or self.name)

    @staticmethod
    def _expect(path: str, value: Any, values: tuple[Any, ...]) -> None:
        if value not in values:
            raise ValueError(f"{path} must be one of {', '.join(map(str, values))}, not {value}")

    def _config(self, point: Point, name: str) -> Config:
        layers = []
        for layer, choice in zip(self.layers, point.layers, strict=True):
            fixed = layer.model_dump(include={"kind", "kernel", "padding", "pool"})
            shift = layer.adc_shift if choice.option.engine == "crossbar" else 0
            layers.append({
                **fixed,
                **asdict(choice.option),
                "channels": choice.channels,
                "input_bits": choice.input_bits,
                "adc_bits": choice.adc_bits,
                "adc_shift": shift,
            })
        return Config.model_validate({
            "name": name,
            "dataset": self.dataset,
            "input_shape": self.input_shape,
            "weights": self.weights.model_dump(),
            "crossbar": {"rows": point.rows, "columns": point.columns},
            "pe_array": self.pe_array.model_dump(),
            "layers": layers,
        })

    def points(self) -> Iterator[Point]:
        """Every point, for spaces small enough to be walked."""
        for rows, columns in product(self.crossbar.rows, self.crossbar.columns):
            for layers in product(*(tuple(layer.choices()) for layer in self.layers)):
                yield Point(rows, columns, layers)

    @property
    def size(self) -> int:
        """Number of points."""
        tiles = len(self.crossbar.rows) * len(self.crossbar.columns)
        return tiles * math.prod(layer.size for layer in self.layers)

    @property
    def phase1_size(self) -> int:
        """Number of points at the precision that phase 1 assumes."""
        tiles = len(self.crossbar.rows) * len(self.crossbar.columns)
        return tiles * math.prod(len(layer.channels) * len(layer.options) for layer in self.layers)

    @property
    def channel_lists(self) -> int:
        """Number of networks."""
        return math.prod(len(layer.channels) for layer in self.layers)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


SCHEMAS = {
    "": Space,
    "weights.hidden": HiddenWeights,
    "weights.bitwise": BitwiseWeights,
    "crossbar": CrossbarSpace,
    "pe_array": PeArrayConfig,
    "effort": Effort,
    "layers": LayerSpace,
}
"""The schema of every object of the file."""


def parse_space(text: str, source: str = "space") -> Space:
    """Read a space from JSON text.

    Raises
    ------
    UserError
        ``source: field: rule, not value`` for the first thing that is wrong.
    """
    return parse(text, source, Space, SCHEMAS)


def load_space(path: Path | str) -> Space:
    """Read a file that describes a space; UserError names file, field, rule and value."""
    return parse_space(read_text(path), str(path))


def json_schema() -> str:
    """JSON schema of a space, for editors."""
    return json.dumps(Space.model_json_schema(), indent=2, sort_keys=True) + "\n"


def describe(space: Space) -> str:
    """What there is to choose from, in a few lines."""
    return "\n".join([
        f"{space.name}  {space.digest[:12]}",
        f"layers      {len(space.layers)}",
        f"networks    {space.channel_lists:.4g}",
        f"phase 1     {space.phase1_size:.4g} points",
        f"whole       {space.size:.4g} points",
    ])
