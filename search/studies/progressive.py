"""One network at any of 1 to N bits: by cutting planes off, with BatchNorm anew, trained jointly.

Two trainings per seed, of equal epochs: one with all planes only, one with several precisions in
each step. All accuracies are of the integer model. Every finished seed is kept; the same command
goes on.
"""

import argparse
import dataclasses
import json
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.commands.command import positive, seeds
from kakure.model.commands.planes_option import check_has_planes
from kakure.model.config.config import Config, load_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.model.provenance import sources, tools
from kakure.model.reference.dynamic import margins, settled
from kakure.model.reference.network import classify
from kakure.model.training.folding import fold
from kakure.model.training.network import Network
from kakure.model.training.recipe import recipe_for
from kakure.model.training.train import run as train
from kakure.model.training.trainer import TOOLS, Trainer
from kakure.search.cost.digital.energy_fit import CLOCK_NS
from kakure.search.cost.digital.energy_measured import EnergyPoint

from .page import check_page, write_page
from .precision_energy import ANY
from .record import load_record, save_record

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
    return scores | {
        "count": len(test),
        "seconds": time.process_time() - begin,
        "sources": sources(__name__),
    }


def has_hardware(config: Config) -> bool:
    """Whether an accelerator runs it."""
    try:
        architecture_of(config).check()
    except UserError:
        return False
    return True


def _grouped(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}".replace(",", " ")


def table(
    config: Config, record: Mapping[str, Any], energies: Sequence[float] | None = None
) -> str:
    """Accuracy at every precision, and where the margin decides, in Markdown.

    ``energies`` are those of an image with 1, 2, … planes at full rate [nJ], where they were
    measured.
    """
    rows = [record["runs"][key] for key in sorted(record["runs"], key=int)]
    heads = (
        "planes",
        "further planes cut off",
        "BatchNorm estimated anew",
        "trained jointly",
        "cycles for an image",
        "from image to image",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for n in range(len(rows[0]["joint"])):
        cells = [
            _shown([row[name][n] / row["count"] for row in rows])
            for name in ("cut", "retuned", "joint")
        ]
        cells += map(_grouped, _fixed_cycles(config, n + 1))
        lines.append(f"| {n + 1} | {' | '.join(cells)} |")
    fall = [(row["joint"][-1] - row["joint"][0]) / row["count"] for row in rows]
    lines += ["", f"From all planes to one, jointly trained: {_shown(fall)} points lost.", ""]
    heads = (
        "planes",
        "go on",
        "mean planes",
        "mean cycles",
        "right",
        "a fixed number, of as many planes",
        "in as many cycles",
        *(() if energies is None else ("mean nJ, at most", "for as many nJ")),
    )
    lines += [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for n, point in enumerate(rows[0]["dynamic"]):
        points = [row["dynamic"][n] for row in rows]
        planes = statistics.mean(one["planes"] for one in points)
        right = [one["correct"] / row["count"] for one, row in zip(points, rows, strict=True)]
        fixed = [
            float(np.interp(one["planes"], range(1, len(row["joint"]) + 1), row["joint"]))
            / row["count"]
            for one, row in zip(points, rows, strict=True)
        ]
        first, last = point["schedule"]
        share = (point["planes"] - first) / last
        cycles = _mean_cycles(config, (first, last), share)
        timed = [_right_in(config, row["joint"], cycles) for row in rows]
        said = [one / row["count"] for one, row in zip(timed, rows, strict=True) if one is not None]
        line = (
            f"| {first}, then {last} | {100 * share:.0f} % | {planes:.2f} "
            f"| {_grouped(cycles)} | {_shown(right)} | {_shown(fixed)} "
            f"| {_shown(said) if said else '-'} |"
        )
        if energies is not None:
            mean = _alone(config, energies, first) + share * _alone(config, energies, last)
            equal = [float(np.interp(mean, energies, row["joint"])) / row["count"] for row in rows]
            line += f" {mean:.1f} | {_shown(equal)} |"
        lines.append(line)
    return "\n".join(lines)


def _alone(config: Config, energies: Sequence[float], planes: int) -> float:
    """At most the energy of an image that no other one overlaps: idle cycles cost as others do."""
    latency, interval = _fixed_cycles(config, planes)
    assert latency is not None and interval is not None
    return energies[planes - 1] * latency / interval


def energies_of(path: Path, config: Config) -> list[float]:
    """Energy of an image with 1, 2, … planes, from a record of ``precision-energy`` [nJ].

    Raises
    ------
    UserError
        If it is none, of another configuration, or lacks a number of planes.
    """
    record = load_record(path, {"config": config.digest}, "points")
    found = []
    for planes in range(1, config.weights.widths + 1):
        key = f"{planes} {ANY}"
        if key not in record["points"]:
            raise UserError(
                f"must hold all numbers of planes of the configuration, {planes} is missing",
                where=("--energy",),
                file=path,
            )
        point = EnergyPoint.from_json(json.dumps(record["points"][key]))
        found.append(point.energy_pj(CLOCK_NS) / 1000)
    return found


def _fixed_cycles(config: Config, planes: int) -> tuple[float | None, float | None]:
    """Cycles of one image, and from one to the next, with one number of planes."""
    if not has_hardware(config):
        return None, None
    timing = architecture_of(config.at(planes)).timing(3)
    return timing.latency, timing.interval


def _mean_cycles(config: Config, schedule: tuple[int, int], share: float) -> float | None:
    """Cycles of an image in the mean, where such a share of them goes on; one at a time."""
    if not has_hardware(config):
        return None
    architecture, last = architecture_of(config), schedule[-1]
    first, both = (
        architecture.dynamic_timing([planes], last).latency for planes in (schedule[:1], schedule)
    )
    return (1 - share) * first + share * both


def _right_in(config: Config, right: Sequence[int], cycles: float | None) -> float | None:
    """Images that fixed numbers of planes get right in so many cycles from one to the next."""
    if cycles is None:
        return None
    intervals = [_fixed_cycles(config, n + 1)[1] for n in range(len(right))]
    return float(np.interp(cycles, [one or 0.0 for one in intervals], right))


def _shown(values: Sequence[float]) -> str:
    """Mean, and standard deviation of several seeds [%]."""
    mean = f"{100 * statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.2f}"


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
    common = {
        "config": config.digest,
        "recipe": dataclasses.asdict(recipe),
        "tools": tools(*TOOLS),
        "machine": platform.machine(),
    }
    folder = args.output or BUILD / config.digest[:16]
    path = folder / "record.json"
    record = load_record(path, common, "runs")
    train_data = load_images(config, args.config.parent, "train")
    test = load_images(config, args.config.parent, "test")
    for seed in args.seeds:
        if str(seed) in record["runs"]:
            continue
        print(f"{config.name}: seed {seed}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
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
