"""Measure the energy of accelerators on real images, fit the energy model, report its errors."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.synthesis.netlist_simulation import LANES
from kakure.model.commands.command import above_zero, positive
from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable, write_atomically
from kakure.model.parameters.parameters import Parameters
from kakure.model.training.recipe import recipe_for
from kakure.model.training.train import train
from kakure.sim.generation.project import Project, open_project

from .coefficients import Coefficients
from .energy_fit import CLOCK_NS, errors_of, fit_energy
from .energy_measured import ENERGY_MEASURED, EnergyPoint, append, measure_point, read_points
from .energy_model import ENERGY, EnergyModel
from .energy_samples import LARGE, energy_samples, is_held_out, is_large
from .voltage import LEAST_VOLTS, MEASURED_VOLTS, MOST_VOLTS, energy_at, period_ratio

__all__ = ["measure_project", "open_trained", "options", "run", "trained_images"]

TRAINING_SEED = 1
TRAINING_EPOCHS = 12
"""Of the samples: enough for masks and scales that are trained, in seconds."""
SAMPLE_IMAGES = 256
LARGE_IMAGES = 64
"""Of networks of real size, which take long."""


def _trained(config: Config) -> tuple[Parameters, dict[str, Any]]:
    recipe = dataclasses.replace(recipe_for(config.dataset), epochs=TRAINING_EPOCHS)
    torch.set_num_threads(1)
    trained = train(
        config,
        load_images(config, Path(), "train"),
        recipe,
        seed=TRAINING_SEED,
        device=torch.device("cpu"),
    )
    said = {"seed": TRAINING_SEED, "epochs": TRAINING_EPOCHS}
    return trained.parameters, said | {"correct": trained.correct, "of": trained.count}


def calibrate(path: Path = ENERGY_MEASURED) -> int:
    """Measure the samples that are not in the file yet; each is stored when it is done."""
    known = (
        {point.digest for point in read_points(path, is_mended=True)} if path.exists() else set()
    )
    wanted = [config for config in energy_samples() if config.digest not in known]
    for config in tqdm(wanted, desc="energy", unit="accelerator"):
        append(path, [_measured(config)])
    return len(wanted)


def _measured(config: Config) -> EnergyPoint:
    """A sample, with parameters trained for it, or those that a network of real size has."""
    if is_large(config.digest):
        project = open_trained(LARGE)
        return measure_project(config, project, trained_images(project, LARGE_IMAGES))
    parameters, training = _trained(config)
    images = load_images(config, Path(), "test").images[:SAMPLE_IMAGES]
    return measure_point(config, parameters, images, training=training)


def fit(path: Path = ENERGY_MEASURED, written: Path | None = ENERGY) -> str:
    """Fit the stored points, write the fit, and return a table of its errors."""
    points = read_points(path)
    blocks = Coefficients.read().blocks
    data = fit_energy(points, blocks)
    if written is not None:
        write_atomically(written, (json.dumps(data, indent=1, sort_keys=True) + "\n").encode())
    errors = errors_of(points, EnergyModel(data, blocks))
    lines = [f"{'accelerator':<12}{'nJ/image':>10}{'cycles':>8}{'error %':>9}  layers %"]
    for point in points:
        layers = " ".join(f"{100 * e:6.1f}" for e in errors["layer"][point.digest])
        lines.append(
            f"{point.digest[:10]:<12}{point.energy_pj(CLOCK_NS) / 1000:>10.1f}{point.cycles:>8.0f}"
            f"{100 * errors['accelerator'][point.digest]:>9.1f}  {layers}"
            f"{'   held out' if is_held_out(point.digest) else ''}"
        )
    lines.append("")
    lines.append(f"{'energy [%]':<12}{'points':>8}{'mean':>8}{'max':>8}")
    for group, title in (
        ("fitted", "fitted"),
        ("held_out", "held out"),
        ("validation", "of these, drawn after the closed forms were settled"),
        ("memory_fitted", "of the fitted, with cells in memories"),
        ("memory_held_out", "of the held out, with cells in memories"),
        ("temporal_fitted", "temporal, fitted"),
        ("temporal_held_out", "temporal, held out"),
        ("temporal_large", "of these, a network of real size"),
        ("summed", "with strides and a summed map: of these the sum pools alone were fitted"),
    ):
        lines.append(title)
        for name in ("accelerator", "layer"):
            one = data["errors"][name][group]
            if not one["points"]:
                continue
            mean, most = 100 * one["mean"], 100 * one["max"]
            lines.append(f"  {name:<12}{one['points']:>6}{mean:>8.2f}{most:>8.2f}")
    return "\n".join(lines)


def at_volts(point: EnergyPoint, clock_ns: float, volts: float) -> str:
    """A line about another voltage, which says that it is a model."""
    energy, period = energy_at(point, clock_ns, volts), clock_ns * period_ratio(volts)
    return (
        f"model, not measured: {energy / 1000:.2f} nJ per image at {volts:g} V instead of "
        f"{MEASURED_VOLTS:g} V, in cycles of {period:.2f} ns (search/cost/digital/voltage.py)"
    )


def table(point: EnergyPoint, clock_ns: float) -> str:
    """Energy per image by role, the greatest first."""
    rows: dict[str, list[float]] = {}
    for row in point.rows:
        leakage = row.leakage_uw * point.cycles * clock_ns / 1000
        values = (row.switching_pj, row.clock_pj, row.memory_pj, leakage)
        before = rows.setdefault(row.role, [0.0] * 4)
        rows[row.role] = [a + b for a, b in zip(before, values, strict=True)]
    total = point.energy_pj(clock_ns)
    head = ("pJ per image", "switching", "clock", "memory", "leakage", "all", "share")
    lines = [f"{head[0]:<20}" + "".join(f"{name:>11}" for name in head[1:])]
    sums = [sum(values) for values in zip(*rows.values(), strict=True)]
    ordered = sorted(rows.items(), key=lambda item: (-sum(item[1]), item[0]))
    for name, values in [*ordered, ("all", sums)]:
        numbers = "".join(f"{value:>11.1f}" for value in (*values, sum(values)))
        lines.append(f"{name:<20}{numbers}{sum(values) / total:>11.1%}")
    lines.append("")
    lines.append(
        f"{total / 1000:.2f} nJ per image in {point.cycles:.0f} cycles of {clock_ns} ns; "
        f"loading once {point.loading_pj / 1000:.2f} nJ without leakage; "
        f"{point.images['lanes']} lanes of {point.images['measured']} images, "
        f"{point.images['distinct']} of them distinct"
    )
    return "\n".join(lines)


def open_trained(path: Path, why: str = "energy is that of a trained network") -> Project:
    """A configuration with trained parameters; UserError, which says ``why``, if it has none."""
    project = open_project(path)
    if not project.is_trained:
        raise UserError(f"is required, {why}", where=("parameters",), file=path)
    return project


def trained_images(project: Project, count: int) -> NDArray[np.uint8]:
    """Test images of its data set; UserError if there are none."""
    pixels, what = project.images(count)
    if "random" in what:
        raise UserError(
            f"{what}, energy is that of real images", where=("dataset",), file=project.path
        )
    return pixels


def measure_project(config: Config, project: Project, pixels: NDArray[np.uint8]) -> EnergyPoint:
    """Measure a configuration with the parameters of a project; every image is sent.

    The first of each lane only warm it up.
    """
    lanes = min(LANES, len(pixels))
    warm = architecture_of(config).images_at_once
    rounds = max(2, -(-len(pixels) // lanes) - warm)
    said = {"parameters": project.config.parameters}
    return measure_point(
        config, project.parameters, pixels, training=said, lanes=lanes, measured=rounds
    )


def measure_config(path: Path, images: int, keep: Path | None) -> EnergyPoint:
    """Measure a configuration with trained parameters on test images of its data set.

    Raises
    ------
    UserError
        If it has no trained parameters, or no images, or ``keep`` is another file than of points.
    """
    project = open_trained(path)
    pixels = trained_images(project, images)
    if keep is not None:
        check_writable(keep, "--keep")
        if keep.exists():
            read_points(keep)  # what a line cannot be added to is refused before hours of work
    point = measure_project(project.config, project, pixels)
    if keep is not None:
        append(keep, [point])
    return point


def _volts(text: str) -> float:
    try:
        volts = float(text)
        period_ratio(volts)
    except ValueError:
        rule = f"must be a voltage of {LEAST_VOLTS} to {MOST_VOLTS} V, not {text!r}"
        raise argparse.ArgumentTypeError(rule) from None
    return volts


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG", help="trained (.json)")
    parser.add_argument(
        "--images", type=positive, default=64, help="test images that are sent (%(default)s)"
    )
    parser.add_argument(
        "--clock-ns", type=above_zero, default=CLOCK_NS, help="period, for leakage (%(default)s)"
    )
    parser.add_argument("--volts", type=_volts, help="also by a model of another voltage")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="append the point to it")
    parser.add_argument("--calibrate", action="store_true", help="measure the samples, and fit")
    parser.add_argument("--fit-only", action="store_true", help="fit the stored points")


def run(args: argparse.Namespace) -> None:
    """Measure one configuration and print its energy, or measure the samples and fit."""
    if args.config is not None:
        point = measure_config(args.config, args.images, args.keep)
        print(table(point, args.clock_ns))
        if args.volts is not None:
            if "LOP" in point.tools["memory_model"] and any(row.macro_um2 for row in point.rows):
                raise UserError(
                    "--volts: must not be given with memories of LOP cells, which are estimated "
                    "at 0.7 V already",
                    file=args.config,
                )
            print(at_volts(point, args.clock_ns, args.volts))
        return
    if args.volts is not None:
        raise UserError("--volts: must come with CONFIG")
    if not (args.calibrate or args.fit_only):
        raise UserError("CONFIG: must be given, or --calibrate, or --fit-only")
    if args.calibrate:
        calibrate()
    print(fit())
