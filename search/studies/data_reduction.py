"""Accuracy of networks trained with support vectors, beside other choices of as many images.

A network is trained for the same number of steps with some of the training images.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from kakure.model.reduction.random_choice import random_choice
from kakure.model.reduction.support_vectors import support_vectors
from kakure.model.reduction.table import SELECTIONS

from .small_data import Problem, Scores, options, repeat, shown, tested

__all__ = ["measure", "options", "run", "table"]

FRACTIONS = (0.1, 0.3)
"""Kept, beside as many as there are support vectors."""

FACTS = {
    "digits": {"images": 1231, "narrow": 2, "steps": 300, "fractions": FRACTIONS},
    "fashion-mnist": {"images": 3000, "narrow": 4, "steps": 240, "fractions": FRACTIONS},
}


def measure(given: Problem, facts: Mapping[str, Any], seed: int) -> Scores:
    """Share of the support vectors, and accuracy by how many are kept and how they are chosen."""
    data = given.pool.take(random_choice(given.pool, facts["images"], seed))
    supports = len(support_vectors(data))
    counts = {f"{f:.0%}": round(f * len(data)) for f in facts["fractions"]} | {"supports": supports}
    how = {"narrow": facts["narrow"], "steps": facts["steps"], "seed": seed}
    return {
        "supports": supports / len(data),
        "all": tested(given, data, **how),
        "kept": {
            name: {
                way: tested(given, data.take(choose(data, kept, seed)), **how)
                for way, choose in SELECTIONS.items()
            }
            for name, kept in counts.items()
        },
    }


def table(rows: list[Scores]) -> str:
    """Accuracies by the fraction kept, and what a choice is better than a random one [%]."""
    supports = shown([row["supports"] for row in rows])
    ways = list(SELECTIONS)
    lines = [f"| kept | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
    gains = [f"| kept | {' | '.join(ways[1:])} |", "|---" * len(ways) + "|"]
    for name in rows[0]["kept"]:
        kept = [row["kept"][name] for row in rows]
        head = f"as many as support vectors, {supports}" if name == "supports" else name
        lines.append(f"| {head} | {' | '.join(shown([k[w] for k in kept]) for w in ways)} |")
        better = [shown([k[w] - k["random"] for k in kept], is_gain=True) for w in ways[1:]]
        gains.append(f"| {head} | {' | '.join(better)} |")
    whole = shown([row["all"] for row in rows])
    lines.append(f"| all | {whole} |" + " |" * (len(ways) - 1))
    return "\n".join([*lines, "\nBetter than a random choice by:\n", *gains])


def run(args: argparse.Namespace) -> None:
    """Measure what is not finished, and print the tables."""
    repeat(args, "data-reduction", FACTS, measure, table)
