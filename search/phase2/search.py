"""Phase 2: the precision of every layer of a trained network, for least energy·delay·area."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.search.cost.metrics import CostModel
from kakure.search.space.point import Point
from kakure.search.space.space import Space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .accuracy import Tuning
from .baselines import greedy_search, tpe_search, uniform_search
from .certificate import Certificate, Demand, certify, require_images
from .costs import PrecisionCosts, Product
from .guided import guided_search
from .parts import judging
from .precision import PrecisionSpace
from .problem import Entry, Judge, Problem
from .start import Start
from .witness import Witness, part_starts

__all__ = ["METHODS", "Method", "Phase2Result", "front", "optimize"]

Method = Literal["guided", "uniform", "greedy", "tpe"]

METHODS: dict[Method, Callable[[Problem], None]] = {
    "uniform": uniform_search,
    "greedy": greedy_search,
    "tpe": tpe_search,
    "guided": guided_search,
}
"""All ways to choose precisions, the default one last."""


@dataclass(frozen=True)
class Phase2Result:
    """What phase 2 chose.

    Attributes
    ----------
    config : Config
        The chosen configuration.
    parameters : Parameters
        Its integers, fine-tuned at its precision: those whose accuracy was measured.
    reference : (Config, Parameters)
        What the loss is counted from: at the precision that phase 1 assumed, tuned alike.
    certificate : Certificate
        What is shown of it on images that chose nothing.
    start : Entry
        The precision that phase 1 assumed.
    front : tuple of Entry
        Of all measured: those that no other one beats in energy (the product, where the model
        has no energy) and in accuracy, the cheapest first.
    history : tuple of Entry
        All that were measured, in the order in which they were asked for.
    seconds : float
        Of the processor, in all evaluations, whether they ran now or before.
    """

    config: Config
    parameters: Parameters
    reference: tuple[Config, Parameters]
    certificate: Certificate
    start: Entry
    front: tuple[Entry, ...]
    history: tuple[Entry, ...]
    seconds: float = field(compare=False)

    @property
    def chosen(self) -> Entry:
        """The chosen precision."""
        return self.certificate.chosen.entry

    @property
    def evaluations(self) -> int:
        """Number of precisions measured."""
        return len(self.history)

    @property
    def gain(self) -> float:
        """How many times lower the product is than the start's."""
        return self.start.cost.product / self.chosen.cost.product


def optimize(
    space: Space,
    point: Point,
    start: Start,
    model: CostModel,
    *,
    store: Store,
    loss: float = 0.01,
    budget: int = 40,
    seed: int = 1,
    tuning: Tuning | None = None,
    workers: Workers | None = None,
    method: Method = "guided",
    demand: Demand | None = None,
    product: Product = "edap",
    extrapolate: bool = False,
    reference: float | None = None,
    progress: bool = False,
) -> Phase2Result:
    """Choose AP and IP of every layer for least energy·delay·area at a bound on the loss.

    Accuracies are measured, on held-out training images and the integer model, after fine-tuning
    at the precision in question; what is chosen is shown to keep the bound on other images,
    :func:`kakure.search.phase2.certificate.certify`. Every finished one is in the store at once.
    The same arguments give the same result, interrupted or not, whatever the number of workers.

    Parameters
    ----------
    space : Space
        Its ``objective`` says whether delay is the latency or the interval.
    point : Point
        The network and its options, as phase 1 chose them; its precision does not matter.
    start : Start
        The network, trained at the precision that phase 1 assumes.
    model : CostModel
    store : Store
    loss : float
        How far the accuracy may fall below the reference, on images never seen.
    budget : int
        Precisions that are measured to choose, at most.
    seed : int
    tuning : Tuning, optional
    workers : Workers, optional
    method : "guided", "uniform", "greedy" or "tpe"
    demand : Demand, optional
        With which confidence the bound is shown.
    product : "edap" or "delay-area"
        The latter for a model without energy.
    extrapolate : bool
        Whether costs outside the range that the model was fitted to are taken.
    reference : float, optional
        Accuracy that the loss is counted from; by default the start's, fine-tuned like the others.
    progress : bool
        Whether a progress bar is shown.

    Raises
    ------
    UserError
        If the model has no energy; if a precision lies outside the fitted range; if there are too
        few images to show the bound; if no precision that was measured is within it; if the start
        is not the point's network.
    """
    if budget < 1:
        raise UserError("must be at least 1", where=("budget",), value=budget)
    if not 0 <= loss < 1:
        raise UserError("must be at least 0 and below 1", where=("loss",), value=f"{loss:g}")
    precision = PrecisionSpace(space, point, start.config.name)
    costs = PrecisionCosts(precision, model, product=product, extrapolate=extrapolate)
    judge = make_judge(precision, start, tuning, seed=seed, store=store, workers=workers)
    demand = demand or Demand()
    check_images(judge, loss, demand, reference)
    with progress_bar(method, min(budget, precision.size), progress) as bar:
        problem = Problem(precision, costs, judge, loss, seed, budget, reference, bar)
        METHODS[method](problem)
    problem.require()
    witness = make_witness(judge, demand, progress=progress)
    return result_of(problem, certify(problem, demand, witness))


