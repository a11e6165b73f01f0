"""Errors of LAM over uniform fractions."""

from dataclasses import dataclass

import numpy as np

from kakure.model.reference.floating_point.conversion import decode
from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat
from kakure.model.reference.floating_point.lam import lam_multiply
from kakure.model.training.lam.lam import VARIANTS, Lam

__all__ = ["Errors", "errors", "errors_table"]

POINTS = 1024
"""Fractions along each side where a format has more."""


@dataclass(frozen=True)
class Errors:
    """Relative errors, as fractions of the exact product."""

    mean: float
    mean_absolute: float
    rms: float
    least: float
    most: float


def errors(fmt: FloatFormat, compensation: int, table_bits: int) -> Errors:
    """Errors over all pairs of fractions, or an even grid of them."""
    step = max(1, fmt.hidden // POINTS)
    codes = fmt.one + np.arange(step // 2, fmt.hidden, step)
    a, b = codes[:, None], codes[None, :]
    found = decode(fmt, lam_multiply(fmt, a, b, compensation=compensation, table_bits=table_bits))
    error = found / (decode(fmt, a) * decode(fmt, b)) - 1
    return Errors(
        mean=float(error.mean()),
        mean_absolute=float(np.abs(error).mean()),
        rms=float(np.sqrt(np.square(error).mean())),
        least=float(error.min()),
        most=float(error.max()),
    )


def errors_table(names: tuple[str, ...]) -> str:
    """Errors of formats and variants, in Markdown [%]."""
    heads = ("format", "LAM", "mean", "mean size", "RMS", "least", "most")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in names:
        fmt = FORMATS[name]
        for variant in VARIANTS:
            if variant == "table3" and fmt.fraction_bits < 3:
                continue
            lam = Lam.named(variant, fmt.fraction_bits)
            if variant == "constant" and not lam.compensation:  # the same as plain
                continue
            e = errors(fmt, lam.compensation, lam.table_bits)
            values = (e.mean, e.mean_absolute, e.rms, e.least, e.most)
            cells = [f"{round(100 * value, 2) + 0.0:+.2f}" for value in values]  # no −0
            cells[1:3] = [text.lstrip("+") for text in cells[1:3]]
            lines.append(f"| {name} | {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)
