"""What hidden weights cost in hardware, beside other weights, and on both kinds of accelerator.

Counted: bits, sign rows, cycles. Measured: areas by synthesis, and the temporal accelerator's
energy, of the record that ``kakure study array-shape`` leaves. Estimated: the spatial one.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from kakure.hdl.accelerators.architecture import hidden_weights
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.row_signs import RowSigns
from kakure.hdl.emission.emit import emit
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.weights.sign_generator import SignGenerator
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.signs import sign_matrix
from kakure.search.cost.digital.energy import open_trained
from kakure.search.cost.digital.energy_measured import EnergyPoint
from kakure.search.cost.digital.model import DigitalModel
from kakure.sim.generation.plan import plan
from kakure.sim.generation.project import Project

from .array_shape import read_record, record_path, shape_text
from .page import check_page, write_page

__all__ = ["accelerators", "duplicates", "options", "run", "sign_generators", "storage"]

BITS = {
    "binary, ±1": 1.0,
    "ternary, {−1, 0, +1}": math.log2(3),
    "ternary, two bits each": 2.0,
    "8 bits": 8.0,
}


def storage(config: Config, parameters: Parameters) -> str:
    """Bits of the weights, and what an image moves where none are kept on chip, in Markdown."""
    plans = plan(config, parameters)
    weights = sum(geometry.weights for geometry in config.geometry)
    coded = sum(one.coded_bits or 0 for one in plans)
    rows: list[tuple[str, float]] = [
        ("hidden, mask as it is", sum(one.mask_bits for one in plans)),
        ("hidden, mask coded", coded),
        *((name, bits * weights) for name, bits in BITS.items()),
    ]
    lines = ["| weights | bits | bits a weight | kB an image from outside |", "|---|---|---|---|"]
    for name, bits in rows:
        line = f"{bits:,.0f} | {bits / weights:.3f} | {bits / 8000:,.1f}"
        lines.append(f"| {name} | {line} |")
    return "\n".join(lines)


def duplicates(config: Config, generator: str) -> tuple[int, int]:
    """Rows of signs that another row of their layer equals, and all rows."""
    seed = HiddenWeights.of(config.weights).seed
    equal = total = 0
    for g in config.geometry:
        signs = sign_matrix(
            generator, seed=seed, layer=g.index, channels=g.in_channels, window=g.window,
            outputs=g.outputs,
        )  # fmt: skip
        counts = Counter(row.tobytes() for row in signs)
        equal += sum(many for many in counts.values() if many > 1)
        total += len(signs)
    return equal, total


def _area(component: wiring.Component) -> float:
    return synthesize(emit(component, "top"), progress=False).totals.area_um2


def sign_generators(config: Config, array: TemporalConfig) -> str:
    """Area, signs in a cycle and equal rows of the generators, in Markdown."""
    channels = max(g.in_channels for g in config.geometry)
    windows = tuple(sorted({g.window for g in config.geometry}))
    outputs = max(g.outputs for g in config.geometry)
    made: list[tuple[str, str, int, wiring.Component]] = [
        (
            f"spatial, `{generator}`", generator, 32,
            SignGenerator(
                generator=generator, max_channels=channels, windows=windows,
                max_blocks=-(-outputs // 32),
            ),
        )
        for generator in ("xorshift16", "xorshift32")
    ]  # fmt: skip
    rows = RowSigns(outputs=array.outputs, many=array.many)
    name = f"temporal, any {array.many} rows at once"
    made.append((name, "xorshift32", array.outputs * array.many, rows))
    lines = ["| generator | signs a cycle | µm² | µm² a sign | rows equal to another |"]
    lines.append("|---|---|---|---|---|")
    for title, generator, many, component in made:
        area = _area(component)
        equal, total = duplicates(config, generator)
        cells = f"{many} | {area:,.0f} | {area / many:.0f} | {equal:,} of {total:,}"
        lines.append(f"| {title} | {cells} |")
    return "\n".join(lines)


def _short(number: float) -> str:
    """Three digits of a number."""
    return f"{float(f'{number:.3g}'):,g}"


def accelerators(spatial: Config, temporal: Config, measured: Mapping[str, Any]) -> str:
    """Area, energy and images a second of one network on both, in Markdown."""
    model = DigitalModel().metrics(spatial, extrapolate=True)
    point = EnergyPoint.from_json(json.dumps(measured["point"]))
    period, cycles = measured["period_ns"], measured["cycles"]
    area = measured["logic_um2"] + measured["memory_um2"]
    energy = point.energy_pj(period) / 1e6
    errors = f"±{model.area_error:.1%} area, ±{model.energy_error:.1%} energy"
    error = f"model, {errors}" + (" at least, beyond its range" if model.outside else "")
    rows = [
        (
            f"spatial, `{spatial.name}`", f"{model.area_um2 / 1e6:.2f}", f"{model.cycles:,.0f}",
            f"{model.interval_ns / model.cycles:.2f}", f"{1e9 / model.interval_ns:,.0f}",
            _short(model.energy_pj / 1e6),
            error,
        ),
        (
            f"temporal, `{temporal.name}`", f"{area / 1e6:.2f}", f"{cycles:,}", f"{period:.2f}",
            f"{1e9 / (cycles * period):,.0f}", _short(energy), "measured",
        ),
    ]  # fmt: skip
    names = "accelerator", "mm²", "cycles an image", "ns", "images/s", "µJ an image", "source"
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("spatial", type=Path, metavar="SPATIAL", help="trained, hidden weights (.json)")
    add("temporal", type=Path, metavar="TEMPORAL", help="the same network on an array (.json)")
    add("--measured", type=Path, metavar="FILE", help="(build/array-shape/NAME.json)")
    add("--page", type=Path, metavar="FILE", help="whose tables are written anew")


def _measured(path: Path, project: Project) -> dict[str, Any]:
    shape = shape_text(TemporalConfig.of(project.config.accelerator))
    command = "run `kakure study array-shape` with it first"
    if not path.exists():
        raise UserError(f"must be there; {command}", file=path)
    runs = read_record(path, project)["runs"]
    if shape not in runs:
        raise UserError(f"must have the shape {shape}; {command}", file=path)
    return runs[shape]


def _network(config: Config) -> list[dict[str, Any]]:
    """What a network computes, whatever computes it."""
    hidden_weights(config)
    own = ("seed", "generator")
    weights = {name: getattr(config.weights, name) for name in own}
    return [{**asdict(g), "groups": None, "peak": None, **weights} for g in config.geometry]


def run(args: argparse.Namespace) -> None:
    """Print the three tables."""
    spatial, temporal = open_trained(args.spatial), open_trained(args.temporal)
    if temporal.config.accelerator.kind != "temporal":
        raise UserError(
            "must be 'temporal'",
            where=("accelerator", "kind"),
            value=repr(temporal.config.accelerator.kind),
            file=args.temporal,
        )
    if _network(spatial.config) != _network(temporal.config):
        raise UserError(f"must be the network of {args.spatial}", file=args.temporal)
    for one in (spatial, temporal):
        architecture_of(one.config).check()
    if args.page is not None:
        check_page(args.page, "hidden-hardware")
    path = args.measured or record_path(temporal)
    array = TemporalConfig.of(temporal.config.accelerator)
    found = _measured(path, temporal)
    text = "\n\n".join([
        storage(spatial.config, spatial.parameters),
        sign_generators(spatial.config, array),
        accelerators(spatial.config, temporal.config, found),
    ])
    print(text)
    if args.page is not None:
        write_page(args.page, "hidden-hardware", text)
