"""Random forests: trees that vote, and trees whose leaves hold a value for each class."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from .student import Family, Floats, Predictor

__all__ = ["FOREST"]

TREES = 100


def _shape(x: Floats, setting: float, seed: int) -> dict[str, int]:
    features = max(1, round(x.shape[1] ** setting))
    return {"max_features": features, "random_state": seed % 2**32}


def classify(
    x: Floats, labels: NDArray[np.int64], classes: int, setting: float, seed: int
) -> Predictor:
    """The mean of the shares of the classes in the leaves; features ** ``setting`` are tried."""
    forest = RandomForestClassifier(TREES).set_params(**_shape(x, setting, seed))
    forest.fit(x, labels)

    def scores(images: Floats) -> Floats:
        found = np.zeros((len(images), classes))
        found[:, np.unique(labels)] = forest.predict_proba(images)
        return found

    return scores


def regress(x: Floats, targets: Floats, setting: float, seed: int) -> Predictor:
    """The mean of the targets in the leaves, of trees that lower the variance of all columns."""
    forest = RandomForestRegressor(TREES).set_params(**_shape(x, setting, seed))
    return forest.fit(x, targets).predict


FOREST = Family("random forest", classify, regress, settings=(0.5, 0.7))
