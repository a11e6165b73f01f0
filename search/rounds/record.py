"""Everything about a search as search.json holds it: what was asked and found, by which sources."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.provenance import sources, tools
from kakure.search.cost.metrics import Metrics
from kakure.search.cost.tables import Solution
from kakure.search.phase2.problem import Entry
from kakure.search.phase2.records import certificate_record, layers_record
from kakure.search.phase2.search import Phase2Result
from kakure.search.phase2.tested import Tested
from kakure.search.space.space import Space

from .round import Options, Round
from .scores import log_macs, log_parameters
from .synthesis import generator_versions
from .training import images_digest

__all__ = ["search_record"]


def search_record(
    space: Space,
    folder: Path,
    options: Options,
    rounds: Sequence[Round],
    *,
    tested: Tested,
    stopped: str | None,
) -> dict[str, Any]:
    """The record of a search, plain JSON, but for the command that began it.

    Parameters
    ----------
    folder : Path
        Where the space's file lies.
    rounds : sequence of Round
        The best configuration is the last one's.
    tested : Tested
        That configuration on the test images.
    stopped : str or None
        Why there was no further round, where more were asked for.
    """
    last = rounds[-1]
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
        "rounds": [_round(space, one) for one in rounds],
        "stopped": stopped,
        "phase2": _phase2(space, last.precise),
        "best": _best(last) | {"accuracy": _accuracy(last.precise, tested)},
    }
    return json.loads(json.dumps(record))


def _network(space: Space, solution: Solution) -> dict[str, Any]:
    return {
        "channels": solution.channels,
        "pools": [layer.pool[0] for layer in space.families[solution.family].layers],
        "residual": solution.residual,
    }


def _round(space: Space, one: Round) -> dict[str, Any]:
    found, errors = one.found, one.errors
    return {
        "front": [
            {
                "area_um2": each.area_um2,
                "time_ps": found.problem.time_ps(each),
                **_network(space, each),
            }
            for each in found.front
        ],
        "candidates": [
            {
                **_network(space, each.solution),
                "area_um2": each.solution.area_um2,
                "time_ps": found.problem.time_ps(each.solution),
                "score": each.score.value,
                "score_name": each.score.name,
                "log_parameters": each.score.log_parameters,
                "log_macs": each.score.log_macs,
            }
            for each in found.best
        ],
        "chosen": found.chosen,
        "synthesized": [each.to_json() for each in one.done],
        "mean_error": float(np.mean(errors)) if errors else None,
    }


def _best(last: Round) -> dict[str, Any]:
    config = last.precise.config
    best: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "digest": config.digest,
        "metrics": _plain(last.model.metrics(config)),
        "log_parameters": log_parameters(config),
        "log_macs": log_macs(config),
    }
    if last.done:
        first = last.done[0]
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
        "search": sources("kakure.search.rounds.run"),
        "score": sources("kakure.search.rounds.scores"),
        "training": sources("kakure.search.phase2.accuracy"),
    }
