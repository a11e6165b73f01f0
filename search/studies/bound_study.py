"""Does phase 2 keep its bound? Many searches and their test images.

The network is the one that the space's search takes with seed 1; each seed trains it anew and
chooses its precisions anew. Every finished seed is kept; the same command goes on.
"""

import argparse
import math
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kakure.model.commands.command import jobs, positive, say, seeds
from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError
from kakure.model.provenance import array_digest, sources, tools
from kakure.search.cost.metrics import CostModel
from kakure.search.phase2.accuracy import Tuning
from kakure.search.phase2.certificate import Demand, certify
from kakure.search.phase2.costs import PrecisionCosts
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

from .bound_table import table
from .page import check_page, write_page
from .record import held_record, load_record, save_record

__all__ = ["options", "run", "search_once"]

BUILD = Path("build") / "phase2"

CHOSEN_BY = 1
"""Seed of the scores that choose the network."""


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
        "sources": sources(__name__),
    }


def in_common(space: Space, demand: Demand) -> dict[str, Any]:
    """What all finished searches of a file have in common, beside the network.

    Each search has images and sources of its own: it took hours, so it stays where sources change.
    """
    return {
        "space": space.model_dump(mode="json"),
        "loss": space.effort.accuracy_loss,
        **asdict(demand),
        "tools": tools("torch", "numpy", "scikit-learn"),
        "machine": platform.machine(),
    }


def images_of(config: Config, folder: Path) -> str:
    """Digest of all images and labels that a search trains, chooses and is tested with."""
    parts = [load_images(config, folder, name) for name in ("train", "test")]
    return array_digest(*(x for part in parts for x in (part.images, part.labels)))


def check_kept(searches: Mapping[str, Mapping[str, Any]], images: str, path: Path) -> None:
    """Name the searches that other sources made; UserError if one had other images."""
    others: dict[str, list[str]] = {}
    for key in sorted(searches, key=int):
        made = searches[key].get("sources", "")
        if searches[key].get("images", images) != images:
            raise UserError(
                "must be those of this study; move the file away",
                where=("seeds", key, "images"),
                file=path,
            )
        if made != sources(__name__):
            others.setdefault(made, []).append(key)
    for made, keys in others.items():
        say(
            f"{path}: of other sources, {made[:16] or 'unknown'}, and kept: seeds {', '.join(keys)}"
        )


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("--space", type=Path, required=True, metavar="FILE", help="search space (.json)")
    add("--seeds", type=seeds, default=range(1, 21), help="FIRST-LAST (1-20)")
    add("--model", choices=("digital", "analog"), default="digital", help="of costs (%(default)s)")
    add("--confidence", type=float, help="instead of the space's")
    add("--parts", type=positive, help="that judge, instead of the space's")
    add("--jobs", type=jobs, default=1, help="evaluations at once (%(default)s)")
    add("--store", type=Path, metavar="FILE", help="(build/phase2/bound.sqlite)")
    add("--output", type=Path, metavar="FILE", help="(build/phase2/bound-SPACE.json)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Search with every seed that is not finished, and print the table."""
    torch.set_num_threads(1)
    space = load_space(args.space)
    confidence = space.effort.confidence if args.confidence is None else args.confidence
    try:
        demand = Demand(confidence, args.parts or space.effort.parts)
    except UserError as error:
        raise error.as_option() from None
    space = space.changed(effort=space.effort.changed(confidence=confidence, parts=demand.parts))
    if args.page is not None:
        check_page(args.page, space.name)
    path = args.output or BUILD / f"bound-{space.name}.json"
    with held_record(path):
        record = finish(args, space, demand, path)
    text = table(record)
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, space.name, text)


def finish(args: argparse.Namespace, space: Space, demand: Demand, path: Path) -> dict[str, Any]:
    """Search with every seed that the record lacks, write it after each, and return it."""
    folder, common = args.space.parent, in_common(space, demand)
    load_record(path, common, "seeds")  # another study's is refused before the network is chosen
    store = Store(args.store or BUILD / "bound.sqlite")
    workers = Workers(args.jobs)
    model = cost_model(args.model)
    found = find_candidates(space, model, folder, store, workers, seed=CHOSEN_BY, progress=True)
    candidate = found.best[found.chosen]
    config = candidate.solution.config(space)
    images = images_of(config, folder)
    record = load_record(path, {**common, "network": config.digest}, "seeds")
    check_kept(record["seeds"], images, path)
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
        record["seeds"][str(number)] = {**one, "images": images}
        save_record(path, record)
        print(f"seed {number}: {one['shown']['statement']}; test {one['test']}", flush=True)
    return record
