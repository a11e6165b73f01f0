"""What shape of a temporal accelerator's array takes least energy? One network on many of them.

Each shape's accelerator is generated and mapped, its whole netlist is run on real images, and what
it takes is summed up at its own critical path. What is finished is kept, and the same command goes
on.
"""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.yosys import find_engine
from kakure.model.commands.command import positive
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError
from kakure.search.cost.digital.energy import measure_project, open_trained, trained_images
from kakure.search.cost.digital.energy_measured import EnergyPoint
from kakure.sim.generation.project import Project

from .page import check_page, write_page
from .record import decides, held_record, load_record, save_record

__all__ = [
    "FORM",
    "GROUPS",
    "SHAPES",
    "measure",
    "options",
    "read_record",
    "record_path",
    "run",
    "shape_of",
    "shape_text",
    "shaped",
    "shapes",
    "table",
]

BUILD = Path("build") / "array-shape"
FIELDS = ("inputs", "outputs", "pixels", "batches", "rows")
FORM = "x".join(name.upper() for name in FIELDS)
SHAPES = "128x16x2x32x8,128x16x2x32x4,64x16x4x32x4,256x16x1x64x8,128x32x1x64x8,64x32x2x32x4"

GROUPS = {
    "products": ("horner_element", "array_popcount", "temporal_array", "excess_counter"),
    "sums": ("ram_sums",),
    "activations": ("ram_activations", "window_reader"),
    "weights": ("row_signs", "ram_masks", "block_maker"),
    "results": ("finisher", "scale_lane", "ram_lane_scales", "summer"),
    "control": (
        "accelerator", "bit_reader", "counters", "crc32", "frame_gate", "image_writer",
        "logit_sender", "mask_decoder", "program_reader", "ram_logits", "ram_program",
        "register_bank", "stream_register", "temporal_core", "temporal_processor", "work_counters",
    ),
}  # fmt: skip
"""Roles by what they are there for."""
GROUP_OF = {role: group for group, roles in GROUPS.items() for role in roles}


def shape_of(text: str) -> dict[str, int]:
    """Sizes of an array from INPUTSxOUTPUTSxPIXELSxBATCHESxROWS; ValueError if it is no such."""
    numbers = [int(number) for number in text.split("x")]
    if len(numbers) != len(FIELDS):
        raise ValueError(text)
    return dict(zip(FIELDS, numbers, strict=True))


def shape_text(array: TemporalConfig) -> str:
    """The shape of an array, as :func:`shape_of` reads it."""
    return "x".join(str(getattr(array, name)) for name in FIELDS)


def record_path(project: Project) -> Path:
    """Where what was measured of a configuration is kept."""
    return BUILD / f"{project.config.name}.json"


def read_record(
    path: Path, project: Project, pixels: NDArray[np.uint8] | None = None
) -> dict[str, Any]:
    """What was measured on some images, or on any; UserError if anything else was."""
    plain = project.config.changed(accelerator=TemporalConfig.model_validate({}))
    common = decides(
        __name__,
        {"yosys": find_engine().version, "library": library().package},
        None if pixels is None else [pixels],
        network=plain.digest,
        parameters=project.parameters.digest,
    )
    return load_record(path, common, "runs")


def shapes(text: str) -> list[str]:
    """Shapes of a list, as an option has them."""
    found = text.split(",")
    for shape in found:
        try:
            shape_of(shape)
        except ValueError:
            rule = f"must be {FORM}, not {shape!r}"
            raise argparse.ArgumentTypeError(rule) from None
    return found


def shaped(config: Config, shape: str) -> Config:
    """The configuration with an array of a shape.

    Raises
    ------
    UserError
        If its accelerator is not temporal, or cannot have that shape.
    """
    if not isinstance(config.accelerator, TemporalConfig):
        raise UserError(
            "must be 'temporal'", where=("accelerator", "kind"), value=repr(config.accelerator.kind)
        )
    data = config.model_dump(mode="json")
    data["accelerator"] |= shape_of(shape)
    changed = parse_config(json.dumps(data), shape)
    architecture_of(changed).check()
    return changed


def measure(project: Project, config: Config, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """What one shape takes, for JSON: cycles, lanes in use, area, critical path, energy."""
    architecture = architecture_of(config)
    array = TemporalConfig.of(config.accelerator)
    cycles = architecture.timing(2).interval
    report = synthesize(design_of(config, str(project.path)), config_digest=config.digest)
    point = measure_project(config, project, pixels)
    return {
        "cycles": cycles,
        "in_use": architecture.counts["LANES"] / (cycles * array.lanes),
        "products": sum(geometry.weights * geometry.positions for geometry in config.geometry),
        "logic_um2": report.totals.area_um2 - report.totals.memory_um2,
        "memory_um2": report.totals.memory_um2,
        "period_ns": report.critical_path.delay_ns,
        "point": json.loads(point.to_json()),
    }


def row(shape: str, found: Mapping[str, Any]) -> str:
    """A line of the table, in Markdown."""
    point = EnergyPoint.from_json(json.dumps(found["point"]))
    period = found["period_ns"]
    groups = dict.fromkeys(GROUPS, 0.0)
    for one in point.rows:
        groups[GROUP_OF[one.role]] += (
            dataclasses.replace(point, rows=(one,)).energy_pj(period) / 1e6
        )
    total = sum(groups.values())
    tops = 2 * found["products"] / (total * 1e6)
    cells = [
        shape.replace("x", "×"),
        f"{found['cycles']:,}",
        f"{found['in_use']:.3f}",
        f"{found['logic_um2'] / 1e6:.3f} + {found['memory_um2'] / 1e6:.2f}",
        f"{period:.2f}",
        *(f"{value:.1f}" for value in groups.values()),
        f"**{total:.1f}**",
        f"**{tops:.1f}**",
    ]
    return f"| {' | '.join(cells)} |"


def table(record: Mapping[str, Any]) -> str:
    """All shapes that were measured, in Markdown."""
    names = [
        "×".join(FIELDS), "cycles", "lanes in use", "mm², logic + memories", "ns",
        *GROUPS, "µJ an image", "TOPS/W",
    ]  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(row(shape, found) for shape, found in record["runs"].items())])


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained, temporal (.json)")
    add("--shapes", type=shapes, default=shapes(SHAPES), help=f"{FORM},... (six of them)")
    add("--images", type=positive, default=64, help="test images that are sent (%(default)s)")
    add("--output", type=Path, metavar="FILE", help="(build/array-shape/NAME.json)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Measure every shape that is not finished, and print the table."""
    project = open_trained(args.config)
    try:
        configs = {shape: shaped(project.config, shape) for shape in args.shapes}
    except UserError as error:
        raise error.of(args.config) from None
    if args.page is not None:
        check_page(args.page, "array-shape")
    path = args.output or record_path(project)
    pixels = trained_images(project, args.images)
    with held_record(path):
        record = read_record(path, project, pixels)
        for shape, config in configs.items():
            if shape not in record["runs"]:
                print(shape, flush=True)
                record["runs"][shape] = measure(project, config, pixels)
                save_record(path, record)
    text = table({**record, "runs": {shape: record["runs"][shape] for shape in configs}})
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, "array-shape", text)
