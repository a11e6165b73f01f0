"""The search that is the default: cheap precisions first, where they promise to be accurate."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from .precision import Levels
from .problem import BATCH, Entry, Problem, Spent
from .surrogate import LossModel, Posterior

__all__ = ["ENUMERATED", "guided_search"]

Floats = NDArray[np.float64]

ENUMERATED = 1 << 16
"""Assignments of a space that is walked as a whole; of larger ones a part is, anew each time."""

SHORTLIST = 64
"""Assignments whose product is taken from the model's metrics before one of them is measured."""

PROMISE = 1e-3
"""Expected gain, in ln of the product, below which nothing is worth a measurement."""

LEAST_SCALE = 0.005
"""Losses below this are not told apart."""

ROUNDS = 24
"""Steps of the walk in a space too large to be enumerated."""


@dataclass(frozen=True)
class Pool:
    """Assignments to choose from, (n, knobs), with their steps and what they cost."""

    levels: NDArray[np.int64]
    features: Floats
    product: Floats


def guided_search(problem: Problem) -> None:
    """Measure what has the largest expected gain: its chance to keep the bound, times its gain.

    The product of an assignment is known before anything is measured; its loss is expected to be
    normal, as :class:`LossModel` has it. With f the chance that it keeps the bound, and P the
    product of the best so far, the expected gain is f·ln(P / product). A batch takes the largest,
    then, as if it had been measured to be what was expected, the next. When nothing is promising
    any more, the best's own neighbours below it in product, one knob down, are measured until none
    of them keeps the bound; so the best is never one that a greedy step would improve.

    Deterministic: it draws nothing.
    """
    try:
        (first,) = problem.ask([problem.start])
        guide = Guide(problem, first)
        while batch := guide.promising() or guide.next_down():
            problem.ask(batch)
    except Spent:
        pass


class Guide:
    """What to measure next.

    Parameters
    ----------
    problem : Problem
    first : Entry
        The start.
    """

    def __init__(self, problem: Problem, first: Entry) -> None:
        self.problem = problem
        scale = max(problem.loss, LEAST_SCALE)
        self.model = LossModel(problem.precision.knobs, scale, first.count, first.accuracy)

    def promising(self) -> list[Levels]:
        """A batch of assignments, the most promising first; empty if none is worth measuring."""
        entries = list(self.problem.asked.values())
        posterior = self.model.fit([e.levels for e in entries], [e.loss for e in entries])
        best = self.problem.best
        batch: list[Levels] = []
        while len(batch) < BATCH:
            levels = self._most_promising(posterior, best, batch)
            if levels is None:
                break
            batch.append(levels)
            feature = self.model.features(np.array([levels]))
            expected, _ = posterior.predict(feature)
            posterior = posterior.observe(feature[0], float(expected[0]))
        return batch

    def next_down(self) -> list[Levels]:
        """Up to a batch of the best's cheaper neighbours, one knob down, not measured yet."""
        best = self.problem.best
        if best is None:
            return []
        below = [
            (self.problem.costs.exact(levels).product, levels)
            for levels in self.problem.precision.lowered(best.levels)
            if levels not in self.problem.asked
        ]
        return [levels for product, levels in sorted(below) if product < best.cost.product][:BATCH]

    @cached_property
    def whole(self) -> Pool:
        """All assignments."""
        return self._pool_of(self.problem.precision.all())

    def _pool_of(self, levels: NDArray[np.int64]) -> Pool:
        return Pool(levels, self.model.features(levels), self.problem.costs.estimate(levels))

    def _most_promising(
        self, posterior: Posterior, best: Entry | None, batch: list[Levels]
    ) -> Levels | None:
        if self.problem.precision.size <= ENUMERATED:
            pool = self.whole
        else:
            pool = self._walk(posterior, best)
        taken = {*batch, *self.problem.asked}
        order = np.argsort(-self._promise(posterior, best, pool), kind="stable")
        rows = order[: SHORTLIST + len(taken)].tolist()
        rows = [row for row in rows if tuple(pool.levels[row].tolist()) not in taken][:SHORTLIST]
        if not rows:
            return None
        short = [tuple(pool.levels[row].tolist()) for row in rows]
        exact = np.array([self.problem.costs.exact(levels).product for levels in short])
        promise = self._promise(
            posterior, best, Pool(pool.levels[rows], pool.features[rows], exact)
        )
        place = int(promise.argmax())
        return short[place] if promise[place] > PROMISE else None

    def _promise(self, posterior: Posterior, best: Entry | None, pool: Pool) -> Floats:
        """Expected gain, or the chance alone while nothing keeps the bound."""
        mean, spread = posterior.predict(pool.features)
        z = torch.from_numpy((self.problem.loss - mean) / spread)
        chance = torch.special.ndtr(z).numpy()
        if best is None:
            return chance * np.isfinite(pool.product)
        return chance * np.maximum(np.log(best.cost.product) - np.log(pool.product), 0.0)

    def _walk(self, posterior: Posterior, best: Entry | None) -> Pool:
        """What a walk uphill in promise comes across, from the best on."""
        here = self.problem.start if best is None else best.levels
        reached = 0.0
        found: list[Pool] = []
        for _ in range(ROUNDS):
            pool = self._pool_of(np.array(list(self._around(here)), np.int64))
            found.append(pool)
            promise = self._promise(posterior, best, pool)
            place = int(promise.argmax())
            if promise[place] <= reached:
                break
            here, reached = tuple(pool.levels[place].tolist()), float(promise[place])
        levels, first = np.unique(
            np.concatenate([p.levels for p in found]), axis=0, return_index=True
        )
        features = np.concatenate([p.features for p in found])[first]
        return Pool(levels, features, np.concatenate([p.product for p in found])[first])

    def _around(self, levels: Levels) -> Iterator[Levels]:
        """One knob one level up or down, or two knobs."""
        sizes = [len(knob.values) for knob in self.problem.precision.knobs]
        moves = [
            (k, d) for k in range(len(sizes)) for d in (-1, 1) if 0 <= levels[k] + d < sizes[k]
        ]
        for place, (k, d) in enumerate(moves):
            one = (*levels[:k], levels[k] + d, *levels[k + 1 :])
            yield one
            for j, e in moves[place + 1 :]:
                if j != k:
                    yield (*one[:j], one[j] + e, *one[j + 1 :])
