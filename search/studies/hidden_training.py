"""How should a supermask be found? Every method on one network, with equal seeds and budget.

Each variant changes one thing of the data set's recipe, or takes an earlier method in its place.
All are judged by held-out training images, after the last epoch; test images take no part. What is
finished is kept, and the same command goes on.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kakure.model.commands.command import batch_size, positive, seeds
from kakure.model.config.config import Config, load_config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.multicoat import MulticoatWeights
from kakure.model.config.weights.sign_weights import SignWeights
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.provenance import tools
from kakure.model.training.recipe import recipe_for
from kakure.model.training.teacher import Teacher
from kakure.model.training.train import run as train
from kakure.model.training.trainer import TOOLS, Trainer

from .page import check_page, write_page
from .record import decides, held_record, load_record, save_record

__all__ = ["VARIANTS", "Variant", "narrowed", "options", "run", "table"]

BUILD = Path("build") / "hidden-training"
CPU = torch.device("cpu")

OLD = {"optimizer": "sgd", "learning_rate": 0.1, "norm_rate": 0.0, "gamma": 1.0, "codes": None}


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes
    ----------
    recipe : dict
        What it changes of the data set's recipe.
    density : float, optional
        Fraction kept, instead of the configuration's.
    is_taught : bool
        Whether it follows the float network of the same seed.
    coats : int
        Masks over each other; more than one take 2 bits a weight.
    generator : str, optional
        Of the signs, instead of the configuration's.
    """

    recipe: dict[str, Any] = field(default_factory=dict)
    density: float | None = None
    is_taught: bool = False
    coats: int = 1
    generator: str | None = None


VARIANTS: dict[str, Variant] = {
    "float weights, same activations": Variant({"method": "float"}),
    "binary ±1 weights, a bit each": Variant({"method": "binary"}),
    "kept where agreeing, the recipe": Variant(),
    "signs of xorshift16, Hiddenite's": Variant(generator="xorshift16"),
    "density .2": Variant(density=0.2),
    "density .3": Variant(density=0.3),
    "density .5": Variant(density=0.5),
    "density .6": Variant(density=0.6),
    "density .7": Variant(density=0.7),
    "two coats at density .5, {−2 .. 2}, 2 bits each": Variant(density=0.5, coats=2),
    "three coats at density .6, {−3 .. 3}, 2 bits each": Variant(density=0.6, coats=3),
    "no cutout": Variant({"cutout": 0}),
    "averaged over about 1/3 epoch": Variant({"average": 0.985}),
    "taught by the float network": Variant(is_taught=True),
    "SGD instead of Muon": Variant({"optimizer": "sgd", "learning_rate": 2.0}),
    "activation step .125, γ from 1": Variant({"codes": None, "gamma": 1.0}),
    "edge-popup with Muon": Variant({"method": "edge-popup"}),
    "biprop's start with Muon": Variant({"method": "biprop"}),
    "edge-popup, SGD, as published": Variant(OLD | {"method": "edge-popup"}),
    "biprop's start, SGD": Variant(OLD | {"method": "biprop"}),
}
"""In the order of the table; the float network is first, for it teaches."""

FLOAT = next(iter(VARIANTS))


