"""What every layer of a space costs, for every (input channels, output channels, option)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.search.space.layer_space import Form, LayerChoice, Option
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space import Space

__all__ = ["FORBIDDEN", "PICOSECONDS", "LayerTable", "Solution", "Tables"]

PICOSECONDS = 1000
"""Per nanosecond: times are kept in whole picoseconds."""

FORBIDDEN = 1 << 50
"""The area of what must not be chosen: above every bound, and no sum of it overflows [µm²]."""


@dataclass(frozen=True)
class LayerTable:
    """Costs of one layer, whole numbers, rounded up.

    Attributes
    ----------
    in_channels, out_channels : tuple of int
        What the layer before, and this one, may choose; the image's channels for the first.
    options : tuple of Option
    area_um2, time_ps : int64 array, (in_channels, out_channels, options)
    shared_um2 : int64 array, (in_channels, out_channels, options)
        Area that the layer asks of the shared block.
    weights : int64 array, (in_channels, out_channels)
    is_known : bool array, (in_channels, out_channels, options)
        Whether the cost lies within the range that the model was fitted to.
    residual : tuple of bool
        Whether each of ``out_channels`` comes with a shortcut; none does where it is empty. Where
        it would join other channels, the area is FORBIDDEN.
    """

    in_channels: tuple[int, ...]
    out_channels: tuple[int, ...]
    options: tuple[Option, ...]
    area_um2: NDArray[np.int64]
    time_ps: NDArray[np.int64]
    shared_um2: NDArray[np.int64]
    weights: NDArray[np.int64]
    is_known: NDArray[np.bool_]
    residual: tuple[bool, ...] = ()

    def form(self, index: int) -> Form:
        """Output channels, and whether there is a shortcut."""
        return Form(self.out_channels[index], bool(self.residual) and self.residual[index])

    def possible(self, before: int) -> NDArray[np.int64]:
        """Indices of ``out_channels`` that can follow index ``before`` of ``in_channels``."""
        return np.flatnonzero((self.area_um2[before] < FORBIDDEN).any(axis=1))


@dataclass(frozen=True)
class Solution:
    """One choice of channels and options for every layer, and what it costs.

    Attributes
    ----------
    hardware : Hardware
    channels : tuple of int
    options : tuple of Option
    area_um2, time_ps, interval_ps : int
        Sum of the areas, the shared one included; sum and maximum of the times.
    weights : int
    residual : tuple of bool
    family : int
        Index of the family of the space.
    """

    hardware: Hardware
    channels: tuple[int, ...]
    options: tuple[Option, ...]
    area_um2: int
    time_ps: int
    interval_ps: int
    weights: int
    residual: tuple[bool, ...]
    family: int = 0

    def point(self, space: Space) -> Point:
        """The point of its family of the space, at the precision that phase 1 assumes."""
        layers = space.families[self.family].layers
        chosen = zip(layers, self.channels, self.options, self.residual, strict=True)
        choices: list[LayerChoice] = [layer.choice(c, o, r) for layer, c, o, r in chosen]
        return Point(self.hardware, tuple(choices))

    def config(self, space: Space) -> Config:
        """The configuration of that point."""
        return space.families[self.family].config(self.point(space))


@dataclass(frozen=True)
class Tables:
    """Costs of all layers on one choice of what is chosen once.

    Attributes
    ----------
    hardware : Hardware
    layers : tuple of LayerTable
        The output channels of each are the input channels of the next.
    constant_area_um2 : int
        Area that belongs to no layer and is the same for every choice.
    slack_um2 : int
        By so much at most the constant is above that of the smallest network: some models have
        blocks, such as counters, that grow a little with the whole.
    family : int
        Index of the family of the space.
    windows : tuple
        Of each layer what is fixed of its form, such as kernel and pool: with these, equal forms
        are equal networks.

    The area of a whole is this constant, the sum of its layers' areas, and the largest of what
    they ask of the shared block.
    """

    hardware: Hardware
    layers: tuple[LayerTable, ...]
    constant_area_um2: int = 0
    slack_um2: int = 0
    family: int = 0
    windows: tuple[tuple[str | int | None, ...], ...] = ()

    @property
    def takes_turns(self) -> bool:
        """Whether the interval, too, is the sum of the layers' times, and not their maximum."""
        return self.hardware.array is not None

    def costs(
        self, channels: NDArray[np.int64], options: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Area, sum of times, maximum of times and weights of n choices.

        Parameters
        ----------
        channels, options : int64 array, (n, layers)
            Indices into ``out_channels`` and ``options`` of each layer.
        """
        n = len(channels)
        area = np.full(n, self.constant_area_um2)
        time, interval, weights, shared = np.zeros((4, n), np.int64)
        before = np.zeros(n, np.int64)
        for index, layer in enumerate(self.layers):
            here, option = channels[:, index], options[:, index]
            spent = layer.time_ps[before, here, option]
            area += layer.area_um2[before, here, option]
            time += spent
            interval = np.maximum(interval, spent)
            weights += layer.weights[before, here]
            shared = np.maximum(shared, layer.shared_um2[before, here, option])
            before = here
        return area + shared, time, time if self.takes_turns else interval, weights

    def solution(self, channels: Sequence[int], options: Sequence[int]) -> Solution:
        """The choice that these indices stand for."""
        costs = self.costs(np.array([channels], np.int64), np.array([options], np.int64))
        area, time, interval, weights = (int(cost[0]) for cost in costs)
        return Solution(
            hardware=self.hardware,
            channels=tuple(t.out_channels[c] for t, c in zip(self.layers, channels, strict=True)),
            options=tuple(t.options[o] for t, o in zip(self.layers, options, strict=True)),
            area_um2=area,
            time_ps=time,
            interval_ps=interval,
            weights=weights,
            residual=tuple(t.form(c).residual for t, c in zip(self.layers, channels, strict=True)),
            family=self.family,
        )

    def levels(self) -> Iterator["Tables"]:
        """The same space once for every size of the shared block, which then is a constant.

        What asks for more is forbidden. A network appears at its own size and, too large, at every
        larger one: the best of all levels is the best there is. Indices stay the same.
        """
        asked = np.unique(np.concatenate([layer.shared_um2.ravel() for layer in self.layers]))
        least = max(int(layer.shared_um2.min()) for layer in self.layers)
        for level in asked[asked >= least].tolist():
            layers = tuple(
                replace(
                    layer,
                    area_um2=np.where(layer.shared_um2 <= level, layer.area_um2, FORBIDDEN),
                    shared_um2=np.zeros_like(layer.shared_um2),
                )
                for layer in self.layers
            )
            constant = self.constant_area_um2 + level
            yield replace(self, layers=layers, constant_area_um2=constant)

    def only(self, channels: Sequence[int]) -> "Tables":
        """The same costs where layer l has no channels but the one of index ``channels[l]``."""
        layers, before = [], 0
        for layer, here in zip(self.layers, channels, strict=True):
            at = np.s_[before : before + 1, here : here + 1]
            layers.append(
                replace(
                    layer,
                    in_channels=layer.in_channels[before : before + 1],
                    out_channels=layer.out_channels[here : here + 1],
                    area_um2=layer.area_um2[at],
                    time_ps=layer.time_ps[at],
                    shared_um2=layer.shared_um2[at],
                    weights=layer.weights[at],
                    is_known=layer.is_known[at],
                    residual=layer.residual[here : here + 1],
                )
            )
            before = here
        return replace(self, layers=tuple(layers))