def make_judge(
    precision: PrecisionSpace,
    start: Start,
    tuning: Tuning | None,
    *,
    seed: int,
    store: Store,
    workers: Workers | None,
) -> Judge:
    """A judge; UserError if the start is not the network at the precision that phase 1 assumes."""
    expected = precision.config(precision.start)
    if start.config.changed(parameters=None).digest != expected.digest:
        raise UserError(
            f"{start.config.name}: must be the network of the point, trained at the precision that "
            "phase 1 assumes, the first of each list"
        )
    return Judge(precision, start, tuning or Tuning(), seed=seed, store=store, workers=workers)


def check_images(judge: Judge, loss: float, demand: Demand, reference: float | None = None) -> None:
    """UserError if the images that will judge are too few to show that bound."""
    start, data = judge.start, judge.start.all_images
    parts = judging(start.part, demand.parts)
    given = 1.0 if reference is None else reference
    count = sum(int(part.mask(data, start.recipe).sum()) for part in parts)
    require_images(loss, demand, count, given)


def make_witness(judge: Judge, demand: Demand, *, progress: bool = False) -> Witness:
    """The networks that have not seen what judges, trained first unless they are known."""
    starts = part_starts(
        judge.start,
        demand.parts,
        seed=judge.seed,
        store=judge.store,
        workers=judge.workers,
        progress=progress,
    )
    return Witness(
        judge.precision, starts, judge.tuning, judge.seed, judge.store, judge.workers, progress
    )


def progress_bar(name: str, total: int | None, progress: bool) -> tqdm:
    """A bar over precisions, with the time that is left."""
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(
        total=total,
        desc=f"precisions, {name}",
        unit="",
        mininterval=interval,
        disable=not progress,
    )


def result_of(problem: Problem, certificate: Certificate) -> Phase2Result:
    """What a method found."""
    chosen = certificate.chosen.entry
    history = tuple(problem.asked.values())
    config = problem.precision.config(chosen.levels)
    first = problem.precision.config(problem.start)
    return Phase2Result(
        config=config,
        parameters=problem.judge.known[chosen.levels].parameters(config),
        reference=(first, problem.judge.known[problem.start].parameters(first)),
        certificate=certificate,
        start=problem.asked[problem.start],
        front=front(history, has_energy=problem.costs.product == "edap"),
        history=history,
        seconds=sum(problem.judge.seconds[entry.levels] for entry in history),
    )


def front(entries: tuple[Entry, ...], *, has_energy: bool = True) -> tuple[Entry, ...]:
    """Those that no other one beats in energy, or product, and in accuracy; cheapest first."""

    def price(entry: Entry) -> float:
        return entry.cost.energy_pj if has_energy else entry.cost.product

    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (price(e), -e.correct, e.levels)):
        if not kept or entry.correct > kept[-1].correct:
            kept.append(entry)
    return tuple(kept)
