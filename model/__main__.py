"""Command line of the model: train, evaluate, data, schema, preset."""

from kakure.model.commands.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import argparse
import dataclasses
import json
import re
import shlex
import sys
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kakure.model.commands.command import (
    Parser,
    jobs,
    positive,
    run_command,
    seed,
    whole,
    write_or_print,
)
from kakure.model.config.config import Config, check_density, json_schema, load_config
from kakure.model.files.atomic import check_writable
from kakure.model.parameters.parameters import Parameters, load_parameters, save_parameters
from kakure.model.training.training_lock import training_lock

from .errors import UserError
from .shown import printable, shown

if TYPE_CHECKING:
    from kakure.model.datasets.labelled import LabelledImages

__all__ = ["main"]


def parameters_path(path: Path, config: Config, output: Path | None = None) -> Path:
    """Where the parameters of the configuration in ``path`` lie, or ``output`` if that is given."""
    if output is not None:
        return output
    if config.parameters is None:
        raise UserError("is required here, as a file name", where=("parameters",), file=path)
    return path.parent / config.parameters


DEVICE = re.compile(r"auto|(cpu|cuda|mps|xpu)(:[0-9]{1,3})?")
"""What PyTorch may compute on; whether it can do so here is seen when it is loaded."""

LOCKS = Path("build") / "locks"
"""Of trainings under way."""


def run_train(args: argparse.Namespace) -> None:
    """Train, and write the parameters of the best epoch."""
    from kakure.model.datasets.images import load_images

    config = load_config(args.config)
    try:
        config.weights.check_training()
        check_density(config)
    except UserError as error:
        raise error.of(args.config) from None
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


def say(text: str) -> None:
    """Say what is under way, or what is wrong with a result that was written all the same."""
    print(printable(text), file=sys.stderr, flush=True)


def train_and_write(
    args: argparse.Namespace, config: Config, images: "LabelledImages", output: Path
) -> None:
    """Train what the command line asks for, and write ``output``."""
    say(
        f"train {config.name}: {len(images)} images; loading PyTorch, about 10 s until "
        "the first step ..."
    )
    import torch

    from kakure.model.training.recipe import recipe_for
    from kakure.model.training.train import pick_device, train

    device = pick_device(args.device)
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    given = {
        name: getattr(args, name)
        for name in ("epochs", "batch_size", "learning_rate")
        if getattr(args, name) is not None
    }
    recipe = dataclasses.replace(recipe_for(config.dataset), **given)
    checkpoint = Path("build") / "train" / config.digest / f"seed{args.seed}.pt"
    say(
        f"train {config.name}: {recipe.epochs} epochs on {device.type}; building the network, some "
        "seconds until the first step ..."
    )
    trained = train(
        config,
        images,
        recipe,
        seed=args.seed,
        device=device,
        checkpoint=checkpoint,
        fresh=args.fresh,
        progress=True,
    )
    metadata = {
        **trained.parameters.metadata,
        "config": config.digest,
        "dataset": config.dataset,
        "seed": str(args.seed),
        "epochs": str(recipe.epochs),
        "epoch": str(trained.epoch),
        "recipe": json.dumps(dataclasses.asdict(recipe), sort_keys=True),
        "command": shlex.join(["python", "-m", "kakure.model", *args.argv]),
        "torch": torch.__version__,
        "device": device.type,
        "validation": f"{trained.correct}/{trained.count}",
        "validation_loss": f"{trained.loss:.6f}",
    }
    if trained.warnings:
        metadata["warning"] = "; ".join(trained.warnings)
    save_parameters(output, config, Parameters(trained.parameters.layers, metadata))
    checkpoint.unlink(missing_ok=True)
    with suppress(OSError):
        checkpoint.parent.rmdir()  # unless another seed is trained
    print(
        f"{printable(str(output))}: epoch {trained.epoch} of {recipe.epochs}, validation "
        f"{trained.correct} of {trained.count} right ({trained.correct / trained.count:.4f}), "
        f"loss {trained.loss:.4f}"
    )
    for warning in trained.warnings:
        say(f"WARNING: {output}: {warning}")


