"""What phase 2 is asked for, and what every way to do it is made of: costs and measurements."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from kakure.model.errors import Infeasible
from kakure.search.store.parallel import Workers, evaluate
from kakure.search.store.store import Store

from .accuracy import Measured, Tuning, accuracy_task
from .costs import Cost, PrecisionCosts
from .precision import Bits, Levels, PrecisionSpace
from .start import Start

__all__ = ["BATCH", "Entry", "Judge", "Problem", "Spent"]

BATCH = 4
"""Precisions that a method asks for at once, whatever the number of workers."""


class Spent(Exception):
    """A method asked for more evaluations than it has."""


@dataclass(frozen=True)
class Entry:
    """One precision: what it costs and how accurate it was measured to be.

    Attributes
    ----------
    levels : tuple of int
        Of the knobs of the space of precisions.
    bits : tuple of (adc_bits or None, input_bits)
        Layer by layer.
    cost : Cost
    correct, count : int
        Held-out training images.
    loss : float
        Reference accuracy minus this one's.
    """

    levels: Levels
    bits: Bits
    cost: Cost
    correct: int
    count: int
    loss: float

    @property
    def accuracy(self) -> float:
        """Fraction of the held-out images that is classified right."""
        return self.correct / self.count


class Judge:
    """Measures accuracies in parallel, each once; the store keeps them.

    Parameters
    ----------
    precision : PrecisionSpace
    start : Start
    tuning : Tuning
    seed : int
    store : Store
    workers : Workers
    """

    def __init__(
        self,
        precision: PrecisionSpace,
        start: Start,
        tuning: Tuning,
        *,
        seed: int,
        store: Store,
        workers: Workers | None = None,
    ) -> None:
        self.precision = precision
        self.start = start
        self.tuning = tuning
        self.seed = seed
        self.store = store
        self.workers = workers or Workers()
        self.known: dict[Levels, Measured] = {}
        self.seconds: dict[Levels, float] = {}

    def measure(self, wanted: Sequence[Levels], bar: tqdm) -> None:
        """Fill ``known`` with what is wanted; the bar moves as evaluations finish."""
        missing = [levels for levels in dict.fromkeys(wanted) if levels not in self.known]
        # A pool of Ray is made anew for each call; processes of this machine stay.
        size = len(missing) if self.workers.backend == "ray" else self.workers.jobs
        for at in range(0, len(missing), max(1, size)):
            part = missing[at : at + size]
            tasks = [
                accuracy_task(
                    self.precision.config(levels), self.start, self.tuning, seed=self.seed
                )
                for levels in part
            ]
            for levels, outcome in zip(
                part, evaluate(tasks, self.store, self.workers), strict=True
            ):
                self.known[levels] = Measured.of(outcome)
                self.seconds[levels] = outcome.values["seconds"]
                bar.update()


@dataclass
class Problem:
    """Least product of energy, delay and area at a bound on the loss of accuracy.

    Attributes
    ----------
    precision : PrecisionSpace
    costs : PrecisionCosts
    judge : Judge
    loss : float
        How far the accuracy may fall below the reference.
    seed : int
        Of what the method itself draws.
    budget : int or None
        Evaluations that a method may ask for; None for no limit.
    reference : float or None
        Accuracy that the loss is counted from; the measured one of the start when None.
    bar : tqdm
    asked : dict
        The precisions that were asked for, in order.
    waited : float
        Seconds that went into measuring.
    """

    precision: PrecisionSpace
    costs: PrecisionCosts
    judge: Judge
    loss: float
    seed: int
    budget: int | None = None
    reference: float | None = None
    bar: tqdm = field(default_factory=lambda: tqdm(disable=True))
    asked: dict[Levels, Entry] = field(default_factory=dict)
    waited: float = 0.0

    @property
    def start(self) -> Levels:
        """The precision that phase 1 assumed."""
        return self.precision.start

    def ask(self, wanted: Iterable[Levels]) -> list[Entry]:
        """Measure precisions; those that were asked for before cost nothing.

        Raises
        ------
        Spent
            If the budget does not reach; what it reaches is measured.
        """
        wanted = list(wanted)
        new = [levels for levels in dict.fromkeys(wanted) if levels not in self.asked]
        over = self.budget is not None and len(self.asked) + len(new) > self.budget
        if over:
            new = new[: (self.budget or 0) - len(self.asked)]
        begin = time.perf_counter()
        known = [levels for levels in new if levels in self.judge.known]
        self.judge.measure([self.start, *new] if self.reference is None else new, self.bar)
        self.bar.update(len(known))
        self.waited += time.perf_counter() - begin
        for levels in new:
            self.asked[levels] = self._entry(levels)
        if over:
            raise Spent
        return [self.asked[levels] for levels in wanted]

    def _entry(self, levels: Levels) -> Entry:
        found = self.judge.known[levels]
        reference = self.reference
        if reference is None:
            reference = self.judge.known[self.start].accuracy
        cost = self.costs.exact(levels)
        bits = self.precision.bits(levels)
        loss = reference - found.accuracy
        return Entry(levels, bits, cost, found.correct, found.count, loss)

    def keeps(self, entry: Entry) -> bool:
        """Whether the loss is within the bound, and the area within the space's."""
        fits = math.isfinite(entry.cost.product)
        return fits and entry.loss <= self.loss + 1e-9  # accuracies are fractions of small numbers

    @property
    def best(self) -> Entry | None:
        """The least product within the bound, of equals the more accurate; None without any."""
        found = [entry for entry in self.asked.values() if self.keeps(entry)]
        return min(found, key=lambda e: (e.cost.product, -e.correct, e.levels), default=None)

    def require(self) -> Entry:
        """The best; UserError if nothing that was measured is within the bound."""
        best = self.best
        if best is not None:
            return best
        entry = min(self.asked.values(), key=lambda e: (e.loss, e.cost.product, e.levels))
        raise Infeasible(
            f"must be at least {math.ceil(entry.loss * 1e4) / 1e4:.4f}, "
            f"the least of {len(self.asked)} precisions measured",
            where=("loss",),
            value=f"{self.loss:g}",
        )
