"""What paired counts show: an exact upper bound on a loss of accuracy, at a stated confidence."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Paired", "images_needed", "loss_bound"]

Floats = NDArray[np.float64]

SET_ASIDE = 0.02
"""Part of the error that pays for looking only at discordance which the counts allow."""

SHARES = 24
"""Shares of discordant images that the worst is taken of."""

SPREAD = 8.0
"""Standard deviations beyond which counts are all held against the claim."""

FINEST = 1e-5
"""Bounds are rounded up to a multiple of this."""


@dataclass(frozen=True)
class Paired:
    """Two networks on the same images: how often one of them alone is right.

    Attributes
    ----------
    lost : int
        Images that the reference classifies right, and the other network wrong.
    gained : int
        The other way round.
    count : int
        All images, at least 1.
    """

    lost: int
    gained: int
    count: int

    def __post_init__(self) -> None:
        assert self.count >= 1 and min(self.lost, self.gained) >= 0
        assert self.lost + self.gained <= self.count

    @classmethod
    def of(cls, reference: NDArray[np.bool_], other: NDArray[np.bool_]) -> "Paired":
        """Count; both say of the same images whether they were classified right."""
        lost, gained = np.sum(reference & ~other), np.sum(~reference & other)
        return cls(int(lost), int(gained), len(reference))

    @property
    def loss(self) -> float:
        """Accuracy of the reference minus that of the other network."""
        return (self.lost - self.gained) / self.count

    @property
    def discordant(self) -> int:
        """Images on which the two differ in being right."""
        return self.lost + self.gained


def images_needed(loss: float, confidence: float) -> int:
    """Images that show a loss of at most ``loss`` if not one of them is lost: ln(1 − c)/ln(1 − L).

    About 3 / loss at a confidence of 0.95. Both arguments lie between 0 and 1.
    """
    return math.ceil(math.log(1 - confidence) / math.log1p(-loss) - 1e-9)


@lru_cache(maxsize=4096)
def loss_bound(paired: Paired, confidence: float) -> float:
    """The least L of which the counts show, at that confidence, that the loss is at most L.

    With p = P(lost), q = P(gained) the loss of images never seen is p − q, and the counts are
    trinomial. L is shown where the exact test of p − q ≥ L rejects: the probability of counts at
    least as good as these, by Tango's score statistic, is at most 1 − confidence whatever q may
    be. Of q only what the number of discordant images allows is looked at (Berger and Boos): a
    fiftieth of the error pays for it. So the true loss lies above L in at most 1 − confidence of
    all samples, however small the counts. L is rounded up to 1e-5.

    Parameters
    ----------
    paired : Paired
    confidence : float
        Above 0 and below 1; one-sided.

    Source
    ------
    Tango, Statistics in Medicine 17 (1998) 891; Berger and Boos, JASA 89 (1994) 1012; for paired
    counts Hsueh, Liu and Chen, Biometrics 57 (2001) 478.
    """
    error = 1 - confidence
    low = max(-1.0, paired.loss)
    high = 1.0
    while high - low > FINEST / 4:
        # Bounds lie near the low end; a geometric step finds them sooner than a half.
        middle = low + (high - low) * (0.5 if high - low < 0.05 else 0.1)
        if _chance_of_as_good(paired, middle, error * SET_ASIDE) <= error:
            high = middle
        else:
            low = middle
    return math.ceil(high / FINEST - 1e-6) * FINEST


def _chance_of_as_good(paired: Paired, loss: float, aside: float) -> float:
    """The greatest probability, at a true loss of ``loss``, of counts as good as these; + aside."""
    n = paired.count
    few, many = _share_of(paired.discordant, n, aside)
    least = max((few - loss) / 2, -min(loss, 0.0), 1e-12)
    most = min(max((many - loss) / 2, least), (1 - loss) / 2)
    gained = np.linspace(least, most, SHARES)
    lost = np.maximum(gained + loss, 1e-12)
    a = _plausible(lost, n, paired.lost)[:, None]
    b = _plausible(gained, n, paired.gained)[None, :]
    rest = n - a - b
    ways = _log_factorial(n) - _log_factorial(a) - _log_factorial(b)
    ways = ways - _log_factorial(np.maximum(rest, 0))
    ways[rest < 0] = -np.inf
    good = _score(a, b, n, loss) <= _score(paired.lost, paired.gained, n, loss) + 1e-9
    worst = 0.0
    for p, q in zip(lost.tolist(), gained.tolist(), strict=True):
        still = math.log(max(1 - p - q, 1e-300))
        chance = np.exp(ways + a * math.log(p) + b * math.log(q) + rest * still)
        worst = max(worst, 1 - float(chance[~good].sum()))
    return worst + aside


def _score(lost: NDArray | int, gained: NDArray | int, n: int, loss: float) -> Floats:
    """Tango's statistic: how far the counts lie above a loss of ``loss``, in its deviations."""
    lost, gained = np.asarray(lost, float), np.asarray(gained, float)
    b = (2 * n - lost + gained) * loss - lost - gained
    c = -gained * loss * (1 - loss)
    share = (np.sqrt(np.maximum(b * b - 8 * n * c, 0)) - b) / (4 * n)
    variance = n * (2 * share + loss * (1 - loss))
    return (lost - gained - n * loss) / np.sqrt(np.maximum(variance, 1e-12))


def _share_of(count: int, n: int, aside: float) -> tuple[float, float]:
    """Clopper's and Pearson's interval of a share, of confidence 1 − aside."""
    few = 0.0 if count == 0 else _solve(lambda p: 1 - _at_most(count - 1, n, p) - aside / 2)
    many = 1.0 if count == n else _solve(lambda p: aside / 2 - _at_most(count, n, p))
    return few, many


def _solve(rising: Callable[[float], float]) -> float:
    """Where a function that rises from 0 to 1 passes zero."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return high


def _at_most(count: int, n: int, share: float) -> float:
    """P(binomial ≤ count)."""
    if share <= 0 or share >= 1:
        return float(share <= 0)
    k = np.arange(count + 1)
    ways = _log_factorial(n) - _log_factorial(k) - _log_factorial(n - k)
    return float(np.exp(ways + k * math.log(share) + (n - k) * math.log1p(-share)).sum())


def _plausible(shares: Floats, n: int, seen: int) -> NDArray[np.int64]:
    """Counts within reach of any of the shares, and the one that was seen."""
    spread = SPREAD * np.sqrt(n * shares * (1 - shares)) + 2 * SPREAD
    low = max(0, min(seen, math.floor(float((n * shares - spread).min()))))
    high = min(n, max(seen, math.ceil(float((n * shares + spread).max()))))
    return np.arange(low, high + 1)


_TABLE: list[Floats] = [np.zeros(1)]


def _log_factorial(k: NDArray[np.int64] | int) -> Floats:
    """Natural logarithm of k!."""
    table = _TABLE[0]
    if int(np.max(k)) >= len(table):
        table = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 2 * int(np.max(k)) + 2)))])
        _TABLE[0] = table
    return table[k]
