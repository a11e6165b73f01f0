"""Tables of a network at every precision: accuracy, cycles, and energy where it was measured."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.provenance import sources
from kakure.search.cost.digital.energy_fit import CLOCK_NS
from kakure.search.cost.digital.energy_measured import EnergyPoint

from .precision_energy import ANY
from .record import load_record

__all__ = ["energies_of", "has_hardware", "table"]


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
        If it is none, of another configuration or other sources, or lacks a number of planes.
    """
    same = {"config": config.digest, "sources": sources("kakure.search.studies.precision_energy")}
    record = load_record(path, same, "points")
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
