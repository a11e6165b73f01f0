"""One network at any of 1 to N bits: by cutting planes off, with BatchNorm anew, trained jointly.

Two trainings per seed, of equal epochs: one with all planes only, one with several precisions in
each step. All accuracies are of the integer model. Every finished seed is kept; the same command
goes on.
"""

import argparse
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kakure.model.commands.command import positive, seeds
from kakure.model.commands.planes_option import check_has_planes
from kakure.model.config.config import Config, load_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.model.provenance import tools
from kakure.model.reference.dynamic import margins, settled
from kakure.model.reference.network import classify
from kakure.model.training.folding import fold
from kakure.model.training.network import Network
from kakure.model.training.recipe import recipe_for
from kakure.model.training.train import run as train
from kakure.model.training.trainer import TOOLS, Trainer

from .page import check_page, write_page
from .progressive_table import energies_of, table
from .record import decides, held_record, load_record, save_record

__all__ = ["SCHEDULES", "cut", "options", "run", "table"]

BUILD = Path("build") / "progressive"
CPU = torch.device("cpu")
CHUNK = 500

SCHEDULES = ((1, 2), (1, 3), (1, 4), (1, 8), (2, 4), (2, 8))
"""Precisions that an image is tried at, one after the other."""

GOES_ON = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of the images that go on to the second precision; thresholds are margins of that rank."""


@torch.no_grad()
def cut(network: Network) -> Parameters:
    """The integers of a network whose further planes are cut off, and nothing else is changed.

    n of N planes give sums that are about 2^(n − N) times as large: BatchNorm is that of all
    planes, but for this factor.
    """
    network.share_norms(range(1, network.widths))
    network.cut_statistics()
    return fold(network)


def logits_of(config: Config, parameters: Parameters, data: LabelledImages) -> list[NDArray]:
    """Logits at each precision, the coarsest first."""
    found = []
    for width in range(1, config.weights.widths + 1):
        packed = PackedNetwork(config.at(width), parameters.at(width))
        parts = range(0, len(data), CHUNK)
        found.append(np.concatenate([packed(data.images[n : n + CHUNK]) for n in parts]))
    return found


def counts(logits: Sequence[NDArray], labels: NDArray) -> list[int]:
    """Images that each answer gets right."""
    return [int((classify(one) == labels).sum()) for one in logits]


def curve(logits: Sequence[NDArray], labels: NDArray) -> list[dict[str, Any]]:
    """Images right and mean planes where the margin decides whether an image goes on."""
    points = []
    for schedule in SCHEDULES:
        if schedule[-1] > len(logits):
            continue
        answers = [logits[width - 1] for width in schedule]
        ordered = np.sort(margins(answers[0]))
        for share in GOES_ON:
            threshold = int(ordered[int(share * len(ordered))])
            chosen, number = settled(answers, threshold)
            planes = np.cumsum(schedule)[number]  # an image that goes on begins anew
            points.append({
                "schedule": list(schedule),
                "threshold": threshold,
                "planes": float(planes.mean()),
                "correct": int((classify(chosen) == labels).sum()),
            })
    return points


def measure(
    config: Config,
    train_data: LabelledImages,
    test: LabelledImages,
    recipe: Recipe,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """Both trainings of a seed, and their scores, for JSON; the joint parameters go to a file."""
    begin = time.process_time()
    scores: dict[str, Any] = {}
    for name, widths in (("full", 1), ("joint", max(2, recipe.widths))):
        chosen = dataclasses.replace(recipe, widths=widths)
        trainer = Trainer(config, train_data, chosen, seed=seed, device=CPU)
        train(trainer, folder / f"{name}-{seed}.pt", progress=True)
        trained = trainer.result()
        logits = logits_of(config, trained.parameters, test)
        if name == "full":
            scores["retuned"] = counts(logits, test.labels)
            scores["cut"] = counts(logits_of(config, cut(trainer.network), test), test.labels)
        else:
            scores["joint"] = counts(logits, test.labels)
            scores["dynamic"] = curve(logits, test.labels)
            save_parameters(folder / f"joint-{seed}.safetensors", config, trained.parameters)
        scores[f"{name}_warnings"] = list(trained.warnings)
    return scores | {"count": len(test), "seconds": time.process_time() - begin}


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="configuration with bitwise weights (.json)")
    add("--seeds", type=seeds, default=range(1, 2), help="FIRST-LAST (1-1)")
    add("--epochs", type=positive, help="of each training (the data set's)")
    add("--output", type=Path, metavar="FOLDER", help="(build/progressive/DIGEST)")
    add("--energy", type=Path, metavar="FILE", help="record of precision-energy, for its columns")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Train and judge every seed that is not finished, and print the tables."""
    config = load_config(args.config)
    check_has_planes(config, args.config)
    mark = f"progressive {config.name}"
    if args.page is not None:
        check_page(args.page, mark)
    energies = None if args.energy is None else energies_of(args.energy, config)
    recipe = recipe_for(config.dataset)
    if args.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=args.epochs)
    train_data = load_images(config, args.config.parent, "train")
    test = load_images(config, args.config.parent, "test")
    common = decides(
        __name__,
        tools(*TOOLS),
        [train_data.images, train_data.labels, test.images, test.labels],
        config=config.digest,
        recipe=dataclasses.asdict(recipe),
    )
    folder = args.output or BUILD / config.digest[:16]
    path = folder / "record.json"
    with held_record(path):
        record = load_record(path, common, "runs")
        for seed in args.seeds:
            if str(seed) in record["runs"]:
                continue
            print(f"{config.name}: seed {seed}", flush=True)
            record["runs"][str(seed)] = measure(config, train_data, test, recipe, seed, folder)
            save_record(path, record)
    kept = {str(seed): record["runs"][str(seed)] for seed in args.seeds}
    text = table(config, record | {"runs": kept}, energies)
    seconds = sum(row["seconds"] for row in kept.values())
    text += f"\n\nseeds {', '.join(kept)}; {recipe.epochs} epochs; {seconds / 60:.0f} minutes"
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, mark, text)
