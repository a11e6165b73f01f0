"""A whole search: phase 1, phase 2 and synthesis, round after round."""

import json
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.errors import Infeasible, UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import sources, tools
from kakure.search.cost.digital.measured import Measurement
from kakure.search.cost.metrics import CostModel, Metrics
from kakure.search.cost.tables import Solution
from kakure.search.phase2.accuracy import Tuning
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.problem import Entry
from kakure.search.phase2.records import certificate_record, layers_record
from kakure.search.phase2.search import Phase2Result, optimize
from kakure.search.phase2.tested import Tested, on_test_images
from kakure.search.space.space import Space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .rounds import (
    Candidates,
    Synthesized,
    cost_model,
    find_candidates,
    hardware_of,
    synthesize,
    to_synthesize,
)
from .scores import log_macs, log_parameters
from .synthesis import generator_versions
from .training import images_digest, start_of

__all__ = ["Options", "Result", "search"]

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
class Result:
    """What a search found.

    Attributes
    ----------
    config : Config
        The best configuration.
    parameters : Parameters
        Trained at its precision.
    record : dict
        Everything about it, as search.json holds it but for the command.
    """

    config: Config
    parameters: Parameters
    record: Mapping[str, Any]


def search(
    space: Space,
    folder: Path,
    options: Options,
    store: Store,
    workers: Workers,
    *,
    progress: bool = False,
) -> Result:
    """Find the best configuration of a space.

    The same space, options and seed give the same result, whatever was stored before and however
    many workers there are.

    Parameters
    ----------
    folder : Path
        Where the space's file lies.

    Raises
    ------
    UserError
        If the space cannot be searched: the bound is infeasible, a layer lies outside the fitted
        range, the data set is missing, no precision keeps the accuracy.
    """
    if options.model == "analog" and options.rounds:
        raise UserError(
            "must be 0 with the analog model: there is nothing to synthesize", where=("rounds",)
        )
    for split in ("train", "test"):  # what is missing is said before hours of training
        load_images(space.probe, folder, split)
    extra: list[Measurement] = []
    seen: set[str] = set()
    turns: list[_Turn] = []
    stopped = None
    for number in range(1, max(1, options.rounds) + 1):
        if progress and options.rounds:
            print(f"round {number} of {options.rounds}", flush=True)
        model = cost_model(options.model, extra)
        try:
            turn = _turn(space, folder, options, model, seen, store, workers, progress)
        except Infeasible as error:
            # What was learned may leave no network below the bound: the last round's stands.
            if not turns or error.where != ("area_um2",):
                raise
            stopped = str(error)
            break
        turns.append(turn)
        extra += [one.measurement for one in turns[-1].done if one.is_new]
        seen |= {hardware_of(one.config) for one in turns[-1].done}
        if progress and turns[-1].done:
            print(_said(number, turns[-1].done), flush=True)
    last = turns[-1]
    precise = last.precise
    tested = on_test_images(precise.reference, (precise.config, precise.parameters), folder)
    record = {
        "format": 1,
        "space": space.model_dump(mode="json"),
        "space_digest": space.digest,
        "objective": space.objective,
        "options": asdict(options),
        "seed": options.seed,
        "versions": _versions(options),
        "sources": _sources(),
        "images": {name: images_digest(space.probe, folder, name) for name in ("train", "test")},
        "model": {"name": options.model},
        "rounds": [_round(space, turn.found, turn.done) for turn in turns],
        "stopped": stopped,
        "phase2": _phase2(space, precise),
        "best": _best(last) | {"accuracy": _accuracy(precise, tested)},
    }
    return Result(precise.config, precise.parameters, json.loads(json.dumps(record)))


@dataclass(frozen=True)
class _Turn:
    """One round: the model it believed, what it found, and what it synthesized."""

    model: CostModel
    found: Candidates
    precise: Phase2Result
    done: list[Synthesized]


def _turn(
    space: Space,
    folder: Path,
    options: Options,
    model: CostModel,
    seen: Set[str],
    store: Store,
    workers: Workers,
    progress: bool,
) -> _Turn:
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
    return _Turn(model, found, precise, done)


def _network(space: Space, solution: Solution) -> dict[str, Any]:
    return {
        "channels": solution.channels,
        "pools": [layer.pool[0] for layer in space.families[solution.family].layers],
        "residual": solution.residual,
    }


