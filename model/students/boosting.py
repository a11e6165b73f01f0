"""Boosted trees on histograms: each tree corrects those before it."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from .student import Family, Floats, Predictor

__all__ = ["BOOSTED"]

ROUNDS = 50
FEATURES = 0.1
"""Of all features, those that a node looks at."""
BINS = 31


def _shape(setting: float, seed: int) -> dict[str, float]:
    return {
        "max_iter": ROUNDS,
        "learning_rate": setting,
        "max_bins": BINS,
        "max_features": FEATURES,
        "early_stopping": False,
        "random_state": seed % 2**32,
    }


def classify(
    x: Floats, labels: NDArray[np.int64], classes: int, setting: float, seed: int
) -> Predictor:
    """A tree a class and round, by the gradient of cross-entropy; ``setting`` is the rate."""
    boosted = HistGradientBoostingClassifier().set_params(**_shape(setting, seed))
    boosted.fit(x, labels)

    def scores(images: Floats) -> Floats:
        found = np.zeros((len(images), classes))
        found[:, np.unique(labels)] = boosted.predict_proba(images)
        return found

    return scores


def regress(x: Floats, targets: Floats, setting: float, seed: int) -> Predictor:
    """A tree a column and round, by the gradient of the squared error."""
    columns = [
        HistGradientBoostingRegressor().set_params(**_shape(setting, seed)).fit(x, column)
        for column in targets.T
    ]
    return lambda images: np.stack([one.predict(images) for one in columns], axis=1)


BOOSTED = Family("boosted trees", classify, regress, settings=(0.1, 0.2))