def run_evaluate(args: argparse.Namespace) -> None:
    """Print the accuracy of the integer model on the test images."""
    from kakure.model.datasets.images import load_images
    from kakure.model.training.chance import is_at_chance

    from .evaluate import evaluate, write_score

    config = load_config(args.config)
    path = parameters_path(args.config, config, args.parameters)
    parameters = load_parameters(path, config)
    data = load_images(config, args.config.parent, args.split)
    score = evaluate(config, parameters, data, progress=sys.stderr.isatty() and not args.json)
    at_chance = is_at_chance(score.correct, data.labels)
    if args.json:
        fields = {"config": config.name, "digest": config.digest, "split": args.split}
        print(json.dumps({**fields, **score.facts(), "at_chance": at_chance}))
    else:
        print(
            f"{config.name}: {score.correct} of {score.count} {args.split} images right: "
            f"{score.accuracy:.4f} (integer model)"
        )
        print(score.table())
    if args.split == "test" and args.parameters is None:
        try:
            write_score(score, config, parameters)
        except OSError as error:
            say(f"WARNING: the report will not show this: {error}")
    if at_chance:
        say(
            f"WARNING: {path}: at chance: {score.correct} of {score.count} {args.split} images "
            "right cannot be told from guessing"
        )
    if "warning" in parameters.metadata:
        say(f"WARNING: {path}: when it was trained: {parameters.metadata['warning']}")


def run_data(args: argparse.Namespace) -> None:
    """Fetch a data set."""
    from kakure.model.datasets.fetch import fetch

    print(fetch(args.name))


def run_schema(args: argparse.Namespace) -> None:
    """Write the JSON schema of a configuration."""
    write_or_print(args.output, json_schema())


def run_preset(args: argparse.Namespace) -> None:
    """Print the configuration of a preset."""
    from kakure.model.config.presets import preset_json

    print(preset_json(args.name), end="")


batch_size = whole(2, 10**6)
"""Images of one step: BatchNorm needs more than one."""


def rate(text: str) -> float:
    """A number above 0 that a 32-bit float can hold."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e38:
        raise ArgumentTypeError(f"must be a number above 0 and at most 1e38, not {shown(text)}")
    return value


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    from kakure.model.config.presets import PRESETS
    from kakure.model.datasets.table import DATASETS

    top = Parser(
        prog="python -m kakure.model", description="Train and evaluate hidden networks as integers."
    )
    commands = top.add_subparsers(required=True, metavar="command")

    def command(run, name: str, text: str, *, with_config: bool) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        if with_config:
            sub.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
        return sub

    sub = command(run_train, "train", "train a network, or resume its training", with_config=True)
    sub.add_argument("--epochs", type=positive, help="passes over the images")
    sub.add_argument("--batch-size", type=batch_size, help="images per step")
    sub.add_argument("--learning-rate", type=rate, help="at the start; falls to 0 along a cosine")
    sub.add_argument("--seed", type=seed, default=1, help="of all random choices (%(default)s)")
    sub.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 ... (%(default)s)")
    sub.add_argument("--threads", type=jobs, default=1, help="of the CPU (%(default)s)")
    sub.add_argument(
        "--output", type=Path, metavar="FILE", help="instead of the configuration's parameters"
    )
    sub.add_argument("--fresh", action="store_true", help="forget an interrupted training")

    sub = command(
        run_evaluate, "evaluate", "measure the accuracy of the integer model", with_config=True
    )
    sub.add_argument(
        "--parameters", type=Path, metavar="FILE", help="instead of the configuration's"
    )
    sub.add_argument(
        "--split", choices=("test", "train"), default="test", help="images (%(default)s)"
    )
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = command(run_data, "data", "fetch a data set into data/", with_config=False)
    sub.add_argument("name", choices=DATASETS, help=", ".join(DATASETS), metavar="NAME")
    sub = command(run_schema, "schema", "write the configurations' schema", with_config=False)
    sub.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("configs/schema.json"),
        help="%(default)s; - prints it",
    )
    sub = command(run_preset, "preset", "print a configuration to start from", with_config=False)
    sub.add_argument("name", choices=tuple(PRESETS), help=", ".join(PRESETS), metavar="NAME")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 if all is well, 2 for a mistake of the user, 130 if interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser().parse_args(argv)
    args.argv = argv
    resume = "; the same command goes on" if args.run is run_train else ""
    return run_command(lambda: args.run(args), interrupted=f"interrupted{resume}")


if __name__ == "__main__":
    sys.exit(main())
