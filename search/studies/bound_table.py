"""Searches with many seeds as a table: what each lost on test images, and who broke the bound."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from kakure.search.phase2.paired import Paired, loss_bound

__all__ = ["allowed", "interval", "table"]

SIDES = 0.95
"""One-sided confidence of each end of the interval of the loss on the test images."""


def loss_of(test: Mapping[str, int]) -> float:
    """Accuracy lost on the test images."""
    return (test["lost"] - test["gained"]) / test["count"]


def interval(test: Mapping[str, int]) -> tuple[float, float]:
    """Where the loss on images like the test images lies, at a confidence of 0.9."""
    there = Paired(test["lost"], test["gained"], test["count"])
    back = Paired(test["gained"], test["lost"], test["count"])
    return -loss_bound(back, SIDES), loss_bound(there, SIDES)


def allowed(runs: int, confidence: float) -> int:
    """Searches of ``runs`` that may lie beyond the bound before that is a surprise.

    The least k with P(more than k) ≤ 0.05, if each does with a chance of 1 − confidence.
    """
    error = 1 - confidence
    tail = 1.0
    for k in range(runs + 1):
        tail -= math.comb(runs, k) * error**k * confidence ** (runs - k)
        if tail <= 0.05 + 1e-9:
            return k
    return runs


def table(record: Mapping[str, Any]) -> str:
    """The finished searches in Markdown, and how many broke the bound."""
    bound, confidence = record["loss"], record["confidence"]
    rows = [record["seeds"][key] for key in sorted(record["seeds"], key=int)]
    heads = (
        "seed",
        "right before, validation",
        "test",
        "AP/IP",
        "product lower by",
        "shown: at most",
        "right after, test",
        "loss on test, interval [%]",
        "broken",
        "by validation alone: loss on test [%]",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        test, shown = row["test"], row["shown"]["chosen"]
        low, high = interval(test)
        lines.append(
            f"| {row['seed']} "
            f"| {row['validation']['reference']} of {row['validation']['count']} "
            f"| {test['reference']} of {test['count']} "
            f"| {_bits(shown['layers'])} | {row['gain']:.2f}x | {100 * shown['bound']:.2f} % "
            f"| {test['correct']} (−{test['lost']} +{test['gained']}) "
            f"| {100 * loss_of(test):.2f}, {100 * low:.1f} to {100 * high:.1f} "
            f"| {'yes' if loss_of(test) > bound else 'no'} "
            f"| {100 * loss_of(row['uncertified']['test']):.2f} "
            f"({row['uncertified']['gain']:.2f}x) |"
        )
    if rows:
        lines += ["", _summary(rows, bound, confidence)]
    return "\n".join(lines)


def _summary(rows: Sequence[Mapping[str, Any]], bound: float, confidence: float) -> str:
    broken = sum(loss_of(row["test"]) > bound for row in rows)
    surely = sum(interval(row["test"])[0] > bound for row in rows)
    before = sum(loss_of(row["uncertified"]["test"]) > bound for row in rows)
    gains = [row["gain"] for row in rows]
    error = 1 - confidence
    return (
        f"{len(rows)} searches, bound {100 * bound:g} %, confidence {100 * confidence:g} %: "
        f"**{broken} broken** on the test images, {error * len(rows):g} to be expected at most, "
        f"{allowed(len(rows), confidence)} compatible with the confidence (binomial, 95 %); "
        f"{surely} whose interval lies beyond the bound as a whole. Mean loss on the test images "
        f"{100 * statistics.mean(loss_of(row['test']) for row in rows):.2f} %, median product "
        f"lower by {statistics.median(gains):.2f}x. Chosen by validation alone, {before} of the "
        f"same searches break it."
    )


def _bits(layers: Sequence[Mapping[str, int | None]]) -> str:
    return " ".join(
        f"{'-' if la['adc_bits'] is None else la['adc_bits']}/{la['input_bits']}" for la in layers
    )
