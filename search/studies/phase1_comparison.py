"""All ways to do phase 1, on the same space and costs, in one run."""

import argparse
import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from kakure.model.errors import UserError
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.metrics import CostModel
from kakure.search.cost.table_building import build_tables
from kakure.search.cost.tables import Solution, Tables
from kakure.search.phase1.band import band_optimum
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Attempt, Problem
from kakure.search.space.description import describe
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_family

from .gradient import PublishedLoop, RelaxedLoop, published_search, relaxed_search
from .published_cost import LATENCY_UNIT_PS, PublishedCost, published_tables
from .random_search import random_search

__all__ = ["Comparison", "Row", "compare", "options", "run"]


@dataclass(frozen=True)
class Row:
    """What one method reached, over all seeds.

    Attributes
    ----------
    method : str
    median_ps, best_ps : float or None
        Objective over the runs that found a network within the bounds; None if none did.
    median_gap, best_gap : float or None
        How far they lie above the proven optimum, as a fraction of it.
    runs, feasible_runs : int
    evaluations : int
        Networks that one run looked at; 0 for the exact search, which looks at labels.
    seconds : float
        Of all runs together, on one core.
    """

    method: str
    median_ps: float | None
    best_ps: float | None
    median_gap: float | None
    best_gap: float | None
    runs: int
    feasible_runs: int
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """One problem, its proven optimum, and a row for each method.

    Attributes
    ----------
    problem : Problem
    optimum : Solution
        The best network.
    bound_ps : int
        The time that no network within the bounds is below: that of ``optimum``, but for a band
        of areas, where a gap may be left [ps].
    rows : tuple of Row
    front_points, labels : int
        Size of the front under the bounds, and labels kept to find it; 0 with a band.
    """

    problem: Problem
    optimum: Solution
    bound_ps: int
    rows: tuple[Row, ...]
    front_points: int
    labels: int


Method = Callable[[Tables, int], list[Attempt]]
"""Runs a method once for each seed, with a number of evaluations."""


