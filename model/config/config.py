"""The configuration: one JSON file that fixes a network and the hardware that runs it."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from kakure.model.config.accelerators.accelerator import AcceleratorConfig
from kakure.model.config.accelerators.spatial import SpatialConfig
from kakure.model.config.accelerators.table import ACCELERATORS
from kakure.model.config.chain import chain
from kakure.model.config.engines.crossbar import CrossbarConfig
from kakure.model.config.engines.layer import MOST_LAYERS, LayerConfig
from kakure.model.config.engines.pe_array import PeArrayConfig
from kakure.model.config.engines.table import LAYERS
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.config.weights.weights import Weights
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import FieldError

from .checks import check_file_name, check_shape
from .json_file import parse, read_text
from .schema import Schema

__all__ = ["Config", "check_density", "json_schema", "load_config", "parse_config"]


class Config(Schema):
    """A network and its hardware."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Letters, digits, dot, hyphen, underscore."""
    dataset: str = Field(min_length=1)
    """digits, fashion-mnist, cifar10, or a folder of idx files or of CIFAR-10's batches,
    relative to this file."""
    input_shape: tuple[int, int, int] | None = None
    """(height, width, channels); needed only where ``dataset`` is a folder."""
    weights: Annotated[Weights, WEIGHTS]
    crossbar: CrossbarConfig = CrossbarConfig()
    pe_array: PeArrayConfig = PeArrayConfig()
    layers: tuple[Annotated[LayerConfig, LAYERS], ...] = Field(min_length=1, max_length=MOST_LAYERS)
    parameters: str | None = Field(default=None, min_length=1)
    """Trained masks and scales (.safetensors), relative to this file."""
    accelerator: Annotated[AcceleratorConfig, ACCELERATORS] = SpatialConfig()
    """How the layers become hardware."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write ``accelerator`` only where it is another: the digest is of what is written."""
        values = written(self)
        if self.accelerator == SpatialConfig():
            values.pop("accelerator", None)
        for layer in values.get("layers", ()):
            if "planes" in layer and layer["planes"] == self.weights.widths:
                layer.pop("planes")  # as if it were left out
        return values

    @field_validator("layers", "input_shape", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _check(self) -> "Config":
        check_shape(self.dataset, self.input_shape)
        check_file_name("dataset", self.dataset)
        check_file_name("parameters", self.parameters)
        self._check_planes()
        for index, layer in enumerate(self.layers):
            layer.check_in(cast(Any, self), index)
        _ = self.geometry
        return self

    def _check_planes(self) -> None:
        most = 0
        for index in range(len(self.layers)):
            try:
                most = max(most, self.weights_of(index).widths)
            except FieldError as error:
                raise FieldError(("layers", index, *error.where), error.rule) from None
        if most < self.weights.widths:
            raise FieldError(
                ("weights", "bits"),
                f"must be {most}, the most planes of a layer, not {self.weights.widths}",
            )

    def weights_of(self, index: int) -> Weights:
        """The weights of a layer: of bitwise ones as many planes as it has."""
        return self.weights.of_layer(self.layers[index].planes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of one input image."""
        return self.input_shape or DATASETS[self.dataset].shape

    @cached_property
    def geometry(self) -> tuple[LayerGeometry, ...]:
        """What follows from the configuration for every layer: sizes, groups, ranges."""
        return chain(cast(Any, self))

    @property
    def image_bits(self) -> int:
        """Width of the activations that the image becomes [bit]."""
        return self.layers[0].read_bits

    def maps_needed_after(self, index: int) -> frozenset[int]:
        """The maps (0 the image, n what layer n − 1 writes) that layers after ``index`` use."""
        later = self.geometry[index + 1 :]
        return frozenset(n for g in later for n in (g.reads, g.adds) if n is not None)

    def at(self, width: int | Sequence[int]) -> "Config":
        """The network with its weights used at a precision of 1 to ``weights.widths`` bits.

        A layer that has fewer uses those that it has. A sequence says layer by layer how many each
        uses, at most what it has.
        """
        has = [self.weights_of(n).widths for n in range(len(self.layers))]
        if isinstance(width, int):
            assert 1 <= width <= self.weights.widths
            if width == self.weights.widths:
                return self
            width = [min(width, planes) for planes in has]
        assert all(1 <= n <= planes for n, planes in zip(width, has, strict=True))
        most = max(width)
        layers = tuple(
            layer.changed(planes=None if planes == most else planes)
            for layer, planes in zip(self.layers, width, strict=True)
        )
        return self.changed(weights=self.weights.at(most), layers=layers)

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
    config.weights.check_density(config.geometry)


SCHEMAS = {
    "": Config,
    "weights": WEIGHTS,
    "crossbar": CrossbarConfig,
    "pe_array": PeArrayConfig,
    "layers": LAYERS,
    "accelerator": ACCELERATORS,
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
