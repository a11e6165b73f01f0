"""Linear students: logistic regression, and ridge regression to any targets."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from .student import Family, Floats, Predictor

__all__ = ["LINEAR"]


def classify(
    x: Floats, labels: NDArray[np.int64], classes: int, setting: float, seed: int
) -> Predictor:
    """Logistic regression; ``setting`` weighs the squares of the weights."""
    found = LogisticRegression(C=1 / setting, max_iter=1000).fit(x, labels)

    def scores(images: Floats) -> Floats:
        spread = np.zeros((len(images), classes))
        spread[:, np.unique(labels)] = found.predict_proba(images)
        return spread

    return scores


def regress(x: Floats, targets: Floats, setting: float, seed: int) -> Predictor:
    """Least squares with ``setting`` times the squares of the weights."""
    return Ridge(alpha=setting).fit(x, targets).predict


LINEAR = Family("linear", classify, regress, settings=(1.0, 10.0, 100.0))
