"""``kakure train``: train a network, or resume its training."""

import argparse
import dataclasses
import json
import re
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kakure.model.config.config import Config, check_density, load_config
from kakure.model.datasets.recipe import FASTEST, RIVALS, Recipe
from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.model.shown import printable, shown
from kakure.model.training.training_lock import training_lock

from .command import batch_size, jobs, positive, say, seed
from .parameters_file import parameters_path
from .recipe_option import changed

if TYPE_CHECKING:
    from kakure.model.datasets.labelled import LabelledImages

__all__ = ["options", "run"]


def rate(text: str) -> float:
    """A number above 0 that optimizers can work with."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= FASTEST:
        raise ArgumentTypeError(
            f"must be a number above 0 and at most {FASTEST:g}, not {shown(text)}"
        )
    return value


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument("--epochs", type=positive, help="passes over the images (the data set's)")
    parser.add_argument("--batch-size", type=batch_size, help="images per step (the data set's)")
    parser.add_argument(
        "--learning-rate",
        type=rate,
        help="at the start; falls to 0 along a cosine (the data set's)",
    )
    parser.add_argument(
        "--with",
        dest="values",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another value of the recipe, as method=biprop, optimizer=muon or validation=0; "
        "docs/training.md says which; may be repeated (the data set's)",
    )
    parser.add_argument("--seed", type=seed, default=1, help="of all random choices (%(default)s)")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:1 ... (%(default)s)"
    )
    parser.add_argument(
        "--threads", type=jobs, help="of the CPU (1; all where steps are not in float32)"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="a network whose logits are followed: train with --with method=float to get one",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="(the configuration's parameters)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget an interrupted training")


DEVICE = re.compile(r"auto|(cpu|cuda|mps|xpu)(:[0-9]{1,3})?")
"""What PyTorch may compute on; whether it can do so here is seen when it is loaded."""

LOCKS = Path("build") / "locks"
"""Of trainings under way."""


def run(args: argparse.Namespace) -> None:
    """Train, and write the parameters of the best epoch."""
    from kakure.model.datasets.images import load_images

    config = load_config(args.config)
    try:
        check_density(config)
    except UserError as error:
        raise error.of(args.config) from None
    changed(Recipe(), args.values)  # so that a mistake is seen before the images are read
    output = parameters_path(args.config, config, args.output)
    check_writable(output, "parameters" if args.output is None else "--output")
    if not DEVICE.fullmatch(args.device):
        raise UserError(
            "must be usable here, as auto, cpu, cuda and cuda:1 may be",
            where=("--device",),
            value=shown(args.device),
        )
    with training_lock(LOCKS / f"{config.digest[:16]}-seed{args.seed}", args.config):
        train_and_write(args, config, load_images(config, args.config.parent, "train"), output)


def train_and_write(
    args: argparse.Namespace, config: Config, images: "LabelledImages", output: Path
) -> None:
    """Train what the command line asks for, and write ``output``."""
    say(
        f"train {config.name}: {len(images)} images; loading PyTorch, about 10 s until "
        "the first step ..."
    )
    import torch

    from kakure.model.training.device import pick_device
    from kakure.model.training.recipe import recipe_for
    from kakure.model.training.teacher import load_teacher, save_teacher
    from kakure.model.training.train import run as train
    from kakure.model.training.trainer import Trainer

    device = pick_device(args.device)
    given = {
        name: getattr(args, name)
        for name in ("epochs", "batch_size", "learning_rate")
        if getattr(args, name) is not None
    }
    recipe = changed(dataclasses.replace(recipe_for(config.dataset), **given), args.values)
    if args.threads is not None or recipe.precision == "float32":
        torch.set_num_threads(args.threads or 1)
    checkpoint = Path("build") / "train" / config.digest / f"seed{args.seed}.pt"
    say(
        f"train {config.name}: {recipe.epochs} epochs on {device.type}; building the network, some "
        "seconds until the first step ..."
    )
    teacher = None if args.teacher is None else load_teacher(args.teacher, config, device)
    if recipe.generated:
        say(f"train {config.name}: before, a generator learns the images, which takes minutes ...")
    trainer = Trainer(config, images, recipe, seed=args.seed, device=device, teacher=teacher)
    train(trainer, checkpoint, fresh=args.fresh, progress=True)
    best = trainer.best
    count = len(trainer.held_labels)
    metadata = {
        "dataset": config.dataset,
        "seed": str(args.seed),
        "epochs": str(recipe.epochs),
        "epoch": str(best["epoch"]),
        "recipe": json.dumps(dataclasses.asdict(recipe), sort_keys=True),
        "command": args.command,
        "torch": torch.__version__,
        "device": device.type,
        "precision": trainer.precision,
        "validation": f"{best['correct']}/{count}" if count else "none held out",
        "validation_loss": f"{best['loss']:.6f}",
    }
    if teacher is not None:
        metadata["teacher"] = f"{teacher.digest}, validation {teacher.validation}"
    if recipe.method in RIVALS:
        warnings = trainer.warnings(best["correct"], best["loss"])
        warned = {"warning": "; ".join(warnings)} if warnings else {}
        save_teacher(output, config, recipe, best["state"], metadata | trainer.made | warned)
    else:
        trained = trainer.result()
        warnings = trained.warnings
        warned = {"warning": "; ".join(warnings)} if warnings else {}
        metadata = {**trained.parameters.metadata, **metadata, **warned, "config": config.digest}
        save_parameters(output, config, Parameters(trained.parameters.layers, metadata))
    checkpoint.unlink(missing_ok=True)
    with suppress(OSError):
        checkpoint.parent.rmdir()  # unless another seed is trained
    score = "no image held out"
    if count:
        score = (
            f"validation {best['correct']} of {count} right "
            f"({best['correct'] / count:.4f}), loss {best['loss']:.4f}"
        )
    print(f"{printable(str(output))}: epoch {best['epoch']} of {recipe.epochs}, {score}")
    for warning in warnings:
        say(f"WARNING: {output}: {warning}")
