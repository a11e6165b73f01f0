"""What the studies of small training sets share: problems, a short training, and their tables."""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kakure.model.commands.command import seeds
from kakure.model.config.config import Config, load_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.evaluate import evaluate
from kakure.model.files.shipped import CONFIGS
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import tools
from kakure.model.reduction.random_choice import random_choice
from kakure.model.training.recipe import held_out, recipe_for
from kakure.model.training.train import train

from .hidden_training import narrowed
from .page import check_page, write_page
from .record import check_folder, decides, held_record, load_record, save_record

__all__ = ["SETS", "Problem", "Scores", "learn", "options", "problem", "repeat", "shown", "tested"]

BUILD = Path("build") / "small-data"
CPU = torch.device("cpu")
BATCH = 50
SETS = ("digits", "fashion-mnist")
HELD = 1000
"""Held-out images that are looked at, at most."""

PLAIN: dict[str, Any] = {
    "shift": 0.0,
    "rotate": 0.0,
    "zoom": 0.0,
    "bend": 0.0,
    "mirror": False,
}
"""A recipe that does not vary its images."""

SHORT: dict[str, Any] = {
    "batch_size": BATCH,
    "validation": 0,
    "smoothing": 0.0,
    "method": "agreeing",
    "optimizer": "muon",
    "learning_rate": 0.25,
    "weight_decay": 0.0,
    "norm_rate": 0.02,
    "gamma": 2.0,
    "codes": 2.0,
    "warm_up": 0.1,
    "statistics": 10,
}
"""What learns in a few hundred steps; how images are varied is the data set's."""

Scores = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """A data set with its parts, and the network that judges them.

    Attributes
    ----------
    config : Config
    recipe : Recipe
        The data set's, but for :data:`SHORT`.
    pool, held, test : LabelledImages
        Training images without those held out; those, to choose by; images of the table.
    """

    config: Config
    recipe: Recipe
    pool: LabelledImages
    held: LabelledImages
    test: LabelledImages


def problem(name: str) -> Problem:
    """A data set with its shipped configuration."""
    path = CONFIGS / f"{name}.json"
    config = load_config(path)
    data = load_images(config, path.parent, "train")
    recipe = recipe_for(name)
    is_held = held_out(data.labels, recipe)
    held = data.take(is_held.nonzero()[0])
    return Problem(
        config,
        dataclasses.replace(recipe, **SHORT),
        data.take((~is_held).nonzero()[0]),
        held.take(random_choice(held, min(HELD, len(held)), 0)),
        load_images(config, path.parent, "test"),
    )


def learn(
    given: Problem, data: LabelledImages, *, narrow: int, steps: int, seed: int, varied: bool = True
) -> tuple[Config, Parameters]:
    """Train a network with a ``narrow``-th of the channels for about ``steps`` steps."""
    config = narrowed(given.config, narrow)
    epochs = max(1, round(steps / max(1, len(data) // BATCH)))
    recipe = dataclasses.replace(given.recipe, epochs=epochs, **({} if varied else PLAIN))
    return config, train(config, data, recipe, seed=seed, device=CPU).parameters


def tested(given: Problem, data: LabelledImages, **how: Any) -> float:
    """Share of the test images that a network gets right which :func:`learn` trains."""
    return evaluate(*learn(given, data, **how), given.test).accuracy


def shown(values: Sequence[float], *, is_gain: bool = False) -> str:
    """Mean and standard deviation over the seeds, in percent or percentage points."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    mean = round(100 * statistics.mean(values), 2) + 0.0  # no −0
    return f"{mean:{'+' if is_gain else ''}.2f} ± {100 * spread:.2f}"


def options(parser: argparse.ArgumentParser) -> None:
    """What each of the studies takes."""
    add = parser.add_argument
    add("--dataset", nargs="+", choices=SETS, default=list(SETS), help="(both)")
    add("--seeds", type=seeds, default=range(1, 6), help="FIRST-LAST (1-5)")
    add("--output", type=Path, default=BUILD, metavar="FOLDER", help="of records (%(default)s)")
    add("--page", type=Path, metavar="FILE", help="whose tables are written anew")


def repeat(
    args: argparse.Namespace,
    study: str,
    facts: Mapping[str, Mapping[str, Any]],
    measure: Callable[[Problem, Mapping[str, Any], int], Scores],
    table: Callable[[list[Scores]], str],
) -> None:
    """Measure each data set with each seed that is not finished, and print the tables.

    Parameters
    ----------
    study : str
        Names the records, and with a data set the tables in a page.
    facts : mapping
        Sizes and the like, by data set; the record is of these only.
    measure : callable
        Scores of a problem, its facts and a seed, for JSON.
    table : callable
        Markdown of the scores of all seeds; its module is the study.
    """
    if args.page is not None:
        for name in args.dataset:
            check_page(args.page, f"{study} {name}")
    check_folder(args.output)
    torch.set_num_threads(1)
    begun = {}
    for name in args.dataset:
        given = problem(name)
        common = decides(
            table.__module__,
            tools("numpy", "scikit-learn", "torch"),
            [
                x
                for part in (given.pool, given.held, given.test)
                for x in (part.images, part.labels)
            ],
            config=given.config.digest,
            recipe=dataclasses.asdict(given.recipe),
            facts=dict(facts[name]),
        )
        path = args.output / f"{study}-{name}.json"
        load_record(path, common, "runs")  # refused before the first data set's hours of work
        begun[name] = given, common, path
    for name, (given, common, path) in begun.items():
        with held_record(path):
            record = load_record(path, common, "runs")
            for seed in args.seeds:
                if str(seed) in record["runs"]:
                    continue
                print(f"{study}, {name}: seed {seed}", flush=True)
                begin = time.process_time()
                scores = measure(given, facts[name], seed)
                scores["seconds"] = time.process_time() - begin
                record["runs"][str(seed)] = scores
                save_record(path, record)
        rows = [record["runs"][str(seed)] for seed in args.seeds]
        versions = ", ".join(f"{tool} {version}" for tool, version in common["tools"].items())
        seconds = round(sum(row["seconds"] for row in rows) / 60)
        first, last = args.seeds[0], args.seeds[-1]
        text = (
            f"{table(rows)}\n\nseeds {first} to {last}; {versions}; {seconds} minutes of one thread"
        )
        print(f"{text}\n{path}")
        if args.page is not None:
            write_page(args.page, f"{study} {name}", text)
