"""Support vector machines with Gaussian kernels: the usual classifier, and a regression a class."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC, SVR

from .student import Family, Floats, Predictor, one_hot

__all__ = ["SVM"]

EPSILON = 0.05
"""What a regression may be off without loss."""


def _width(x: Floats) -> float:
    """γ of the kernel exp(−γ·|a − b|²): 1/(features · variance), scikit-learn's ``scale``."""
    return 1 / (x.shape[1] * max(float(x.var()), 1e-12))


def classify(
    x: Floats, labels: NDArray[np.int64], classes: int, setting: float, seed: int
) -> Predictor:
    """One machine for each pair of classes, which vote; ``setting`` is the cost of an error."""
    machine = SVC().set_params(C=setting, gamma=_width(x)).fit(x, labels)
    return lambda images: one_hot(machine.predict(images), classes)


def regress(x: Floats, targets: Floats, setting: float, seed: int) -> Predictor:
    """One machine for each column of the targets, all with one kernel matrix."""
    width = _width(x)
    gram = rbf_kernel(x, gamma=width)  # (n, n)
    duals, offsets = np.zeros((len(x), targets.shape[1])), np.zeros(targets.shape[1])
    for n, column in enumerate(targets.T):
        machine = SVR(kernel="precomputed", C=setting, epsilon=EPSILON).fit(gram, column)
        duals[machine.support_, n] = machine.dual_coef_[0]
        offsets[n] = machine.intercept_[0]
    return lambda images: rbf_kernel(images, x, gamma=width) @ duals + offsets


SVM = Family("SVM", classify, regress, settings=(1.0, 10.0))
