"""Linear fits: least squares, and least absolute deviations."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["least_deviations", "least_squares"]

Floats = NDArray[np.float64]


def least_squares(columns: list[Floats], target: Floats, weight: Floats) -> tuple[float, ...]:
    """Weighted least squares; a column of zeros gets 0, free directions the least norm."""
    matrix = np.stack(columns, axis=1) * weight[:, None]
    scale = np.abs(matrix).max(axis=0)
    used = scale > 0
    result = np.zeros(len(columns))
    scaled = matrix[:, used] / scale[used]
    result[used] = np.linalg.lstsq(scaled, target * weight, rcond=1e-9)[0] / scale[used]
    return tuple(float(value) for value in result)


def least_deviations(matrix: Floats, target: Floats, weight: Floats) -> tuple[Floats, float]:
    """Least sum of absolute deviations by reweighting: a tile out of step moves no other."""
    solution, miss = np.zeros(matrix.shape[1]), np.ones(len(target))
    for _ in range(20):
        share = weight / np.sqrt(np.maximum(miss, 1e-5))
        solution = np.linalg.lstsq(matrix * share[:, None], target * share, rcond=1e-9)[0]
        miss = np.abs(matrix @ solution - target) * weight
    return np.asarray(solution, np.float64), float(miss.sum())
