"""A comparison of ways to do phase 2, as a table and as JSON."""

import dataclasses
from typing import Any

from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.precision import Bits
from kakure.search.phase2.problem import Entry
from kakure.search.phase2.records import certificate_record, tested_record

from .phase2_methods import Comparison

__all__ = ["plain", "record", "text"]

HEAD = "{:10}{:>12}{:>9}{:>12}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}  {}"
"""Loss on the images that choose; what it is at most on others; and on the test images."""


def bits_text(bits: Bits) -> str:
    """``AP/IP`` of every layer."""
    return " ".join(f"{'-' if adc is None else adc}/{width}" for adc, width in bits)


def text(comparison: Comparison, costs: PrecisionCosts, *, loss: float) -> str:
    """A table for people to read."""
    start = comparison.start
    unit = "EDAP" if costs.product == "edap" else "delay·area"
    time_name = costs.precision.space.objective
    head = (
        f"least {unit} ({time_name}), {costs.model.name} model, loss at most {loss:g}; "
        f"start {start.cost.product:.4g}, {start.correct} of {start.count} right"
    )
    certificate = comparison.result.certificate
    lines = [
        head,
        HEAD.format(
            "method",
            unit,
            "lower by",
            "validation",
            "loss",
            "at most",
            "test",
            "evaluations",
            "s",
            "own s",
            "AP/IP of each layer",
        ),
    ]
    for row in comparison.rows:
        entry = row.entry
        cells = ["-"] * 6
        bits = ""
        if entry is not None and row.certificate is not None and row.tested is not None:
            cells = [
                f"{entry.cost.product:.4g}",
                f"{start.cost.product / entry.cost.product:.2f}x",
                f"{entry.accuracy:.4f}",
                f"{entry.loss:.4f}",
                f"{row.certificate.chosen.bound:.4f}",
                f"{row.tested.paired.loss:.4f}",
            ]
            bits = bits_text(entry.bits)
        spent = [f"{row.evaluations}", f"{row.seconds:.0f}", f"{row.own_seconds:.1f}"]
        lines.append(HEAD.format(row.method, *cells, *spent, bits))
    lines.append(f"guided: {certificate.statement}")
    lines.append("front, cheapest first:")
    for entry in comparison.result.front:
        lines.append(
            f"  {unit} {entry.cost.product:.4g}, energy {entry.cost.energy_pj:.4g} pJ, "
            f"validation {entry.accuracy:.4f}, {bits_text(entry.bits)}"
        )
    return "\n".join(lines)


def plain(entry: Entry) -> dict[str, Any]:
    """An entry for JSON."""
    return {
        "bits": [list(pair) for pair in entry.bits],
        **dataclasses.asdict(entry.cost),
        "correct": entry.correct,
        "count": entry.count,
        "accuracy": entry.accuracy,
        "loss": entry.loss,
    }


def record(comparison: Comparison) -> dict[str, Any]:
    """The whole comparison for JSON."""
    rows = [
        {
            "method": row.method,
            "best": None if row.entry is None else plain(row.entry),
            "shown": None if row.certificate is None else certificate_record(row.certificate),
            "test": None if row.tested is None else tested_record(row.tested),
            "evaluations": row.evaluations,
            "seconds": row.seconds,
            "own_seconds": row.own_seconds,
        }
        for row in comparison.rows
    ]
    return {
        "start": plain(comparison.start),
        "rows": rows,
        "front": [plain(entry) for entry in comparison.result.front],
        "history": [plain(entry) for entry in comparison.result.history],
    }
