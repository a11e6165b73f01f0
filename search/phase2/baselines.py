"""Other ways to choose precisions: uniform ones, greedy steps, and Optuna's sampler."""

import math

import optuna

from .precision import Levels
from .problem import BATCH, Entry, Problem, Spent

__all__ = ["greedy_search", "tpe_search", "uniform_search"]

ASKS = 20
"""Times that a sampler may draw for each evaluation of its budget; repeated draws are free."""


def uniform_search(problem: Problem) -> None:
    """Measure every precision with one AP and one IP for all layers, the cheapest first."""
    try:
        problem.ask([problem.start])
        found = [(problem.costs.exact(levels).product, levels) for levels in _uniform(problem)]
        problem.ask(levels for _, levels in sorted(found))
    except Spent:
        pass


def _uniform(problem: Problem) -> list[Levels]:
    """Those within the bound on the area."""
    found = problem.precision.uniform()
    return [levels for levels in found if math.isfinite(problem.costs.exact(levels).product)]


def greedy_search(problem: Problem) -> None:
    """Take the knob down that gains most for its loss, until the bound holds no longer.

    From the start, every single step down that is cheaper is measured; of those within the bound
    the one of the largest ln(product before / after) / (loss + half an image) is taken.
    """
    try:
        (here,) = problem.ask([problem.start])
        while (after := _step(problem, here)) is not None:
            here = after
    except Spent:
        pass


def _step(problem: Problem, here: Entry) -> Entry | None:
    costs = problem.costs
    below = [
        levels
        for levels in problem.precision.lowered(here.levels)
        if costs.exact(levels).product < here.cost.product
    ]
    kept = [entry for entry in problem.ask(below) if problem.keeps(entry)]

    def worth(entry: Entry) -> float:
        gain = math.log(here.cost.product / entry.cost.product)
        return gain / (max(entry.loss - here.loss, 0.0) + 0.5 / entry.count)

    return max(kept, key=worth, default=None)


def tpe_search(problem: Problem) -> None:
    """Optuna's tree-structured Parzen estimator: least ln(product), the loss a constraint.

    Asked in batches of a fixed size and told in their order, from a study in memory: the same
    seed gives the same trials whatever the number of workers, and an interrupted search draws
    them again, with the measurements from the store.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=problem.seed, multivariate=True)
    study = optuna.create_study(sampler=sampler, direction="minimize")
    knobs = problem.precision.knobs
    study.enqueue_trial({f"{k}": level for k, level in enumerate(problem.start)})
    try:
        for _ in range(ASKS * (problem.budget or 50) // BATCH):
            asked = [study.ask() for _ in range(BATCH)]
            wanted: list[Levels] = []
            trials = []
            for trial in asked:
                levels = tuple(
                    trial.suggest_int(f"{k}", 0, len(knob.values) - 1)
                    for k, knob in enumerate(knobs)
                )
                if math.isfinite(problem.costs.exact(levels).product):
                    wanted.append(levels)
                    trials.append(trial)
                else:  # above the bound on the area
                    study.tell(trial, state=optuna.trial.TrialState.FAIL)
            for trial, entry in zip(trials, problem.ask(wanted), strict=True):
                trial.set_constraint("loss", entry.loss - problem.loss)
                study.tell(trial, math.log(entry.cost.product))
            if len(problem.asked) >= min(problem.budget or math.inf, problem.precision.size):
                break
    except Spent:
        pass
