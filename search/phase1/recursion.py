"""The exact dynamic program of phase 1: the best ways to finish a network, from the last layer on.

``suffixes[l][c]`` holds every undominated (area, time, weights) of layers l, l + 1, ... when
layer l reads channels of index c. A network's cost is the sum over layers (time: or the maximum),
and all that the layers before l have to do with the layers from l on is c, so a label that
another one dominates can be exchanged for that one in every network, without loss.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kakure.search.cost.tables import FORBIDDEN, LayerTable, Tables

from .problem import Problem
from .staircase import NEVER, Integers, Labels, best_time, staircase, undominated

__all__ = ["Recursion"]


class Recursion:
    """Suffixes of one table of costs, pruned by dominance and by what the bounds rule out.

    Parameters
    ----------
    tables : Tables
        With no shared block but a constant: one of :meth:`Tables.levels`.
    problem : Problem
        Its ``least_area_um2`` is left out of account.
    before : Recursion, optional
        Of another level: suffixes of layers that cost the same there are taken over.
    loosest : Tables, optional
        What labels are pruned for: areas and constant at most those of every level that is to
        take suffixes over. ``tables`` themselves where there is no other.
    """

    def __init__(
        self,
        tables: Tables,
        problem: Problem,
        *,
        before: "Recursion | None" = None,
        loosest: Tables | None = None,
    ) -> None:
        self.tables = tables
        self.problem = problem
        self.before = before
        self.loosest = loosest or tables
        self.bound = FORBIDDEN - 1 if problem.area_um2 is None else problem.area_um2
        self.area_bound = self.bound - tables.constant_area_um2
        self.pairs = [_option_staircases(layer) for layer in tables.layers]
        self._finishes: dict[tuple[int, int, int], tuple[Integers, Integers]] = {}

    @cached_property
    def suffixes(self) -> list[list[Labels]]:
        """For each layer, and the end, the labels for each index of its input channels."""
        layers, floor = self.tables.layers, self.problem.least_weights
        least_area, most_weights = self._prefix_bounds()
        bound = self.bound - self.loosest.constant_area_um2
        nothing = np.zeros(1, np.int64)
        found = [[Labels(nothing, nothing, nothing) for _ in layers[-1].out_channels]]
        for index in reversed(range(len(layers))):
            taken = self._taken_over(index)
            if taken is not None:
                found.insert(0, taken)
                continue
            row = []
            for c_in in range(len(layers[index].in_channels)):
                parts = []
                for c_out, after in enumerate(found[0]):
                    area, time, _ = self.pairs[index][c_in][c_out]
                    weights = after.weights + layers[index].weights[c_in, c_out]
                    parts.append(
                        Labels(
                            (area[:, None] + after.area).ravel(),
                            self.join(time[:, None], after.time).ravel(),
                            np.tile(np.minimum(weights, floor), len(area)),
                        )
                    )
                labels = Labels(
                    *(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS)
                )
                fits = labels.area + least_area[index][c_in] <= bound
                fits &= labels.weights + most_weights[index][c_in] >= floor
                row.append(
                    undominated(Labels(labels.area[fits], labels.time[fits], labels.weights[fits]))
                )
            found.insert(0, row)
        return found

    def _taken_over(self, index: int) -> list[Labels] | None:
        """Suffixes from a layer on, if they cost the same in the recursion before."""
        if self.before is None:
            return None
        mine, theirs = self.tables.layers[index:], self.before.tables.layers[index:]
        if all(np.array_equal(a.area_um2, b.area_um2) for a, b in zip(mine, theirs, strict=True)):
            return self.before.suffixes[index]
        return None

    @property
    def adds(self) -> bool:
        """Whether times add up; else the longest counts."""
        return self.problem.objective == "latency" or self.tables.takes_turns

    def join(self, first: Integers, second: Integers) -> Integers:
        """Time of two parts of a network."""
        return first + second if self.adds else np.maximum(first, second)

    @property
    def most_weights(self) -> int:
        """Weights of the largest network."""
        return int(self._prefix_bounds()[1][-1].max())

    def _prefix_bounds(self) -> tuple[list[Integers], list[Integers]]:
        """Least area and most weights of the layers before each, by its input channels."""
        areas, weights = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
        for layer in self.loosest.layers:
            areas.append((areas[-1][:, None] + layer.area_um2.min(axis=2)).min(axis=0))
            weights.append((weights[-1][:, None] + layer.weights).max(axis=0))
        return areas, weights

    def finish(self, layer: int, c_in: int, weights: int) -> tuple[Integers, Integers]:
        """Staircase (area, time) of the suffixes with at least ``weights`` weights."""
        key = (layer, c_in, max(0, weights))
        if key not in self._finishes:
            labels = self.suffixes[layer][c_in]
            count = int(np.searchsorted(-labels.weights, -key[2], side="right"))
            area, time = labels.area[:count], labels.time[:count]
            index = staircase(area, time)
            self._finishes[key] = area[index], time[index]
        return self._finishes[key]

    @property
    def front(self) -> tuple[Integers, Integers]:
        """The whole front: area, the constant included, and time of every undominated network."""
        area, time = self.finish(0, 0, self.problem.least_weights)
        fits = area <= self.area_bound
        return area[fits] + self.tables.constant_area_um2, time[fits]

    def best(
        self, layer: int, c_in: int, weights: int, area: Integers, time: Integers
    ) -> tuple[int, int] | None:
        """Least (time, area) of a network that begins with one of the labels given.

        Parameters
        ----------
        layer, c_in : int
            The next layer, and the index of its input channels.
        weights : int
            Weights that are still missing.
        area, time : int64 array, (n,)
            What the layers so far cost, the constant left out.
        """
        after_area, after_time = self.finish(layer, c_in, weights)
        least = best_time(after_area, after_time, self.area_bound - area)
        fits = least < NEVER
        if not fits.any():
            return None
        area, time = area[fits], time[fits]
        value = int(self.join(time, least[fits]).min())
        if self.adds:
            left = value - time
        else:
            left = np.where(time <= value, value, -1)
        at = np.searchsorted(-after_time, -left)  # the first, and so smallest, that is fast enough
        enough = at < len(after_area)
        total = area[enough] + after_area[at[enough]]
        return value, int(total.min())

    def trace(self, area: int, time: int) -> tuple[list[int], list[int]]:
        """Channels and options, as indices, of a network with this area and time, at most.

        Walks from the first layer on, and takes the first channels and then the first option with
        which the rest can still be done.
        """
        left = area - self.tables.constant_area_um2
        so_far, weights, c_in = np.zeros(1, np.int64), self.problem.least_weights, 0
        channels, options = [], []
        for index, layer in enumerate(self.tables.layers):
            for c_out in range(len(layer.out_channels)):
                missing = weights - int(layer.weights[c_in, c_out])
                after = self.finish(index + 1, c_out, missing)
                spent = layer.time_ps[c_in, c_out]
                rest = left - layer.area_um2[c_in, c_out]
                finish = best_time(*after, rest)
                total = self.join(so_far, spent)
                fits = finish < NEVER
                fits[fits] = self.join(total[fits], finish[fits]) <= time
                if fits.any():
                    break
            else:
                raise AssertionError("the front holds a network that cannot be traced")
            option = int(np.flatnonzero(fits)[0])
            channels.append(c_out)
            options.append(option)
            so_far, left = total[option : option + 1], int(rest[option])
            weights, c_in = missing, c_out
        return channels, options


FIELDS = ("area", "time", "weights")


def _option_staircases(
    layer: LayerTable,
) -> list[list[tuple[Integers, Integers, NDArray[np.int64]]]]:
    """For each (input, output) channels: area, time and index of the undominated options."""
    result = []
    for area_row, time_row in zip(layer.area_um2, layer.time_ps, strict=True):
        row = []
        for area, time in zip(area_row, time_row, strict=True):
            index = staircase(area, time)
            row.append((area[index], time[index], index))
        result.append(row)
    return result
