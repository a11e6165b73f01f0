"""One round of a search: phase 1, phase 2, and synthesis of what was found."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from kakure.search.cost.metrics import CostModel
from kakure.search.phase2.accuracy import Tuning
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.search import Phase2Result, optimize
from kakure.search.space.space import Space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .rounds import Candidates, Synthesized, find_candidates, synthesize, to_synthesize
from .training import start_of

__all__ = ["ModelName", "Options", "Round", "run_round"]

ModelName = Literal["digital", "analog"]


@dataclass(frozen=True)
class Options:
    """What a search is asked besides its space.

    Attributes
    ----------
    model : "digital" or "analog"
    rounds : int
        Rounds of search and synthesis; 0 searches once and synthesizes nothing.
    synthesized : int
        Networks of phase 1 that each round synthesizes besides the best configuration and the
        least certain one.
    seed : int
        Of all trainings.
    """

    model: ModelName = "digital"
    rounds: int = 1
    synthesized: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes
    ----------
    model : CostModel
        That it believed.
    found : Candidates
        Of phase 1.
    precise : Phase2Result
        Of phase 2, on the best of them.
    done : list of Synthesized
        What it synthesized.
    """

    model: CostModel
    found: Candidates
    precise: Phase2Result
    done: list[Synthesized]

    @property
    def errors(self) -> list[float]:
        """Relative errors of what the model had not seen."""
        return [abs(one.error) for one in self.done if one.is_new]


def run_round(
    space: Space,
    folder: Path,
    options: Options,
    model: CostModel,
    seen: Set[str],
    store: Store,
    workers: Workers,
    progress: bool,
) -> Round:
    """Search under a model, and synthesize what was found.

    Parameters
    ----------
    seen : set of str
        Hardware that the model has learned from.
    """
    found = find_candidates(
        space, model, folder, store, workers, seed=options.seed, progress=progress
    )
    chosen = found.best[found.chosen]
    start = start_of(
        chosen.family, chosen.point, folder, store, seed=options.seed, progress=progress
    )
    has_energy = np.isfinite(model.metrics(start.config).energy_pj)
    precise = optimize(
        chosen.family,
        chosen.point,
        start,
        model,
        store=store,
        loss=space.effort.accuracy_loss,
        budget=space.effort.precisions,
        seed=options.seed,
        tuning=Tuning(epochs=space.effort.tuning_epochs),
        demand=Demand(space.effort.confidence, space.effort.parts),
        workers=workers,
        product="edap" if has_energy else "delay-area",
        progress=progress,
    )
    done: list[Synthesized] = []
    if options.rounds:
        named = to_synthesize(space, found, precise.config, seen, options.synthesized)
        done = synthesize(named, model, seen, store, workers, progress=progress)
    return Round(model, found, precise, done)
