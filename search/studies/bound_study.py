"""Does phase 2 keep its bound? Many searches and their test images.

The network is the one that the space's search takes with seed 1; each seed trains it anew and
chooses its precisions anew. Every finished seed is kept; the same command goes on.
"""

import argparse
import math
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kakure.model.commands.command import positive, seeds
from kakure.model.provenance import sources, tools
from kakure.search.cost.metrics import CostModel
from kakure.search.phase2.accuracy import Tuning
from kakure.search.phase2.certificate import Demand, certify
from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.paired import Paired, loss_bound
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.phase2.problem import Judge, Problem
from kakure.search.phase2.records import certificate_record, layers_record, tested_record
from kakure.search.phase2.search import (
    METHODS,
    check_images,
    make_judge,
    make_witness,
    progress_bar,
    result_of,
)
from kakure.search.phase2.tested import on_test_images
from kakure.search.rounds.rounds import Candidate, cost_model, find_candidates
from kakure.search.rounds.training import start_of
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .page import write_page
from .record import load_record, save_record

__all__ = ["allowed", "interval", "options", "run", "search_once", "table"]

BUILD = Path("build") / "phase2"

CHOSEN_BY = 1
"""Seed of the scores that choose the network."""

SIDES = 0.95
"""One-sided confidence of each end of the interval of the loss on the test images."""


def search_once(
    space: Space,
    candidate: Candidate,
    folder: Path,
    model: CostModel,
    store: Store,
    workers: Workers,
    *,
    seed: int,
    demand: Demand,
    progress: bool = False,
) -> dict[str, Any]:
    """Train the network and choose its precisions, as a search does; what came of it, for JSON.

    Beside it stands the precision that the images which choose alone would have led to.
    """
    begin = time.process_time()
    effort = space.effort
    start = start_of(candidate.family, candidate.point, folder, store, seed=seed, progress=progress)
    precision = PrecisionSpace(candidate.family, candidate.point, start.config.name)
    has_energy = math.isfinite(model.metrics(start.config).energy_pj)
    costs = PrecisionCosts(precision, model, product="edap" if has_energy else "delay-area")
    tuning = Tuning(epochs=effort.tuning_epochs)
    judge: Judge = make_judge(precision, start, tuning, seed=seed, store=store, workers=workers)
    check_images(judge, effort.accuracy_loss, demand)
    with progress_bar(f"seed {seed}", effort.precisions, progress) as bar:
        problem = Problem(
            precision, costs, judge, effort.accuracy_loss, seed, effort.precisions, bar=bar
        )
        METHODS["guided"](problem)
    uncertified = problem.require()
    certificate = certify(problem, demand, make_witness(judge, demand, progress=progress))
    result = result_of(problem, certificate)
    chosen = (result.config, result.parameters)
    config = precision.config(uncertified.levels)
    other = (config, judge.known[uncertified.levels].parameters(config))
    return {
        "seed": seed,
        "validation": {"reference": result.start.correct, "count": result.start.count},
        "gain": result.gain,
        "shown": certificate_record(certificate),
        "test": tested_record(on_test_images(result.reference, chosen, folder)),
        "uncertified": {
            "layers": layers_record(uncertified),
            "gain": result.start.cost.product / uncertified.cost.product,
            "test": tested_record(on_test_images(result.reference, other, folder)),
        },
        "seconds": time.process_time() - begin,
        "sources": sources("kakure.search.studies.bound_study"),
    }


def loss_of(test: Mapping[str, int]) -> float:
    """Accuracy lost on the test images."""
    return (test["lost"] - test["gained"]) / test["count"]


def interval(test: Mapping[str, int]) -> tuple[float, float]:
    """Where the loss on images like the test images lies, at a confidence of 0.9."""
    there = Paired(test["lost"], test["gained"], test["count"])
    back = Paired(test["gained"], test["lost"], test["count"])
    return -loss_bound(back, SIDES), loss_bound(there, SIDES)


def allowed(runs: int, confidence: float) -> int:
    """Searches of ``runs`` that may lie beyond the bound before that is a surprise.

    The least k with P(more than k) ≤ 0.05, if each does with a chance of 1 − confidence.
    """
    error = 1 - confidence
    tail = 1.0
    for k in range(runs + 1):
        tail -= math.comb(runs, k) * error**k * confidence ** (runs - k)
        if tail <= 0.05 + 1e-9:
            return k
    return runs


