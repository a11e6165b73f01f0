"""Which loss of accuracy to expect at a precision that is not measured yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .precision import Knob

__all__ = ["LossModel", "Posterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """What is known of the steps: a normal distribution.

    Attributes
    ----------
    mean : float64 array, (steps + 1,)
        Loss of the precision of the most bits, then of every single step down.
    covariance : float64 array, (steps + 1, steps + 1)
    noise : float
        Variance of a measurement about the sum of its steps.
    """

    mean: Floats
    covariance: Floats
    noise: float

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of measured losses, (n, steps + 1) -> (n,), (n,)."""
        # A step down does not make a network better, whatever a few noisy measurements say.
        mean = features @ np.maximum(self.mean, [-np.inf, *[0.0] * (len(self.mean) - 1)])
        spread = np.einsum("ni,ij,nj->n", features, self.covariance, features)
        return mean, np.sqrt(np.maximum(spread, 0) + self.noise)

    def observe(self, feature: Floats, loss: float) -> "Posterior":
        """After one more measurement."""
        gain = self.covariance @ feature
        gain /= feature @ gain + self.noise
        mean = self.mean + gain * (loss - feature @ self.mean)
        return Posterior(
            mean, self.covariance - np.outer(gain, feature @ self.covariance), self.noise
        )


@dataclass(frozen=True)
class LossModel:
    """Loss is a sum over the single steps that the knobs were taken down.

    loss = c + Σ_knobs Σ_{j ≤ level} θ[knob, j], c and θ normal: before anything is measured, the
    step to b bits loses ``scale``·2^(2−b), give or take as much. Losses above ``cap`` count as
    ``cap``: far from the bound they do not add up. Exact Bayesian linear regression; the noise is
    the larger one of that of counting images and of what the measurements leave unexplained.

    Attributes
    ----------
    knobs : tuple of Knob
    scale : float
        Of a loss that matters: the bound.
    count : int
        Images that a measurement counts.
    accuracy : float
        About what is measured.
    """

    knobs: tuple[Knob, ...]
    scale: float
    count: int
    accuracy: float

    @property
    def cap(self) -> float:
        """The largest loss that is told apart from a larger one."""
        return 6 * self.scale

    @cached_property
    def steps(self) -> list[tuple[int, int]]:
        """(knob, level) of every step."""
        return [(k, j) for k, knob in enumerate(self.knobs) for j in range(1, len(knob.values))]

    def features(self, levels: NDArray[np.int64]) -> Floats:
        """Which steps were taken, (n, knobs) -> (n, steps + 1)."""
        columns = [np.ones(len(levels), bool)]
        columns += [levels[:, k] >= j for k, j in self.steps]
        return np.stack(columns, axis=1).astype(np.float64)

    def prior(self) -> Posterior:
        """Before anything is measured."""
        sizes = [self.scale * 2.0 ** (2 - self.knobs[k].values[j]) for k, j in self.steps]
        mean = np.array([0.0, *sizes])
        spread = np.array([self.scale, *sizes])
        share = min(max(self.accuracy, 0.5), 1 - 1 / self.count)
        return Posterior(mean, np.diag(spread**2), share * (1 - share) / self.count)

    def fit(self, levels: Sequence[Sequence[int]], losses: Sequence[float]) -> Posterior:
        """After measurements."""
        features = self.features(np.array(levels, np.int64))
        seen = np.minimum(np.array(losses), self.cap)
        posterior = self.prior()
        for _ in range(3):
            noise = posterior.noise
            posterior = Posterior(self.prior().mean, self.prior().covariance, noise)
            for feature, loss in zip(features, seen, strict=True):
                posterior = posterior.observe(feature, float(loss))
            near = seen < self.cap
            left = (seen - features @ posterior.mean)[near]
            unexplained = float((left**2).mean()) if near.any() else 0.0
            posterior = Posterior(
                posterior.mean, posterior.covariance, max(self.prior().noise, unexplained)
            )
        return posterior
