"""Plots as SVG: bars of parts, and curves over epochs."""

import math
from collections.abc import Mapping, Sequence

from .svg import document, grouped, label

__all__ = ["bars", "curves"]

WIDTH = 760
NAME, VALUE = 190, 120
"""Room for the names on the left and the sums on the right of bars."""
ROW = 26
KINDS = {
    "window": "sliding window",
    "engine": "engine",
    "stage": "pool, shortcut, rest",
    "requantizer": "requantizer",
    "weights": "weight generator",
    "bus": "streams, registers, memories",
}
"""The looks of :mod:`.svg` and what they stand for."""


def bars(
    rows: Sequence[tuple[str, Mapping[str, float]]], title: str, unit: str, *, digits: int = 0
) -> str:
    """Horizontal bars, each of parts by look; what they are is said below, where a bar has several.

    Parameters
    ----------
    rows
        Name, and the parts by look: the keys of :data:`KINDS`.
    title, unit : str
        What the picture shows, and the unit of all numbers.
    digits : int
        Behind the point.
    """
    most = max(sum(parts.values()) for _, parts in rows)
    scale = (WIDTH - NAME - VALUE - 24) / most if most else 0.0
    drawn = [label(16, 26, f"{title} [{unit}]", "strong", "start")]
    y = 42.0
    for name, parts in rows:
        drawn.append(label(NAME, y + 16, name, "", "end"))
        x = NAME + 10.0
        for look in KINDS:
            if parts.get(look):
                width = parts[look] * scale
                drawn.append(
                    f'<rect class="k-{look}" x="{x:.2f}" y="{y + 3:g}" width="{width:.2f}" '
                    f'height="{ROW - 7}"><title>{KINDS[look]} {_shown(parts[look], digits)} '
                    f"{unit}</title></rect>"
                )
                x += width
        drawn.append(label(x + 8, y + 16, _shown(sum(parts.values()), digits), "", "start"))
        y += ROW
    looks = [look for look in KINDS if any(parts.get(look) for _, parts in rows)]
    if any(len(parts) > 1 for _, parts in rows):
        x = 16.0
        for look in looks:
            drawn.append(
                f'<rect class="k-{look}" x="{x:g}" y="{y + 10:g}" width="12" height="12"/>'
            )
            drawn.append(label(x + 17, y + 20, KINDS[look], "quiet", "start"))
            x += 34 + 6.1 * len(KINDS[look])
        y += 28
    return document(WIDTH, y + 8, drawn, title)


def curves(
    epochs: Sequence[int], losses: Sequence[float], accuracies: Sequence[float], kept: int
) -> str:
    """Loss of the training images and accuracy of the validation images, epoch by epoch.

    Parameters
    ----------
    epochs, losses, accuracies
        As long as each other, at least one; accuracies from 0 to 1.
    kept : int
        The epoch whose parameters were kept.
    """
    left, right, top, bottom = 60, WIDTH - 60, 44, 240
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)
    highest = 4 * _step(max(losses) / 4)
    lowest = math.floor(min(accuracies) * 4.999) / 5

    def place(epoch: float) -> float:
        return left + (right - left) * (epoch - first) / (last - first)

    def line(values: Sequence[float], low: float, high: float, look: str) -> str:
        points = " ".join(
            f"{place(epoch):.1f},{bottom - (bottom - top) * (value - low) / (high - low):.1f}"
            for epoch, value in zip(epochs, values, strict=True)
        )
        return f'<polyline class="k-{look}" points="{points}"/>'

    drawn = [label(16, 26, "Training, epoch by epoch", "strong", "start")]
    for n in range(5):
        y = bottom - (bottom - top) * n / 4
        drawn.append(f'<path class="k-grid" d="M{left} {y:g}H{right}"/>')
        drawn.append(label(left - 8, y + 4, f"{highest * n / 4:.4g}", "quiet", "end"))
        share = lowest + (1 - lowest) * n / 4
        drawn.append(label(right + 8, y + 4, f"{100 * share:.0f} %", "quiet", "start"))
    for epoch in sorted({first, epochs[len(epochs) // 2], epochs[-1]}):
        drawn.append(label(place(epoch), bottom + 18, grouped(epoch), "quiet"))
    drawn.append(f'<path class="k-line" d="M{place(kept):.1f} {top}V{bottom}" opacity=".5"/>')
    drawn.append(label(place(kept), top - 6, f"kept: {kept}", "quiet"))
    drawn += [line(losses, 0.0, highest, "other"), line(accuracies, lowest, 1.0, "curve")]
    low = bottom + 40
    for x, look, said in (
        (left, "other", "loss, left"),
        (left + 120, "curve", "validation accuracy, right"),
    ):
        drawn.append(f'<path class="k-{look}" d="M{x} {low}h20"/>')
        drawn.append(label(x + 26, low + 4, said, "quiet", "start"))
    return document(WIDTH, low + 16, drawn, "Loss and validation accuracy over the epochs")


def _step(least: float) -> float:
    """The least 1, 2, 2.5 or 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(n * power for n in (1, 2, 2.5, 5, 10, 20) if n * power >= least)


def _shown(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace(",", "\u202f") if digits else grouped(value)