def compare(
    tables: Sequence[Tables],
    problem: Problem,
    *,
    seeds: Sequence[int] = range(10),
    evaluations: int = 2000,
    progress: bool = False,
) -> Comparison:
    """Solve a problem with every method; the same seeds give the same rows, but for the seconds.

    With several sizes of crossbar tile, each baseline spends an equal share of its evaluations on
    each, and the best counts.

    Raises
    ------
    UserError
        If no network keeps within the bounds.
    """
    start = time.perf_counter()
    points = labels = 0
    if problem.least_area_um2:
        found = [band_optimum(part, problem) for part in tables]
        best = min(found, key=lambda one: one.time_ps)
        optimum, bound = best.solution, min(one.bound_ps for one in found)
    else:
        search = ExactSearch(tables, problem)
        front = search.front()
        optimum = front.solution(-1)
        bound, points, labels = problem.time_ps(optimum), len(front), search.labels
    spent = time.perf_counter() - start
    exact = Attempt("exact", 0, optimum, 0, 1)
    rows = [_row([exact], problem, bound, spent)]

    def relaxed(part: Tables, steps: int) -> list[Attempt]:
        loop = RelaxedLoop(steps=steps)
        return relaxed_search(part, problem, seeds=seeds, loop=loop, progress=progress)

    def published(part: Tables, steps: int) -> list[Attempt]:
        loop = PublishedLoop(steps=steps)
        return published_search(part, problem, seeds=seeds, loop=loop, progress=progress)

    def random(part: Tables, draws: int) -> list[Attempt]:
        return random_search(part, problem, seeds=seeds, evaluations=draws)

    methods: tuple[Method, ...] = (relaxed, published, random)
    for method in methods:
        start = time.perf_counter()
        share = max(1, evaluations // len(tables))
        runs = [method(part, share) for part in tables]
        merged = [_merge(attempts, problem) for attempts in zip(*runs, strict=True)]
        rows.append(_row(merged, problem, bound, time.perf_counter() - start))
    return Comparison(problem, optimum, bound, tuple(rows), points, labels)


def _merge(attempts: Sequence[Attempt], problem: Problem) -> Attempt:
    """The best of what one seed found with each size of crossbar tile."""
    solutions = [a.solution for a in attempts if a.solution is not None]
    return dataclasses.replace(
        attempts[0],
        solution=min(solutions, key=problem.time_ps, default=None),
        evaluations=sum(a.evaluations for a in attempts),
        feasible=sum(a.feasible for a in attempts),
    )


def _row(attempts: Sequence[Attempt], problem: Problem, bound: int, seconds: float) -> Row:
    times = [problem.time_ps(a.solution) for a in attempts if a.solution is not None]
    median = statistics.median(times) if times else None
    best = min(times) if times else None
    return Row(
        method=attempts[0].method,
        median_ps=median,
        best_ps=best,
        median_gap=None if median is None else median / bound - 1,
        best_gap=None if best is None else best / bound - 1,
        runs=len(attempts),
        feasible_runs=len(times),
        evaluations=attempts[0].evaluations,
        seconds=seconds,
    )


def text(comparison: Comparison, *, unit_ps: float, unit: str) -> str:
    """A table for people to read."""
    problem, best = comparison.problem, comparison.optimum
    asked = [f"least {problem.objective}"]
    if problem.area_um2 is not None:
        asked.append(f"area at most {problem.area_um2 / 1e6:g} mm²")
    if problem.least_area_um2:
        asked.append(f"and at least {problem.least_area_um2 / 1e6:g} mm²")
    if problem.least_weights:
        asked.append(f"at least {problem.least_weights} weights")
    lines = [", ".join(asked)]
    heads = (
        "method",
        f"median {unit}",
        "gap",
        f"best {unit}",
        "gap",
        "feasible",
        "evaluations",
        "s",
    )
    lines.append("{:20}{:>16}{:>9}{:>16}{:>9}{:>10}{:>13}{:>9}".format(*heads))
    for row in comparison.rows:
        cells = [row.method]
        for value, gap in ((row.median_ps, row.median_gap), (row.best_ps, row.best_gap)):
            cells.append("-" if value is None else f"{value / unit_ps:.2f}")
            cells.append("-" if gap is None else f"{100 * gap:.1f} %")
        cells += [f"{row.feasible_runs}/{row.runs}", str(row.evaluations), f"{row.seconds:.2f}"]
        lines.append("{:20}{:>16}{:>9}{:>16}{:>9}{:>10}{:>13}{:>9}".format(*cells))
    reached = problem.time_ps(best)
    proof = (
        "proven"
        if reached == comparison.bound_ps
        else (f"proven to within {100 * (reached / comparison.bound_ps - 1):.3f} %")
    )
    lines.append(
        f"optimum ({proof}): {reached / unit_ps:.4f} {unit}, {best.area_um2 / 1e6:.3f} mm², "
        f"{best.weights} weights, channels {' '.join(map(str, best.channels))}"
    )
    if comparison.front_points:
        lines.append(
            f"whole front under the bounds: {comparison.front_points} points, from "
            f"{comparison.labels} labels, in {comparison.rows[0].seconds:.2f} s"
        )
    return "\n".join(lines)


def costs(space: Space, name: str) -> tuple[Tables, ...]:
    """Costs of a space under the model of that name."""
    if name == "published":
        return (published_tables(space),)
    model: CostModel = PublishedCost() if name == "published-counted" else AnalogModel()
    return build_tables(space, model)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("--space", type=Path, required=True, metavar="FILE", help="search space (.json)")
    add(
        "--model",
        choices=("published", "published-counted", "analog"),
        default="published",
        help="XPert's published cost, the same with all counted, or analog (%(default)s)",
    )
    add("--area", type=float, metavar="UM2", help="bound, instead of the space's")
    add("--band", type=float, metavar="PERCENT", help="also a band around the bound")
    add("--least-weights", type=int, metavar="N", help="instead of the space's")
    add("--objective", choices=("latency", "interval"), help="instead of the space's")
    add("--seeds", type=int, default=10, help="runs of each method (%(default)s)")
    add("--evaluations", type=int, default=2000, help="of each run (%(default)s)")
    add("--json", action="store_true", help="print one JSON object for each problem")


def run(args: argparse.Namespace) -> None:
    """Print a table for each problem."""
    torch.set_num_threads(1)
    for name in ("seeds", "evaluations"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name}: must be at least 1", value=getattr(args, name))
    space = load_family(args.space)
    problem = Problem.of(space)
    if args.objective:
        problem = dataclasses.replace(problem, objective=args.objective)
    if args.area is not None:
        if not 0 < args.area <= 1e12:
            raise UserError(
                "must be above 0 and at most 1e12", where=("--area",), value=f"{args.area:g}"
            )
        problem = dataclasses.replace(problem, area_um2=int(args.area))
    if args.least_weights is not None:
        if args.least_weights < 0:
            raise UserError(
                "must be at least 0", where=("--least-weights",), value=args.least_weights
            )
        problem = dataclasses.replace(problem, least_weights=args.least_weights)
    problems = [problem]
    if args.band is not None:
        where = ("--band",)
        if not 0 < args.band < 100:
            raise UserError("must be above 0 and below 100", where=where, value=f"{args.band:g}")
        if problem.area_um2 is None:
            raise UserError("must be left out without a bound on the area", where=where)
        off = problem.area_um2 * args.band / 100
        low, high = int(problem.area_um2 - off), int(problem.area_um2 + off)
        band = Problem(problem.objective, high, least_area_um2=low)
        problems.append(band)
    start = time.perf_counter()
    tables = costs(space, args.model)
    spent = time.perf_counter() - start
    if not args.json:
        print(f"{describe(space)}\ncosts       {args.model}, tables in {spent:.3f} s")
    published = args.model.startswith("published")
    unit_ps, unit = (LATENCY_UNIT_PS, "1/64 ms") if published else (1e6, "µs")
    for one in problems:
        comparison = compare(
            tables,
            one,
            seeds=range(args.seeds),
            evaluations=args.evaluations,
            progress=sys.stderr.isatty() and not args.json,
        )
        if args.json:
            print(json.dumps(dataclasses.asdict(comparison)))
        else:
            print(f"\n{text(comparison, unit_ps=unit_ps, unit=unit)}", flush=True)
