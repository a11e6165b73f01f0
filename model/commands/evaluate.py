"""``kakure evaluate``: measure the accuracy of the integer model."""

import argparse
import json
import sys
from pathlib import Path

from kakure.model.config.config import load_config
from kakure.model.parameters.parameters_file import load_parameters

from .command import positive, say
from .parameters_file import parameters_path
from .planes_option import check_planes

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument("--parameters", type=Path, metavar="FILE", help="(the configuration's)")
    parser.add_argument(
        "--split", choices=("test", "train"), default="test", help="images (%(default)s)"
    )
    parser.add_argument(
        "--planes", type=positive, metavar="N", help="of bitwise weights, the first ones (all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> None:
    """Print the accuracy of the integer model on the test images."""
    from kakure.model.datasets.images import load_images
    from kakure.model.evaluate import evaluate, write_score
    from kakure.model.training.chance import is_at_chance

    config = load_config(args.config)
    path = parameters_path(args.config, config, args.parameters)
    parameters = load_parameters(path, config)
    whole = config
    if args.planes is not None:
        check_planes(config, args.planes)
        config, parameters = config.at(args.planes), parameters.at(args.planes)
    data = load_images(config, args.config.parent, args.split)
    score = evaluate(config, parameters, data, progress=sys.stderr.isatty() and not args.json)
    at_chance = is_at_chance(score.correct, data.labels)
    used = "" if args.planes is None else f" with {args.planes} of {whole.weights.widths} planes"
    if args.json:
        fields = {"config": config.name, "digest": config.digest, "split": args.split}
        fields |= {} if args.planes is None else {"planes": args.planes}
        print(json.dumps({**fields, **score.facts(), "at_chance": at_chance}))
    else:
        print(
            f"{config.name}: {score.correct} of {score.count} {args.split} images right{used}: "
            f"{score.accuracy:.4f} (integer model)"
        )
        print(score.table())
    if args.split == "test" and args.parameters is None and config == whole:
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