def _round(space: Space, found: Candidates, done: list[Synthesized]) -> dict[str, Any]:
    errors = _errors(done)
    return {
        "front": [
            {
                "area_um2": one.area_um2,
                "time_ps": found.problem.time_ps(one),
                **_network(space, one),
            }
            for one in found.front
        ],
        "candidates": [
            {
                **_network(space, one.solution),
                "area_um2": one.solution.area_um2,
                "time_ps": found.problem.time_ps(one.solution),
                "score": one.score.value,
                "score_name": one.score.name,
                "log_parameters": one.score.log_parameters,
                "log_macs": one.score.log_macs,
            }
            for one in found.best
        ],
        "chosen": found.chosen,
        "synthesized": [one.to_json() for one in done],
        "mean_error": float(np.mean(errors)) if errors else None,
    }


def _errors(done: list[Synthesized]) -> list[float]:
    """Relative errors of what the model had not seen."""
    return [abs(one.error) for one in done if one.is_new]


def _said(number: int, done: list[Synthesized]) -> str:
    lines = [f"{'':16}{'predicted µm²':>15}{'synthesized µm²':>17}{'error':>9}"]
    for one in done:
        lines.append(
            f"{one.role:16}{one.predicted_um2:>15,.0f}{one.measurement.area_um2:>17,.0f}"
            f"{100 * one.error:>8.2f} %{'' if one.is_new else '  seen before'}"
        )
    errors = _errors(done)
    if errors:
        lines.append(f"round {number}: mean error {100 * np.mean(errors):.2f} % before synthesis")
    else:
        lines.append(f"round {number}: nothing new to synthesize")
    return "\n".join(lines)


def _best(turn: _Turn) -> dict[str, Any]:
    config = turn.precise.config
    best: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "digest": config.digest,
        "metrics": _plain(turn.model.metrics(config)),
        "log_parameters": log_parameters(config),
        "log_macs": log_macs(config),
    }
    if turn.done:
        first = turn.done[0]
        best |= {"synthesized_um2": first.measurement.area_um2, "error": first.error}
    return best


def _phase2(space: Space, precise: Phase2Result) -> dict[str, Any]:
    reference = precise.start.accuracy
    return {
        "start": _entry(precise.start),
        "chosen": _entry(precise.chosen),
        "front": [_entry(one) for one in precise.front],
        "history": [_entry(one) for one in precise.history],
        "gain": precise.gain,
        "reference_accuracy": reference,
        "least_accuracy": reference - space.effort.accuracy_loss,
        "certificate": certificate_record(precise.certificate),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "layers": layers_record(entry),
        "energy_pj": _finite(entry.cost.energy_pj),
        "area_um2": entry.cost.area_um2,
        "time_ns": entry.cost.time_ns,
        "product": entry.cost.product,
        "correct": entry.correct,
        "count": entry.count,
        "accuracy": entry.accuracy,
    }


def _finite(value: Any) -> float | None:
    """What a model does not know is null in JSON."""
    return float(value) if np.isfinite(value) else None


def _accuracy(precise: Phase2Result, tested: Tested) -> dict[str, Any]:
    return {
        "validation": precise.chosen.accuracy,
        "test": tested.correct / tested.count,
        "test_correct": tested.correct,
        "test_count": tested.count,
        "test_reference_correct": tested.reference,
        "test_lost": tested.paired.lost,
        "test_gained": tested.paired.gained,
        "loss_bound": precise.certificate.chosen.bound,
        "confidence": precise.certificate.confidence,
        "statement": precise.certificate.statement,
    }


def _plain(metrics: Metrics) -> dict[str, Any]:
    """Metrics as JSON holds them."""
    layers = {
        field.name: [_finite(value) for value in getattr(metrics.layers, field.name)]
        for field in fields(metrics.layers)
        if field.name != "is_known"
    }
    names = (field.name for field in fields(metrics) if field.name not in ("layers", "outside"))
    numbers = {name: _finite(getattr(metrics, name)) for name in names}
    return {"layers": layers, "outside": list(metrics.outside)} | numbers


def _versions(options: Options) -> dict[str, str]:
    versions = tools("amaranth", "joblib", "numpy", "optuna", "torch")
    if options.rounds:
        versions = versions | generator_versions()
    return versions


def _sources() -> dict[str, str]:
    """Digests of the sources: of the search as a whole, and of what decides each evaluation."""
    return {
        "search": sources(__name__),
        "score": sources("kakure.search.rounds.scores"),
        "training": sources("kakure.search.phase2.accuracy"),
    }