def table(record: Mapping[str, Any]) -> str:
    """The finished searches in Markdown, and how many broke the bound."""
    bound, confidence = record["loss"], record["confidence"]
    rows = [record["seeds"][key] for key in sorted(record["seeds"], key=int)]
    heads = (
        "seed",
        "right before, validation",
        "test",
        "AP/IP",
        "product lower by",
        "shown: at most",
        "right after, test",
        "loss on test, interval [%]",
        "broken",
        "by validation alone: loss on test [%]",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        test, shown = row["test"], row["shown"]["chosen"]
        low, high = interval(test)
        lines.append(
            f"| {row['seed']} "
            f"| {row['validation']['reference']} of {row['validation']['count']} "
            f"| {test['reference']} of {test['count']} "
            f"| {_bits(shown['layers'])} | {row['gain']:.2f}x | {100 * shown['bound']:.2f} % "
            f"| {test['correct']} (−{test['lost']} +{test['gained']}) "
            f"| {100 * loss_of(test):.2f}, {100 * low:.1f} to {100 * high:.1f} "
            f"| {'yes' if loss_of(test) > bound else 'no'} "
            f"| {100 * loss_of(row['uncertified']['test']):.2f} "
            f"({row['uncertified']['gain']:.2f}x) |"
        )
    if rows:
        lines += ["", _summary(rows, bound, confidence)]
    return "\n".join(lines)


def _summary(rows: Sequence[Mapping[str, Any]], bound: float, confidence: float) -> str:
    broken = sum(loss_of(row["test"]) > bound for row in rows)
    surely = sum(interval(row["test"])[0] > bound for row in rows)
    before = sum(loss_of(row["uncertified"]["test"]) > bound for row in rows)
    gains = [row["gain"] for row in rows]
    error = 1 - confidence
    return (
        f"{len(rows)} searches, bound {100 * bound:g} %, confidence {100 * confidence:g} %: "
        f"**{broken} broken** on the test images, {error * len(rows):g} to be expected at most, "
        f"{allowed(len(rows), confidence)} compatible with the confidence (binomial, 95 %); "
        f"{surely} whose interval lies beyond the bound as a whole. Mean loss on the test images "
        f"{100 * statistics.mean(loss_of(row['test']) for row in rows):.2f} %, median product "
        f"lower by {statistics.median(gains):.2f}x. Chosen by validation alone, {before} of the "
        f"same searches break it."
    )


def _bits(layers: Sequence[Mapping[str, int | None]]) -> str:
    return " ".join(
        f"{'-' if la['adc_bits'] is None else la['adc_bits']}/{la['input_bits']}" for la in layers
    )


def decides(space: Space, candidate: Candidate, demand: Demand) -> dict[str, Any]:
    """What all finished searches of a file have in common."""
    return {
        "space": space.model_dump(mode="json"),
        "network": candidate.solution.config(space).digest,
        "loss": space.effort.accuracy_loss,
        **asdict(demand),
        "tools": tools("torch", "numpy", "scikit-learn"),
        "machine": platform.machine(),
    }


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("--space", type=Path, required=True, metavar="FILE", help="search space (.json)")
    add("--seeds", type=seeds, default=range(1, 21), help="FIRST-LAST (1-20)")
    add("--model", choices=("digital", "analog"), default="digital", help="of costs (%(default)s)")
    add("--confidence", type=float, help="instead of the space's")
    add("--parts", type=positive, help="that judge, instead of the space's")
    add("--jobs", type=positive, default=1, help="evaluations at once (%(default)s)")
    add("--store", type=Path, metavar="FILE", help="(build/phase2/bound.sqlite)")
    add("--output", type=Path, metavar="FILE", help="(build/phase2/bound-SPACE.json)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Search with every seed that is not finished, and print the table."""
    torch.set_num_threads(1)
    space = load_space(args.space)
    folder = args.space.parent
    confidence = space.effort.confidence if args.confidence is None else args.confidence
    demand = Demand(confidence, args.parts or space.effort.parts)
    space = space.changed(effort=space.effort.changed(confidence=confidence, parts=demand.parts))
    store = Store(args.store or BUILD / "bound.sqlite")
    workers = Workers(args.jobs)
    model = cost_model(args.model)
    found = find_candidates(space, model, folder, store, workers, seed=CHOSEN_BY, progress=True)
    candidate = found.best[found.chosen]
    path = args.output or BUILD / f"bound-{space.name}.json"
    record = load_record(path, decides(space, candidate, demand), "seeds")
    wanted = [number for number in args.seeds if str(number) not in record["seeds"]]
    begin = time.monotonic()
    for done, number in enumerate(wanted):
        if done:
            left = (time.monotonic() - begin) / done * (len(wanted) - done)
            print(f"{done} of {len(wanted)} seeds, {left / 60:.0f} min left", flush=True)
        one = search_once(
            space,
            candidate,
            folder,
            model,
            store,
            workers,
            seed=number,
            demand=demand,
            progress=True,
        )
        record["seeds"][str(number)] = one
        save_record(path, record)
        print(f"seed {number}: {one['shown']['statement']}; test {one['test']}", flush=True)
    text = table(record)
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, space.name, text)
