"""Least squares of the relative error without negative coefficients."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["non_negative"]

Floats = NDArray[np.float64]


def non_negative(terms: Floats, target: Floats, scale: Floats) -> Floats:
    """Coefficients c ≥ 0 of least Σ ((terms·c − target) / scale)².

    The active-set method of Lawson and Hanson, *Solving Least Squares Problems*, 1974, chapter
    23. Deterministic; of terms that depend on each other some get 0, and which ones is kept:
    :func:`scipy.optimize.nnls` leaves others at 0, so that fits to a part of the points, of which
    too few are independent, and the errors outside the fitted range that come of them, are others.

    Parameters
    ----------
    terms : array of shape (points, terms)
    target, scale : array of shape (points,)
    """
    matrix = terms / scale[:, None]
    goal = target / scale
    size = np.linalg.norm(matrix, axis=0)
    matrix = matrix / np.where(size > 0, size, 1.0)
    count = matrix.shape[1]
    solution = np.zeros(count)
    is_free = np.zeros(count, bool)
    for _ in range(10 * count):
        slope = matrix.T @ (goal - matrix @ solution)
        slope[is_free | (size == 0)] = -np.inf
        least = 1e-9 * max(1.0, float(np.linalg.norm(goal)))
        if slope.max() <= least:
            break
        best = int(np.argmax(slope > slope.max() - least))  # of equal ones the first
        is_free[best] = True
        while True:
            trial = np.zeros(count)
            trial[is_free] = np.linalg.lstsq(matrix[:, is_free], goal, rcond=1e-10)[0]
            wrong = is_free & (trial <= 0)
            if not wrong.any():
                solution = trial
                break
            step = np.min(solution[wrong] / (solution[wrong] - trial[wrong]))
            solution += step * (trial - solution)
            is_free &= solution > 1e-12
            solution[~is_free] = 0.0
    return solution / np.where(size > 0, size, 1.0)
