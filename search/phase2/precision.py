"""The precisions of a fixed network: AP and IP of every layer, each a knob with a few levels."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.search.space.point import Point
from kakure.search.space.space import Space

__all__ = ["Bits", "Knob", "Levels", "PrecisionSpace"]

Levels = tuple[int, ...]
"""One level of every knob; 0 is the most bits."""

Bits = tuple[tuple[int | None, int], ...]
"""(adc_bits, input_bits) of every layer; None without a crossbar."""


@dataclass(frozen=True)
class Knob:
    """One precision that is chosen.

    Attributes
    ----------
    layer : int
    name : "adc_bits" or "input_bits"
    values : tuple of int
        From the most bits to the fewest.
    start : int
        Level of the value that phase 1 assumed, the first in the space's file.
    """

    layer: int
    name: Literal["adc_bits", "input_bits"]
    values: tuple[int, ...]
    start: int


@dataclass(frozen=True)
class PrecisionSpace:
    """Every AP and IP that a space allows for one network and its options.

    Attributes
    ----------
    space : Space
    point : Point
        The network, at any precision.
    name : str
        Of the configurations.
    """

    space: Space
    point: Point
    name: str

    @cached_property
    def knobs(self) -> tuple[Knob, ...]:
        """Layer by layer, ``input_bits`` before ``adc_bits``; also those of one value."""
        knobs = []
        for index, (layer, choice) in enumerate(
            zip(self.space.layers, self.point.layers, strict=True)
        ):
            names: list[tuple[Literal["adc_bits", "input_bits"], tuple[int, ...]]]
            names = [("input_bits", layer.input_bits)]
            if choice.option.engine == "crossbar":
                names.append(("adc_bits", layer.adc_bits))
            for name, listed in names:
                values = tuple(sorted(listed, reverse=True))
                knobs.append(Knob(index, name, values, values.index(listed[0])))
        return tuple(knobs)

    @cached_property
    def places(self) -> dict[tuple[int, str], int]:
        """Index of the knob of a layer and a name."""
        return {(knob.layer, knob.name): place for place, knob in enumerate(self.knobs)}

    @property
    def start(self) -> Levels:
        """The precision that phase 1 assumed."""
        return tuple(knob.start for knob in self.knobs)

    @property
    def size(self) -> int:
        """Number of assignments."""
        return math.prod(len(knob.values) for knob in self.knobs)

    def all(self) -> NDArray[np.int64]:
        """Every assignment, (size, knobs); for spaces small enough to be walked."""
        sizes = [len(knob.values) for knob in self.knobs]
        return np.indices(sizes).reshape(len(sizes), -1).T.astype(np.int64)

    def bits(self, levels: Sequence[int]) -> Bits:
        """What an assignment means."""
        values = [knob.values[level] for knob, level in zip(self.knobs, levels, strict=True)]
        result = []
        for layer in range(len(self.space.layers)):
            adc = self.places.get((layer, "adc_bits"))
            adc_bits = None if adc is None else values[adc]
            result.append((adc_bits, values[self.places[layer, "input_bits"]]))
        return tuple(result)

    def levels(self, bits: Bits) -> Levels:
        """The assignment that means ``bits``; ValueError where the space lacks a value."""
        result = []
        for knob in self.knobs:
            adc_bits, input_bits = bits[knob.layer]
            value = input_bits if knob.name == "input_bits" else adc_bits
            if value not in knob.values:
                raise ValueError(
                    f"layers[{knob.layer}].{knob.name} must be one of "
                    f"{', '.join(map(str, knob.values))}, not {value}"
                )
            result.append(knob.values.index(value))
        return tuple(result)

    def config(self, levels: Sequence[int]) -> Config:
        """The configuration of an assignment."""
        pairs = zip(self.point.layers, self.bits(levels), strict=True)
        layers = tuple(replace(c, adc_bits=adc, input_bits=bits) for c, (adc, bits) in pairs)
        return self.space.config(replace(self.point, layers=layers), self.name)

    def uniform(self) -> list[Levels]:
        """Assignments with one AP and one IP for all layers; empty where the lists share none."""
        shared = {}
        for name in ("adc_bits", "input_bits"):
            lists = [set(knob.values) for knob in self.knobs if knob.name == name]
            shared[name] = sorted(set.intersection(*lists), reverse=True) if lists else [None]
        result = []
        for adc_bits in shared["adc_bits"]:
            for input_bits in shared["input_bits"]:
                chosen = {"adc_bits": adc_bits, "input_bits": input_bits}
                result.append(tuple(k.values.index(chosen[k.name]) for k in self.knobs))
        return result

    def lowered(self, levels: Levels) -> Iterator[Levels]:
        """Every assignment that takes one knob one level down."""
        for place, knob in enumerate(self.knobs):
            if levels[place] + 1 < len(knob.values):
                yield (*levels[:place], levels[place] + 1, *levels[place + 1 :])
