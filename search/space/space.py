"""The space of a search: a network family and, layer by layer, what may be chosen."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from kakure.model.config.checks import check_file_name, check_shape
from kakure.model.config.config import Config
from kakure.model.config.config_error import explain
from kakure.model.config.engines.pe_array import PeArrayConfig
from kakure.model.config.schema import Schema
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.config.weights.weights import Weights
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import FieldError, FieldPath

from .accelerator_space import AcceleratorSpace
from .crossbar_space import CrossbarSpace
from .effort import Effort
from .families import check_shortcuts, fixed_layers
from .layer_space import PLAIN, Form, LayerSpace, as_tuple
from .point import Hardware, Point

__all__ = ["Objective", "Space"]

Objective = Literal["latency", "interval"]


MOST_FAMILIES = 256
"""Of a space: each is solved by itself."""


class Space(Schema):
    """A network family, its hardware's choices, and what phase 1 is to find there."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Letters, digits, dot, hyphen, underscore."""
    dataset: str = Field(min_length=1)
    """digits, fashion-mnist, cifar10, or a folder of idx files, relative to this file."""
    input_shape: tuple[int, int, int] | None = None
    """(height, width, channels); needed only where ``dataset`` is a folder."""
    weights: Annotated[Weights, WEIGHTS]
    crossbar: CrossbarSpace = CrossbarSpace()
    accelerator: AcceleratorSpace = AcceleratorSpace.model_validate({})
    pe_array: PeArrayConfig = PeArrayConfig()
    objective: Objective = "latency"
    """Least sum of the layers' times, or least time from one result to the next: their maximum."""
    area_um2: float | None = Field(None, gt=0, le=1e12, allow_inf_nan=False)
    """Bound on the area; none when left out [µm²]."""
    least_weights: int = Field(0, ge=0)
    """Bound from below on the network's weights: without one, the smallest network wins."""
    effort: Effort = Effort()
    layers: tuple[LayerSpace, ...] = Field(min_length=1, max_length=64)

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the accelerator only where there is a choice: the digest is of what is written."""
        values = written(self)
        if self.accelerator.kind == ("spatial",):
            values.pop("accelerator", None)
        return values

    @field_validator("layers", "input_shape", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return as_tuple(value)

    @model_validator(mode="after")
    def _check(self) -> "Space":
        for index, layer in enumerate(self.layers):
            for columns, sharing in product(self.crossbar.columns, layer.column_sharing):
                if columns % sharing:
                    raise FieldError(
                        ("layers", index, "column_sharing"),
                        f"must divide crossbar.columns = {columns}, not {sharing}",
                    )
        self.accelerator.check(self.layers, self.weights)
        if any(self.layers[-1].residual):
            raise FieldError(
                ("layers", len(self.layers) - 1, "residual"), "must be false in the last layer"
            )
        check_shape(self.dataset, self.input_shape)
        check_file_name("dataset", self.dataset)
        if all(layer.is_fixed for layer in self.layers):
            try:
                check_shortcuts(self.layers, self.shape[2])
                _ = self.probe
            except ValidationError as error:
                found = explain(error, {})
                raise FieldError(found.where, found.said) from None
        else:
            _ = self.families
        return self

    @cached_property
    def hardware(self) -> tuple[Hardware, ...]:
        """All that may be chosen once: crossbars, then arrays."""
        found, tiles = [], self.crossbar
        if "spatial" in self.accelerator.kind:
            found += [
                Hardware(rows, columns, cells=cells)
                for rows, columns, cells in product(tiles.rows, tiles.columns, tiles.cells)
            ]
        first = Hardware(tiles.rows[0], tiles.columns[0], cells=tiles.cells[0])
        return (*found, *(replace(first, array=array) for array in self.accelerator.arrays))

    @cached_property
    def families(self) -> "tuple[Space, ...]":
        """The space for each choice of pools and depth that fits, in the order of the file's lists.

        Raises
        ------
        ValueError
            If there are too many, or none fits: then it says what is wrong with the first.
        """
        if all(layer.is_fixed for layer in self.layers):
            return (self,)
        if self.possible_families > MOST_FAMILIES:
            raise FieldError(
                "layers",
                f"must have at most {MOST_FAMILIES} choices of pool and repeat in all, "
                f"not {self.possible_families}",
            )
        found: dict[tuple[LayerSpace, ...], Space] = {}
        first = None
        for choice in product(*(tuple(product(la.pool, la.repeat)) for la in self.layers)):
            layers = fixed_layers(self.layers, choice, self.shape[2])
            if layers in found:
                continue
            try:
                found[layers] = self.changed(layers=layers)
            except ValidationError as error:
                first = first or explain(error, {})
        if not found:
            raise FieldError(
                "layers", f"must fit for one choice of pool and repeat at least: {first}"
            )
        return tuple(found.values())

    @property
    def possible_families(self) -> int:
        """Choices of pools and depth, those that do not fit included."""
        return math.prod(len(layer.pool) * len(layer.repeat) for layer in self.layers)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of one input image."""
        return self.input_shape or DATASETS[self.dataset].shape

    @cached_property
    def probe(self) -> Config:
        """The first point: the maps, windows and pools are those of its whole family."""
        if self.families[0] is not self:
            return self.families[0].probe
        before = self.shape[2]
        layers = []
        for layer in self.layers:
            form = next((f for f in layer.forms if f.follows(before)), layer.forms[0])
            option = self.hardware[0].options(layer)[0]
            layers.append(layer.choice(form.channels, option, form.residual))
            before = form.channels
        return self._config(Point(self.hardware[0], tuple(layers)), self.name)

    def config(self, point: Point, name: str | None = None) -> Config:
        """The configuration of a point of a space of one family.

        Raises
        ------
        ValueError
            If the point does not lie in the space.
        """
        for field in ("rows", "columns", "cells"):
            found = getattr(point.hardware, field)
            _expect(("crossbar", field), found, getattr(self.crossbar, field))
        if point.hardware.array is not None:
            _expect(("accelerator",), point.hardware.array, self.accelerator.arrays)
        for index, (layer, choice) in enumerate(zip(self.layers, point.layers, strict=True)):
            _expect(("layers", index, "channels"), choice.channels, layer.channels)
            _expect(("layers", index, "residual"), choice.residual, layer.residual)
            options = point.hardware.options(layer)
            _expect(("layers", index, "option"), choice.option, options)
            _expect(("layers", index, "input_bits"), choice.input_bits, layer.input_bits)
            is_crossbar = choice.option.engine == "crossbar"
            bits = layer.adc_bits if is_crossbar else (None,)
            _expect(("layers", index, "adc_bits"), choice.adc_bits, bits)
        return self._config(point, name or self.name)

    def _config(self, point: Point, name: str) -> Config:
        layers = []
        for layer, choice in zip(self.layers, point.layers, strict=True):
            fixed = layer.model_dump(include={"kind", "kernel", "padding"})
            fixed |= {name: getattr(layer, name) for name in PLAIN}
            shift = layer.adc_shift if choice.option.engine == "crossbar" else 0
            layers.append({
                **fixed,
                "pool": layer.pool[0],
                **asdict(choice.option),
                "channels": choice.channels,
                "residual": choice.residual,
                "input_bits": choice.input_bits,
                "adc_bits": choice.adc_bits,
                "adc_shift": shift,
            })
        hardware: dict[str, Any] = {
            "crossbar": {
                "rows": point.hardware.rows,
                "columns": point.hardware.columns,
                "cells": point.hardware.cells,
            },
            "pe_array": self.pe_array.model_dump(),
        }
        if point.hardware.array is not None:
            hardware = {"accelerator": point.hardware.array.model_dump()}
        return Config.model_validate({
            "name": name,
            "dataset": self.dataset,
            "input_shape": self.input_shape,
            "weights": self.weights.model_dump(),
            **hardware,
            "layers": layers,
        })

    def points(self) -> Iterator[Point]:
        """Every point of a space of one family, if it is small enough to be walked."""
        for hardware in self.hardware:
            all_choices = (tuple(hardware.choices(layer)) for layer in self.layers)
            for layers in product(*all_choices):
                before = (self.shape[2], *(choice.channels for choice in layers))
                forms = (Form(choice.channels, choice.residual) for choice in layers)
                if all(form.follows(count) for form, count in zip(forms, before, strict=False)):
                    yield Point(hardware, layers)

    @property
    def size(self) -> int:
        """Number of points."""
        if self.families != (self,):
            return sum(family.size for family in self.families)
        arrays = len(self.accelerator.arrays)
        tiles = len(self.hardware) - arrays
        choices = math.prod(layer.size // len(layer.forms) for layer in self.layers)
        turns = math.prod(len(layer.input_bits) for layer in self.layers)
        return self.networks * (tiles * choices + arrays * turns)

    @property
    def phase1_size(self) -> int:
        """Number of points at the precision that phase 1 assumes."""
        if self.families != (self,):
            return sum(family.phase1_size for family in self.families)
        choices = (
            math.prod(len(hardware.options(layer)) for layer in self.layers)
            for hardware in self.hardware
        )
        return self.networks * sum(choices)

    @cached_property
    def networks(self) -> int:
        """Number of networks, those of each family: lists of forms that follow each other."""
        if self.families != (self,):
            return sum(family.networks for family in self.families)
        ways = {self.shape[2]: 1}
        for layer in self.layers:
            after = dict.fromkeys(layer.channels, 0)
            for form in layer.forms:
                after[form.channels] += sum(n for c, n in ways.items() if form.follows(c))
            ways = after
        return sum(ways.values())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _expect(where: FieldPath, value: Any, values: tuple[Any, ...]) -> None:
    if value not in values:
        raise FieldError(where, f"must be one of {', '.join(map(str, values))}, not {value}")
