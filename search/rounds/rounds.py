"""Rounds of a search: find, synthesize what was found, learn, and find again."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.config.config import Config
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.feedback import refit
from kakure.search.cost.digital.measured import Measurement
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import CostModel
from kakure.search.cost.tables import Solution
from kakure.search.phase1.problem import Problem
from kakure.search.space.point import Point
from kakure.search.space.space import Space
from kakure.search.store.parallel import Workers, evaluate
from kakure.search.store.store import Store

from .checks import exact_search
from .scores import Score
from .synthesis import measurement_of, synthesis_task
from .training import score_task

__all__ = [
    "Candidate",
    "Candidates",
    "Synthesized",
    "cost_model",
    "find_candidates",
    "hardware_of",
    "synthesize",
    "to_synthesize",
]


def cost_model(name: str, extra: Sequence[Measurement] = ()) -> CostModel:
    """The model of that name; the digital one has also seen the points of ``extra``."""
    if name == "analog":
        return AnalogModel()
    if not extra:
        return DigitalModel()
    return DigitalModel(coefficients=refit(extra))


@dataclass(frozen=True)
class Candidate:
    """A network of phase 1 with its best periphery, and its score.

    Attributes
    ----------
    solution : Solution
    family : Space
        The family of the space that it belongs to.
    point : Point
        The same as a point of that family, at the precision that phase 1 assumes.
    score : Score
    """

    solution: Solution
    family: Space
    point: Point
    score: Score


@dataclass(frozen=True)
class Candidates:
    """What phase 1 found.

    Attributes
    ----------
    front : tuple of Solution
        The whole front of area against time under the bounds.
    best : tuple of Candidate
        The best networks, best first.
    chosen : int
        Index of the one with the highest score; of equal ones the first.
    doubtful : tuple of Solution
        The points of the front, that whose area is least certain first.
    problem : Problem
        What phase 1 was asked.
    """

    front: tuple[Solution, ...]
    best: tuple[Candidate, ...]
    chosen: int
    doubtful: tuple[Solution, ...]
    problem: Problem


def find_candidates(
    space: Space,
    model: CostModel,
    folder: Path,
    store: Store,
    workers: Workers,
    *,
    seed: int,
    progress: bool = False,
) -> Candidates:
    """Solve phase 1 exactly, and let the score choose among the best networks.

    Parameters
    ----------
    folder : Path
        Where the space's file lies; a data set given as a folder is relative to it.

    Raises
    ------
    UserError
        If no network keeps within the bounds, or a layer lies outside the fitted range.
    """
    exact = exact_search(space, model)
    front = exact.front().solutions()
    found = exact.k_best(space.effort.candidates)
    families = [space.families[solution.family] for solution in found]
    points = [solution.point(space) for solution in found]
    tasks = [
        score_task(family, point, folder, seed)
        for family, point in zip(families, points, strict=True)
    ]
    outcomes = evaluate(tasks, store, workers, progress="score networks" if progress else None)
    scores = [Score(**outcome.values) for outcome in outcomes]
    best = tuple(map(Candidate, found, families, points, scores))
    chosen = max(range(len(best)), key=lambda index: (best[index].score.value, -index))
    doubtful = sorted(front, key=lambda solution: -_doubt_um2(space, model, solution))
    return Candidates(tuple(front), best, chosen, tuple(doubtful), exact.problem)


def _doubt_um2(space: Space, model: CostModel, solution: Solution) -> float:
    """Area error to be expected: the layers' own errors, as if independent [µm²]."""
    costs = model.metrics(solution.config(space)).layers
    return float(np.sqrt(np.sum((costs.area_error * costs.area_um2) ** 2)))


@dataclass(frozen=True)
class Synthesized:
    """A configuration whose area was predicted first, and synthesized then.

    Attributes
    ----------
    role : str
        Why it was synthesized.
    config : Config
    predicted_um2 : float
        By the model of the round.
    measurement : Measurement
    is_new : bool
        Whether that model had not seen it.
    """

    role: str
    config: Config
    predicted_um2: float
    measurement: Measurement
    is_new: bool

    @property
    def error(self) -> float:
        """Predicted over synthesized area, less one."""
        return self.predicted_um2 / self.measurement.area_um2 - 1

    def to_json(self) -> Mapping[str, Any]:
        """For search.json."""
        return {
            "role": self.role,
            "digest": self.config.digest,
            "predicted_um2": self.predicted_um2,
            "synthesized_um2": self.measurement.area_um2,
            "critical_path_ns": self.measurement.critical_path_ns,
            "error": self.error,
            "is_new": self.is_new,
        }


def hardware_of(config: Config) -> str:
    """What a configuration's hardware depends on: equal for those that differ only in names."""
    return str(synthesis_task(config).arguments["config"])


def to_synthesize(
    space: Space, found: Candidates, best: Config, seen: Container[str], count: int
) -> list[tuple[str, Config]]:
    """Configurations whose synthesis teaches most, each with its role; none twice.

    The best one, always; the best networks of phase 1 and the least certain point of the front,
    as far as they were not synthesized before.

    Parameters
    ----------
    seen : container of str
        :func:`hardware_of` what was synthesized before.
    count : int
        Networks of phase 1.
    """
    named = {hardware_of(best): ("best", best)}

    def add(role: str, solutions: Iterable[Solution], most: int) -> None:
        for solution in solutions:
            config = solution.config(space)
            key = hardware_of(config)
            if most and key not in seen and key not in named:
                named[key] = (role, config)
                most -= 1

    first = found.best[found.chosen].solution
    others = [one.solution for n, one in enumerate(found.best) if n != found.chosen]
    add("phase 1", [first, *others], count)
    add("least certain", found.doubtful, 1)
    return list(named.values())


def synthesize(
    named: Sequence[tuple[str, Config]],
    model: CostModel,
    seen: Container[str],
    store: Store,
    workers: Workers,
    *,
    progress: bool = False,
) -> list[Synthesized]:
    """Predict and synthesize configurations.

    Parameters
    ----------
    named : sequence of (role, Config)
    seen : container of str
        :func:`hardware_of` what the model has seen.
    """
    predicted = [model.metrics(config).area_um2 for _, config in named]
    tasks = [synthesis_task(config) for _, config in named]
    outcomes = evaluate(tasks, store, workers, progress="synthesize" if progress else None)
    return [
        Synthesized(role, config, area, measurement_of(outcome), hardware_of(config) not in seen)
        for (role, config), area, outcome in zip(named, predicted, outcomes, strict=True)
    ]