def narrowed(config: Config, share: int) -> Config:
    """A network whose layers have a ``share``-th of the channels, but for the last one."""
    layers = [layer.changed(channels=max(1, layer.channels // share)) for layer in config.layers]
    return config.changed(layers=(*layers[:-1], config.layers[-1]), parameters=None)


def with_weights(config: Config, variant: Variant) -> Config:
    """The configuration with the density, coats and signs of a variant."""
    weights: SignWeights = HiddenWeights.of(config.weights)
    if variant.density is not None:
        weights = weights.changed(density=variant.density)
    if variant.generator is not None:
        weights = weights.changed(generator=variant.generator)
    if variant.coats > 1:
        same = {"seed": weights.seed, "generator": weights.generator, "density": weights.density}
        weights = MulticoatWeights(**same, coats=variant.coats)
    return config.changed(weights=weights)


def train_one(
    config: Config,
    data: LabelledImages,
    recipe: Recipe,
    variant: Variant,
    seed: int,
    teacher: Teacher | None,
    checkpoint: Path,
) -> tuple[dict[str, Any], Trainer]:
    """Train a variant; its score after the last epoch, for JSON, and the trainer."""
    begin = time.process_time()
    chosen = dataclasses.replace(recipe, **variant.recipe)
    trainer = Trainer(
        with_weights(config, variant), data, chosen, seed=seed, device=CPU, teacher=teacher
    )
    train(trainer, checkpoint, progress=True)
    last = trainer.history[-1] if trainer.history else None
    score = {
        "correct": 0 if last is None else int(last["validation_correct"]),
        "count": len(trainer.held_labels),
        "loss": None if last is None else last["train_loss"],
        "is_diverged": trainer.is_diverged,
        "seconds": time.process_time() - begin,
        "recipe": dataclasses.asdict(chosen),
        "precision": trainer.precision,
    }
    return score, trainer


def table(record: Mapping[str, Any]) -> str:
    """Accuracy of every variant on held-out images, in Markdown."""
    lines = ["| method | held-out images right | of seeds | training loss |", "|---|---|---|---|"]
    for name in VARIANTS:
        found = record["runs"].get(name, {})
        rows = [found[key] for key in sorted(found, key=int)]
        if not rows:
            continue
        shares = [row["correct"] / row["count"] for row in rows]
        losses = [row["loss"] for row in rows if row["loss"] is not None]
        each = ", ".join(f"{share:.4f}" for share in shares)
        loss = f"{statistics.mean(losses):.3f}" if losses else "diverged"
        lines.append(f"| {name} | **{statistics.mean(shares):.4f}** | {each} | {loss} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    add("--narrow", type=positive, default=2, help="layers have an n-th of the channels (2)")
    add("--epochs", type=positive, default=4, help="of each training (4)")
    add("--batch-size", type=batch_size, default=125, help="images per step (125)")
    add("--seeds", type=seeds, default=range(1, 3), help="FIRST-LAST (1-2)")
    add("--only", default="", help="variants whose name contains this (all)")
    add("--output", type=Path, metavar="FILE", help="(build/hidden-training/NAME.json)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def finish(
    record: dict[str, Any],
    path: Path,
    config: Config,
    data: LabelledImages,
    recipe: Recipe,
    chosen: Mapping[str, Variant],
    seeds: Sequence[int],
) -> None:
    """Train what a record lacks, and write it after each training."""
    for seed in seeds:
        teacher = None
        for name, variant in chosen.items():
            runs = record["runs"].setdefault(name, {})
            is_needed = name == FLOAT and any(
                one.is_taught and str(seed) not in record["runs"].get(other, {})
                for other, one in chosen.items()
            )
            if str(seed) in runs and not is_needed:
                continue
            checkpoint = BUILD / config.digest[:16] / f"{len(name)}-{name[:12]}-{seed}.pt"
            taught_by = teacher if variant.is_taught else None
            if variant.is_taught and taught_by is None:
                raise UserError(f"must include {FLOAT!r}, which teaches", where=("--only",))
            print(f"seed {seed}: {name}", flush=True)
            score, trainer = train_one(config, data, recipe, variant, seed, taught_by, checkpoint)
            if name == FLOAT:
                trainer.network.load_state_dict(trainer.best["state"])
                teacher = Teacher(trainer.network, f"{config.digest} seed {seed}", "")
            runs[str(seed)] = score
            save_record(path, record)
            if name != FLOAT:  # which a resumed study needs again, to teach
                checkpoint.unlink(missing_ok=True)
            print(f"  {score['correct']} of {score['count']} held-out images right", flush=True)


def run(args: argparse.Namespace) -> None:
    """Train every variant with every seed that is not finished, and print the table."""
    whole = load_config(args.config)
    config = narrowed(whole, args.narrow)
    if args.page is not None:
        check_page(args.page, "hidden-training")
    data = load_images(whole, args.config.parent, "train")
    recipe = dataclasses.replace(
        recipe_for(config.dataset), epochs=args.epochs, batch_size=args.batch_size
    )
    common = decides(
        __name__,
        tools(*TOOLS),
        [data.images, data.labels],
        config=config.digest,
        recipe=dataclasses.asdict(recipe),
    )
    path = args.output or BUILD / f"{config.name}.json"
    chosen = {name: one for name, one in VARIANTS.items() if args.only in name}
    if not chosen:
        raise UserError(
            f"must be part of one of {', '.join(VARIANTS)}", where=("--only",), value=args.only
        )
    with held_record(path):
        record = load_record(path, common, "runs")
        finish(record, path, config, data, recipe, chosen, args.seeds)
    text = table(record)
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, "hidden-training", text)
