"""A linear student of a trained network, and itself as a network that all hardware here computes.

It learns all training images that are not held out, from what the network says of them or from
their labels; held-out images choose. The test images decide nothing.
"""

import argparse
from pathlib import Path

import numpy as np

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.commands.command import seed
from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.evaluate import evaluate
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import sources
from kakure.model.students.as_network import affine_of, linear_network
from kakure.model.students.distillation import accuracy, distil, pixels, teacher_logits
from kakure.model.students.linear import LINEAR
from kakure.model.students.student import Predictor, one_hot
from kakure.model.training.recipe import held_out, recipe_for
from kakure.search.cost.digital.energy import open_trained

from .distillation import TEMPERATURES
from .network_files import write_network
from .page import check_page, write_page
from .record import check_folder

__all__ = ["options", "run", "table"]

BUILD = Path("build") / "student"
LABELS = "labels"


def table(config: Config, right: list[int], count: int, whole: tuple[int, int]) -> str:
    """Accuracy and cycles at each number of planes, in Markdown; those of the teacher first."""
    heads = "network", "weights [bit]", "right [%]", "cycles from image to image"
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    rows = [("teacher", "", *whole)]
    for planes, number in enumerate(right, 1):
        interval = architecture_of(config.at(planes)).timing(3).interval
        rows.append((f"student, {planes} planes", str(planes), number, interval))
    for name, bits, number, interval in rows:
        cycles = f"{interval:,}".replace(",", " ")
        lines.append(f"| {name} | {bits} | {100 * number / count:.2f} | {cycles} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained (.json)")
    add("--seed", type=seed, default=1, help="of the student (%(default)s)")
    add("--output", type=Path, metavar="FOLDER", help="for the student (build/student/NAME)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Fit the student, write it as a network, and print what it gets right."""
    project = open_trained(args.config, "a student learns from a trained network")
    teacher, parameters = project.config, project.parameters
    mark = f"student {teacher.name}"
    if args.page is not None:
        check_page(args.page, mark)
    check_folder(args.output or BUILD)
    data = load_images(teacher, args.config.parent, "train")
    is_held = held_out(data.labels, recipe_for(teacher.dataset))
    held, learnt = (data.take(np.flatnonzero(mask)) for mask in (is_held, ~is_held))
    x, classes = pixels(learnt.images), teacher.layers[-1].channels
    logits = teacher_logits(teacher, parameters, learnt.images)
    fitted: list[tuple[str, Predictor]] = []
    for setting in LINEAR.settings:
        by_labels = LINEAR.regress(x, one_hot(learnt.labels, classes), setting, args.seed)
        fitted.append((f"{LABELS}, {setting:g}", by_labels))
        for heat in TEMPERATURES:
            how = {"temperature": heat, "setting": setting, "seed": args.seed}
            fitted.append((f"temperature {heat:g}, {setting:g}", distil(LINEAR, x, logits, **how)))
    chosen, student = max(fitted, key=lambda one: accuracy(one[1], held))
    config, found = linear_network(*affine_of(student, x.shape[1]), teacher, learnt)

    test = load_images(teacher, args.config.parent, "test")
    right = [
        evaluate(config.at(n), found.at(n), test).correct
        for n in range(1, config.weights.widths + 1)
    ]
    whole = evaluate(teacher, parameters, test).correct, architecture_of(teacher).timing(3).interval
    text = table(config, right, len(test), whole)
    share = 100 * accuracy(student, test)
    text += f"\n\nThe student in floating point: {share:.2f} %, learnt from {chosen}."
    print(text)
    folder = args.output or BUILD / config.name
    made = {"student of": teacher.digest, "learnt from": chosen, "sources": sources(__name__)}
    check_folder(folder)
    used = Parameters(found.layers, {**found.metadata, **made})
    write_network(folder, config, used, args.config.parent)
    if args.page is not None:
        write_page(args.page, mark, text)
