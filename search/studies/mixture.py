"""Signs made on chip with stored magnitudes, beside hidden and bitwise weights of as many bits.

Each kind is trained for itself, on one network, with equal recipe, seeds and epochs, and judged by
the integer model on all test images.
"""

import argparse
import dataclasses
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kakure.model.commands.command import positive, seeds
from kakure.model.config.config import Config, load_config
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.multicoat import MulticoatWeights
from kakure.model.config.weights.weights import Weights
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.provenance import tools
from kakure.model.training.recipe import recipe_for
from kakure.model.training.train import run as train
from kakure.model.training.trainer import TOOLS, Trainer

from .mixed_weights import MagnitudeWeights, OddWeights, known
from .page import check_page, write_page
from .progressive import counts
from .record import decides, held_record, load_record, save_record

__all__ = ["KINDS", "options", "run", "stored", "table"]

BUILD = Path("build/mixture")
CPU = torch.device("cpu")

KINDS: dict[str, Weights] = {
    "hidden": HiddenWeights.model_validate({}),
    "magnitude 1": MagnitudeWeights.model_validate({"bits": 1}),
    "odd 1": OddWeights.model_validate({"bits": 1}),
    "bitwise 1": BitwiseWeights.model_validate({"bits": 1}),
    "multicoat 3": MulticoatWeights.model_validate({"coats": 3}),
    "magnitude 2": MagnitudeWeights.model_validate({"bits": 2}),
    "odd 2": OddWeights.model_validate({"bits": 2}),
    "bitwise 2": BitwiseWeights.model_validate({"bits": 2}),
    "magnitude 3": MagnitudeWeights.model_validate({"bits": 3}),
    "odd 3": OddWeights.model_validate({"bits": 3}),
    "bitwise 3": BitwiseWeights.model_validate({"bits": 3}),
}
"""By what the table calls them."""

VALUES = {
    "hidden": "s·{0, 1}",
    "multicoat": "s·{0 .. 3}",
    "magnitude": "s·{0 .. 2^b − 1}",
    "odd": "s·{1, 3, .. 2^(b+1) − 1}",
    "bitwise": "±{1, 3, .. 2^b − 1}",
}


def stored(weights: Weights) -> int:
    """Bits that are stored of a weight."""
    if isinstance(weights, MulticoatWeights):
        return math.ceil(math.log2(weights.coats + 1))
    return len(weights.mask_names)


def bare(given: Config, file: Path) -> Config:
    """The network with weights of one plane, as every kind is compared on.

    Raises
    ------
    UserError
        If an engine rounds.
    """
    for index, layer in enumerate(given.layers):
        if not layer.is_exact:
            raise UserError(
                "must be exact, as pe_array",
                where=("layers", index, "engine"),
                value=repr(layer.engine),
                file=file,
            )
    layers = tuple(layer.changed(planes=None) for layer in given.layers)
    return given.changed(weights=KINDS["bitwise 1"], layers=layers, parameters=None)


def measure(
    config: Config,
    data: LabelledImages,
    test: LabelledImages,
    recipe: Recipe,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """Train a kind, and count right test images; for JSON."""
    trainer = Trainer(config, data, recipe, seed=seed, device=CPU)
    name = f"{config.weights.kind}-{stored(config.weights)}-{seed}.pt"
    train(trainer, folder / name, progress=True)
    trained = trainer.result()
    (right,) = counts([PackedNetwork(config, trained.parameters)(test.images)], test.labels)
    return {"correct": right, "count": len(test), "warnings": list(trained.warnings)}


def table(record: Mapping[str, Any]) -> str:
    """Accuracy by what is stored, in Markdown."""
    lines = ["| stored bits | weights | values | right [%] | of seeds |", "|---|---|---|---|---|"]
    for name, weights in sorted(KINDS.items(), key=lambda item: stored(item[1])):
        found = record["runs"].get(name, {})
        rows = [found[key] for key in sorted(found, key=int)]
        shares = [100 * row["correct"] / row["count"] for row in rows]
        if not shares:
            continue
        spread = f" ± {statistics.stdev(shares):.2f}" if len(shares) > 1 else ""
        each = ", ".join(f"{share:.2f}" for share in shares)
        values = VALUES[weights.kind]
        mean = f"{statistics.mean(shares):.2f}{spread}"
        lines.append(f"| {stored(weights)} | {weights.kind} | {values} | {mean} | {each} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="network on exact engines (.json)")
    add("--seeds", type=seeds, default=range(1, 2), help="FIRST-LAST (1-1)")
    add("--epochs", type=positive, help="of each training (the data set's)")
    add("--only", default="", help="kinds whose name contains this (all)")
    add("--output", type=Path, metavar="FOLDER", help="(build/mixture/NAME)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Train what is not finished, and print the table."""
    given = load_config(args.config)
    mark = f"mixture {given.name}"
    if args.page is not None:
        check_page(args.page, mark)
    recipe = dataclasses.replace(recipe_for(given.dataset), widths=1)
    if args.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=args.epochs)
    if not any(args.only in name for name in KINDS):
        raise UserError("must be part of a kind's name", where=("--only",), value=repr(args.only))
    plain = bare(given, args.config)
    data = load_images(given, args.config.parent, "train")
    test = load_images(given, args.config.parent, "test")
    common = decides(
        __name__,
        tools(*TOOLS),
        [data.images, data.labels, test.images, test.labels],
        config=plain.digest,
        recipe=dataclasses.asdict(recipe),
    )
    folder = args.output or BUILD / given.name
    with held_record(folder / "record.json"), known():
        record = load_record(folder / "record.json", common, "runs")
        for seed in args.seeds:
            for name, weights in KINDS.items():
                runs = record["runs"].setdefault(name, {})
                if args.only not in name or str(seed) in runs:
                    continue
                print(f"{given.name}: {name}, seed {seed}", flush=True)
                config = plain.changed(weights=weights)
                runs[str(seed)] = measure(config, data, test, recipe, seed, folder)
                save_record(folder / "record.json", record)
    text = f"{table(record)}\n\n{recipe.epochs} epochs"
    print(text)
    if args.page is not None:
        write_page(args.page, mark, text)
