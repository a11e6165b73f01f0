"""Fit the analog model to the reference sweep: ``python -m`` this module ``[--report]``."""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.errors import UserError

from .constants import CONSTANTS, describe
from .regression import fit_circuits, read_published
from .sweep import SWEEP, read_sweep
from .validation import (
    QUANTITIES,
    check_extract,
    check_networks,
    check_tiles,
    cross_validate,
    hold_out_networks,
    leave_out_levels,
    residuals,
    size_doubt,
    summary,
)
from .work import KINDS

__all__ = ["calibrate", "main", "report"]

LEAST_POINTS = 6


def calibrate(path: Path = SWEEP) -> dict[str, Any]:
    """Constants and their errors, as constants.json holds them; the same input, the same result."""
    sweep, published = read_sweep(path), read_published()
    for kind in KINDS:
        if (points := int((sweep.kind == kind.config).sum())) < LEAST_POINTS:
            raise UserError(
                f"must hold at least {LEAST_POINTS} points of {kind.config}",
                value=points,
                file=path,
            )
    circuits = fit_circuits(sweep, published)
    seen, held = residuals(circuits, sweep), cross_validate(sweep, published)
    kinds = {}
    for kind in KINDS:
        rows = sweep.kind == kind.config
        part = sweep.take(rows)
        errors = {
            name: {
                "in_sample": _short(summary(seen[name][rows], part)),
                "held_out": _short(summary(held[name][rows], part)),
            }
            for name in QUANTITIES
        }
        kinds[kind.name] = describe(circuits[kind.name], part) | {"errors": errors}
    paper = sweep.take(sweep.kind == KINDS[0].config)
    levels = {
        level: {name: _short(summary(error, paper)) for name, error in errors.items()}
        for level, errors in leave_out_levels(sweep, published).items()
    }
    first = circuits[KINDS[0].name]
    networks = {
        quantity: {name: [_digits(value) for value in values] for name, values in types.items()}
        for quantity, types in check_networks(first, published).items()
    }
    left_out = {
        name: {kind: [_digits(value) for value in values] for kind, values in types.items()}
        for name, types in hold_out_networks(first, published).items()
    }
    tiles = {
        name: [_digits(value) for value in values]
        for name, values in check_tiles(first, published).items()
    }
    return {
        "command": "python -m kakure.search.cost.analog.fit",
        "sweep": {"file": SWEEP.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "errors": {
            "unit": "relative, |estimate / measured - 1|",
            "held_out": "5-fold, repeated 4 times; the two 128 x 128 kinds: one point at a time",
        },
        "kinds": kinds,
        "levels": levels,
        "extract": {
            name: _short(errors) for name, errors in check_extract(first, sweep, published).items()
        },
        "networks": {
            "error": networks,
            "held_out_latency": left_out,
            "energy_doubt": _digits(size_doubt(first)),
            "whole": _whole(networks, published["other_networks"]),
            "layer": _layer(networks, published["other_networks"]),
        },
        "tiles": {"error": tiles},
    }


def _whole(networks: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Mean and worst |error| of a whole network; the worst energy is not known.

    Areas are those of VGG16, which no fit saw. Latency and energy are of networks with other
    layers: VGG16's latencies are not held out, and of its energy there is no figure.
    """
    areas = np.abs(list(networks["area_mm2"].values()))
    return {
        "area": {"mean": _digits(float(areas.mean())), "max": _digits(float(areas.max()))},
        "latency": {"mean": other["latency"]["mean"], "max": other["latency"]["max"]},
        "energy": {"mean": abs(other["energy"]["mean"]), "max": None},
    }


def _layer(networks: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """As :func:`_whole`, of one layer that is not the sweep's: of latency only the worst is known.

    The worst stands for the mean too.
    """
    latency = max(abs(value) for value in other["latency_of_a_layer"].values())
    whole = _whole(networks, other)
    return whole | {"latency": {"mean": latency, "max": latency}}


def _short(errors: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _digits(value) if isinstance(value, float) else value for key, value in errors.items()
    }


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def report(data: Mapping[str, Any]) -> str:
    """The errors as a table [%]."""
    lines = [f"{'':34}{'in sample':>16}{'held out':>16}   worst held out"]
    lines.append(f"{'[%]':34}" + f"{'mean':>8}{'max':>8}" * 2)
    for name, kind in data["kinds"].items():
        for quantity, errors in kind["errors"].items():
            seen, held = errors["in_sample"], errors["held_out"]
            figures = [100 * part[key] for part in (seen, held) for key in ("mean", "max")]
            label = f"{name} ({held['points']}) {quantity}"
            lines.append(
                f"{label:34}" + "".join(f"{x:8.2f}" for x in figures) + f"   {held['worst']}"
            )
    lines += ["", f"{'level left out whole [%]':34}{'mean':>8}{'max':>8}   worst"]
    for level, quantities in data["levels"].items():
        for quantity, errors in quantities.items():
            lines.append(
                f"{level + ', ' + quantity:34}{100 * errors['mean']:8.2f}"
                f"{100 * errors['max']:8.2f}   {errors['worst']}"
            )
    lines += ["", f"{'published points not in the file':34}{'mean':>8}{'max':>8}"]
    for quantity, errors in data["extract"].items():
        label = f"({errors['points']}) {quantity}"
        lines.append(f"{label:34}{100 * errors['mean']:8.2f}{100 * errors['max']:8.2f}")
    lines += ["", "published figures, error at CS 2, 4, 8, 16, 32 [%]"]
    checks = {
        "one tile, area": {"": data["tiles"]["error"]},
        "VGG16, first 12 convolutions": data["networks"]["error"],
    }
    for label, part in checks.items():
        for quantity, types in part.items():
            for name, values in types.items():
                title = " ".join(filter(None, [label, quantity, name]))
                lines.append(f"{title:50}" + "".join(f"{100 * value:7.2f}" for value in values))
    for name, types in data["networks"]["held_out_latency"].items():
        for kind, values in types.items():
            title = f"VGG16 latency {kind}, {'its AT' if name == 'type' else 'itself'} left out"
            lines.append(f"{title:50}" + "".join(f"{100 * value:7.2f}" for value in values))
    doubt = 100 * data["networks"]["energy_doubt"]
    lines += ["", f"{'networks outside the fit [%]':34}{'mean':>8}{'max':>8}"]
    for title in ("whole", "layer"):
        for quantity, errors in data["networks"][title].items():
            worst = "unknown" if errors["max"] is None else f"{100 * errors['max']:.2f}"
            label = f"{'whole network' if title == 'whole' else 'one layer of it'}, {quantity}"
            lines.append(f"{label:34}{100 * errors['mean']:8.2f}{worst:>8}")
    lines += [
        "of one layer's latency only the worst is known; whole latencies are right by cancellation",
        "energy is low in every case, and no figure at hand says where",
        f"energy of VGG16 depends by {doubt:.1f} % on how buffers and wires scale, unchecked",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, write constants.json, and print the errors if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m kakure.search.cost.analog.fit",
        description="Fit the analog model to its sweep.",
    )
    parser.add_argument("--report", action="store_true", help="print the errors, write nothing")
    parser.add_argument("--sweep", type=Path, default=SWEEP, help="another sweep file")
    options = parser.parse_args(arguments)
    try:
        data = calibrate(options.sweep)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if options.report:
        print(report(data))
    else:
        CONSTANTS.write_text(
            json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(f"wrote {CONSTANTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
