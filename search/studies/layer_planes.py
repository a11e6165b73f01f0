"""Planes of each layer of a trained network, the least work that keeps a bound on the loss.

Beside them stand fixed numbers of planes, the same for all layers. The test images decide nothing.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import require_hardware
from kakure.model.commands.command import positive, say
from kakure.model.commands.planes_option import check_has_planes
from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages, systematic
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.shown import command_line
from kakure.model.training.logits import integer_logits
from kakure.model.training.network import as_tensor
from kakure.model.training.recipe import Recipe, held_out
from kakure.search.cost.digital.energy import open_trained
from kakure.search.phase2.certificate import Demand, require_images
from kakure.search.phase2.planes import (
    Judged,
    Measurements,
    Planes,
    Score,
    explore,
    judged,
    most_measurements,
    work_of,
)
from kakure.sim.generation.project import Project

from .network_files import write_network
from .page import check_page, write_page
from .record import check_folder

__all__ = ["options", "run", "table"]

OF_TRAINING = ("history", "epoch", "validation_loss")
"""What the metadata say of the training of all planes, and not of some of them."""

SPLIT_SEED = 1
"""Which of the held-out images choose, and which judge."""


def scores(
    config: Config, parameters: Parameters, data: LabelledImages
) -> Callable[[Planes], Score]:
    """What planes of every layer say of some images; each is computed once."""
    images, labels = as_tensor(data.images), torch.from_numpy(data.labels)

    @cache
    def score(planes: Planes) -> Score:
        logits = integer_logits(config.at(planes), parameters.at(planes), images)
        real = logits / 2.0 ** int(parameters.metadata["logit_shift"])
        entropy = torch.nn.functional.cross_entropy(real, labels).item()
        return Score((real.argmax(1) == labels).numpy(), entropy)

    return score


def held_images(project: Project) -> tuple[LabelledImages, LabelledImages]:
    """The training images that were held out of the training: half choose, half judge.

    Raises
    ------
    UserError
        If none were held out.
    """
    config, metadata = project.config, project.parameters.metadata
    recipe = Recipe(**json.loads(metadata.get("recipe", "{}")))
    if not recipe.validation:
        raise UserError(
            "must hold images out to choose by: train without validation=0",
            where=("parameters",),
            file=project.path,
        )
    data = load_images(config, project.path.parent, "train")
    held = data.take(np.flatnonzero(held_out(data.labels, recipe)))
    if len(held) < 2:
        raise UserError(
            "must hold at least 2 images out to choose by and to judge",
            where=("parameters",),
            value=len(held),
            file=project.path,
        )
    chooses = systematic(held.labels, 2, SPLIT_SEED)
    return held.take(np.flatnonzero(chooses)), held.take(np.flatnonzero(~chooses))


def table(rows: Sequence[tuple[str, Planes, int, int, int, int]], count: int) -> str:
    """Networks with planes, work, cycles, stored bits, right answers of ``count`` test images."""
    heads = (
        "planes",
        "layer by layer",
        "cycles of all layers",
        "from image to image",
        "stored bits",
        "right [%]",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, planes, *numbers, right in rows:
        cells = [
            name,
            " ".join(map(str, planes)),
            *(f"{number:,}".replace(",", " ") for number in numbers),
            f"{100 * right / count:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _right(score: Score) -> int:
    return int(score.right.sum())


def _interval(config: Config, planes: Planes) -> int:
    return architecture_of(config.at(planes)).timing(3).interval


def _bits(config: Config, planes: Planes) -> int:
    return sum(n * g.weights for n, g in zip(planes, config.geometry, strict=True))


def _said(found: Judged, loss: float, demand: Demand, images: int) -> str:
    share = f"at most {100 * found.bound:.2f} % of accuracy is lost"
    said = f"chosen: {share}, at a confidence of {demand.confidence:g}, on {images} images"
    if found.refused is not None:
        said += f"; the next one may lose {100 * found.refused_bound:.2f} %"
    return f"{said}; the bound is {100 * loss:g} %"


def _write(folder: Path, project: Project, planes: Planes, validation: str) -> None:
    """The configuration and its parameters, for all other verbs."""
    config = project.config
    used = project.parameters.at(planes)
    kept = {key: value for key, value in used.metadata.items() if key not in OF_TRAINING}
    made = {
        "planes of": config.digest,
        "command": command_line(["kakure", "study", "layer-planes", str(project.path)]),
        "validation": validation,
    }
    used = dataclasses.replace(used, metadata=kept | made)
    named = config.at(planes).changed(name=f"{config.name[:57]}-planes")
    write_network(folder, named, used, project.path.parent)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained, with bitwise weights (.json)")
    add("--loss", type=float, default=0.01, help="accuracy that may be lost (%(default)s)")
    add("--confidence", type=float, default=0.95, help="of the bound (%(default)s)")
    add("--steps", type=positive, default=5, help="networks put to the test (%(default)s)")
    add("--output", type=Path, metavar="FOLDER", help="for the configuration with these planes")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Choose planes, and print what they take and lose."""
    if not 0 < args.loss < 1:
        raise UserError("must be above 0 and below 1", where=("--loss",), value=f"{args.loss:g}")
    try:
        demand = Demand(confidence=args.confidence, steps=args.steps)
    except UserError as error:
        raise error.as_option() from None
    project = open_trained(args.config, "planes are those of a trained network")
    config, parameters = project.config, project.parameters
    check_has_planes(config, args.config)
    mark = f"layer-planes {config.name}"
    if args.page is not None:
        check_page(args.page, mark)
    chooses, judges = held_images(project)
    most = tuple(config.weights_of(n).widths for n in range(len(config.layers)))
    require_hardware(config, str(args.config))
    check_folder(args.output)
    require_images(args.loss, demand, len(judges))
    with tqdm(total=most_measurements(most), desc="planes", unit="network", disable=None) as bar:
        measurements = Measurements(config, scores(config, parameters, chooses), bar.update)
        explore(measurements)
    tried = list(measurements.tried.values())
    witness = scores(config, parameters, judges)
    found = judged(tried, args.loss, demand, lambda planes: witness(planes).right)

    test = load_images(config, args.config.parent, "test")
    final = scores(config, parameters, test)
    named: list[tuple[str, Planes]] = [("chosen", found.chosen.planes)]
    named += [(str(n), tuple(min(n, p) for p in most)) for n in range(max(most), 0, -1)]
    rows = [
        (name, p, work_of(config, p), _interval(config, p), _bits(config, p), _right(final(p)))
        for name, p in named
    ]
    said = _said(found, args.loss, demand, len(judges))
    text = f"{table(rows, len(test))}\n\n{said}."
    print(text)
    if args.output is not None:
        right = witness(found.chosen.planes).right
        both = int(right.sum() + found.chosen.score.right.sum())
        held = f"{both}/{len(judges) + len(chooses)}"
        _write(args.output, project, found.chosen.planes, held)
    else:
        say("--output FOLDER writes the configuration with these planes")
    if args.page is not None:
        write_page(args.page, mark, text)
