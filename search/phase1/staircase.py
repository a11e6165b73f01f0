"""Sets of labels (area, time, weights) of which none is as good as another in all three."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Labels", "staircase", "undominated"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Labels as int64 arrays of shape (n,); less area and time is better, and more weights."""

    area: Integers
    time: Integers
    weights: Integers

    def __len__(self) -> int:
        return len(self.area)


def staircase(area: Integers, time: Integers) -> Integers:
    """Indices of the pairs that no other dominates: area rising, time falling, both strictly.

    Of equal pairs the first is kept. Exact: no tolerance.
    """
    order = np.lexsort((time, area))
    sorted_time = time[order]
    least = np.minimum.accumulate(sorted_time)
    keep = np.ones(len(order), bool)
    keep[1:] = sorted_time[1:] < least[:-1]
    return order[keep]


def undominated(labels: Labels) -> Labels:
    """The labels that no other one dominates; weights falling, then area rising.

    Labels are taken in groups of equal weights, the heaviest first; what survived so far is a
    staircase, and a label of the next group survives where it lies below it. Exact.
    """
    if not len(labels):
        return labels
    group = labels.weights.max() - labels.weights
    area, time, weights = labels.area, labels.time, labels.weights
    order = np.argsort(_joint(group, area))
    group, area, time, weights = group[order], area[order], time[order], weights[order]
    # Falling from group to group, so that the running minimum starts anew with each.
    key = _joint(weights - weights[-1], time)
    least = np.minimum.accumulate(key)
    keep = np.ones(len(key), bool)
    keep[1:] = key[1:] < least[:-1]
    index = np.flatnonzero(keep)
    again = (np.diff(area[index]) == 0) & (np.diff(group[index]) == 0)
    index = index[np.append(~again, True)]  # of equal areas, sorted by chance, the last is fastest
    return _below(Labels(area[index], time[index], weights[index]))


def _joint(group: Integers, value: Integers) -> Integers:
    """A number that orders by group, then by value, neither of which is negative."""
    span = int(value.max()) + 1
    if span * (int(group.max()) + 1) > np.iinfo(np.int64).max:
        group, value = (np.unique(part, return_inverse=True)[1] for part in (group, value))
        span = len(value)
    return group * span + value


def _below(labels: Labels) -> Labels:
    """Drop what a label with more weights dominates; within equal weights there is nothing to."""
    starts = np.flatnonzero(np.diff(labels.weights, prepend=labels.weights[0] + 1))
    below_area, below_time = np.zeros((2, 0), np.int64)
    kept = []
    for start, end in zip(starts, [*starts[1:], len(labels)], strict=True):
        area, time = labels.area[start:end], labels.time[start:end]
        index = np.flatnonzero(time < best_time(below_area, below_time, area))
        if len(index):
            kept.append(start + index)
            area = np.concatenate([below_area, area[index]])
            time = np.concatenate([below_time, time[index]])
            step = staircase(area, time)
            below_area, below_time = area[step], time[step]
    index = np.concatenate(kept)
    return Labels(labels.area[index], labels.time[index], labels.weights[index])


NEVER = np.iinfo(np.int64).max
"""A time above every other one."""


def best_time(area: Integers, time: Integers, bound: Integers) -> Integers:
    """Least time on a staircase within each bound of area; NEVER where nothing fits."""
    if not len(area):
        return np.full(len(bound), NEVER)
    at = np.searchsorted(area, bound, side="right") - 1
    return np.where(at >= 0, time[np.maximum(at, 0)], NEVER)
