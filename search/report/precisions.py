"""The precisions whose accuracy was measured in phase 2, as rows of a table."""

from collections.abc import Mapping
from typing import Any

from kakure.sim.report.svg import THIN

from .estimates import percent

__all__ = ["precisions"]

HEADS = (
    "AP/IP of each layer [bit]",
    "validation images right",
    "accuracy",
    "area µm²",
    "time µs",
    "energy nJ",
    "cost, of the first",
    "",
)


def precisions(result: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and rows, one for each precision that was measured, the cheapest first.

    Columns of which nothing is known are left out.

    Cost is what phase 2 makes small, energy·delay·area or delay·area, as a share of what the
    precision that phase 1 assumed costs.
    """
    phase2 = result["phase2"]
    measured = [one for one in phase2["history"] if one.get("accuracy") is not None]
    start, chosen = phase2.get("start"), phase2["chosen"]
    rows = []
    for one in sorted(measured, key=lambda one: (one["product"], -one["accuracy"])):
        marks = []
        if start and one["product"] == start["product"] and _bits(one) == _bits(start):
            marks.append("phase 1's")
        if one["product"] == chosen["product"] and _bits(one) == _bits(chosen):
            marks.append("chosen")
        if one["accuracy"] < phase2["least_accuracy"] - 1e-9:
            marks.append("below the bound")
        rows.append((
            _bits(one),
            f"{one['correct']} of {one['count']}" if one.get("count") else "",
            f"{one['accuracy']:.4f}",
            _number(one.get("area_um2"), 1, 0),
            _number(one.get("time_ns"), 1e3, 2),
            _number(one.get("energy_pj"), 1e3, 2),
            percent(one["product"] / start["product"], 1) if start else "",
            ", ".join(marks),
        ))
    kept = [n for n in range(len(HEADS)) if n == 0 or any(row[n] for row in rows)]
    heads = [result["objective"] + " µs" if head == "time µs" else head for head in HEADS]
    return tuple(heads[n] for n in kept), [tuple(row[n] for n in kept) for row in rows]


def _bits(entry: Mapping[str, Any]) -> str:
    """AP/IP of each layer; a PE array has no AP."""
    layers = entry.get("layers", ())
    return " ".join(f"{layer['adc_bits'] or '–'}/{layer['input_bits']}" for layer in layers)


def _number(value: float | None, unit: float, digits: int) -> str:
    return "" if value is None else f"{value / unit:,.{digits}f}".replace(",", THIN)
