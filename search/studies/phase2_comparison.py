"""All ways to do phase 2, on the same network and costs, in one run."""

import argparse
import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kakure.model.commands.command import positive, seed
from kakure.model.errors import UserError
from kakure.model.training.recipe import recipe_for
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import CostModel
from kakure.search.cost.table_building import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem as Phase1Problem
from kakure.search.phase2.accuracy import Tuning, train_start
from kakure.search.phase2.certificate import Certificate, Demand, certify
from kakure.search.phase2.costs import PRODUCTS, PrecisionCosts
from kakure.search.phase2.parts import KEPT, Part
from kakure.search.phase2.precision import Bits, PrecisionSpace
from kakure.search.phase2.problem import Entry, Judge, Problem
from kakure.search.phase2.records import certificate_record, tested_record
from kakure.search.phase2.search import (
    METHODS,
    Method,
    Phase2Result,
    check_images,
    make_judge,
    make_witness,
    progress_bar,
    result_of,
)
from kakure.search.phase2.tested import Tested, on_test_images
from kakure.search.space.point import Point
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_family
from kakure.search.store.parallel import BACKENDS, Workers
from kakure.search.store.store import Store

__all__ = ["Comparison", "Row", "compare", "options", "run"]

BUILD = Path("build") / "phase2"


@dataclass(frozen=True)
class Row:
    """What one method reached.

    Attributes
    ----------
    method : str
    certificate : Certificate or None
        What it chose and what is shown of that; None if nothing is shown to keep the bound.
    tested : Tested or None
        That on the test images.
    evaluations : int
        Precisions whose accuracy it asked for.
    seconds : float
        Of the processor, in those evaluations, whichever method was first to ask.
    own_seconds : float
        Of the method itself.
    """

    method: Method
    certificate: Certificate | None
    tested: Tested | None
    evaluations: int
    seconds: float
    own_seconds: float

    @property
    def entry(self) -> Entry | None:
        """The chosen precision."""
        return None if self.certificate is None else self.certificate.chosen.entry


@dataclass(frozen=True)
class Comparison:
    """All methods at one bound.

    Attributes
    ----------
    start : Entry
        The precision that phase 1 assumed.
    rows : tuple of Row
        The default method last.
    result : Phase2Result
        Of the default method.
    """

    start: Entry
    rows: tuple[Row, ...]
    result: Phase2Result


def compare(
    precision: PrecisionSpace,
    costs: PrecisionCosts,
    judge: Judge,
    *,
    loss: float,
    seed: int,
    budget: int,
    demand: Demand | None = None,
    reference: float | None = None,
    progress: bool = False,
) -> Comparison:
    """Solve with every method; the same arguments give the same rows, but for the seconds.

    ``budget`` bounds the sampler and the default method; uniform and greedy run to their end. What
    one method has measured another one finds in the store, and is charged for all the same.
    What each of them chooses is shown to keep the bound in the same way, on the same images.

    Raises
    ------
    UserError
        If the default method measures nothing within the bound, or nothing is shown to keep it.
    """
    demand = demand or Demand()
    check_images(judge, loss, demand, reference)
    witness = None
    rows = []
    result = None
    for name, method in METHODS.items():
        limit = budget if name in ("tpe", "guided") else None
        total = len(precision.uniform()) if name == "uniform" else limit
        with progress_bar(name, total, progress) as bar:
            problem = Problem(precision, costs, judge, loss, seed, limit, reference, bar)
            begin = time.perf_counter()
            method(problem)
            own = time.perf_counter() - begin - problem.waited
        spent = sum(judge.seconds[levels] for levels in problem.asked)
        certificate = tested = None
        try:
            problem.require()
            witness = witness or make_witness(judge, demand, progress=progress)
            certificate = certify(problem, demand, witness)
        except UserError:
            if name == list(METHODS)[-1]:
                raise
        else:
            result = result_of(problem, certificate)
            pair = (result.reference, (result.config, result.parameters))
            tested = on_test_images(*pair, judge.start.folder)
        rows.append(Row(name, certificate, tested, len(problem.asked), spent, own))
    assert result is not None
    return Comparison(result.start, tuple(rows), result)


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


def phase1_point(space: Space, model: CostModel, *, extrapolate: bool) -> Point:
    """The network of least time under the space's own bounds."""
    tables = build_tables(space, model, extrapolate=extrapolate)
    best = ExactSearch(tables, Phase1Problem.of(space)).best()
    return best.point(space)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("--space", type=Path, required=True, metavar="FILE", help="search space (.json)")
    add("--model", choices=("analog", "digital"), default="analog", help="costs (%(default)s)")
    add("--product", choices=PRODUCTS, default="edap", help="what is least (%(default)s)")
    add("--loss", type=float, help="bound, instead of the space's")
    add("--confidence", type=float, help="of the bound, instead of the space's")
    add("--parts", type=positive, help="that show it, instead of the space's")
    add("--reference", type=float, help="accuracy to lose from, not the start's")
    add("--seed", type=seed, default=1, help="of everything (%(default)s)")
    add("--budget", type=positive, help="evaluations, instead of the space's")
    add("--epochs", type=positive, help="of the start, instead of the space's")
    add("--tuning-epochs", type=int, help="instead of the space's")
    add("--tuning-images", type=int, help="of an epoch (all)")
    add("--held", type=int, help="held-out images that judge (all)")
    add("--validation", type=positive, help="one image of so many is held out")
    add("--jobs", type=positive, default=1, help="at once (%(default)s)")
    add("--backend", choices=BACKENDS, default="local", help="(%(default)s)")
    add("--store", type=Path, metavar="FILE", help="(build/phase2/<space>.sqlite)")
    add("--extrapolate", action="store_true", help="costs outside the fitted range")
    add("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> None:
    """Train the start, compare, and measure the winner on the test images."""
    if args.reference is not None and not 0 <= args.reference <= 1:
        raise UserError("must be 0 to 1", where=("--reference",), value=f"{args.reference:g}")
    if args.loss is not None and not 0 <= args.loss < 1:
        raise UserError("must be at least 0 and below 1", where=("--loss",), value=f"{args.loss:g}")
    space = load_family(args.space)
    effort = space.effort
    loss = effort.accuracy_loss if args.loss is None else args.loss
    model: CostModel = AnalogModel() if args.model == "analog" else DigitalModel()
    point = phase1_point(space, model, extrapolate=args.extrapolate)
    precision = PrecisionSpace(space, point, space.name)
    # Refused costs are refused before anything is trained.
    costs = PrecisionCosts(precision, model, product=args.product, extrapolate=args.extrapolate)
    config = precision.config(precision.start)
    recipe = dataclasses.replace(recipe_for(space.dataset), epochs=args.epochs or effort.epochs)
    if args.validation is not None:
        if args.validation < 2:
            raise UserError("must be at least 2", where=("--validation",), value=args.validation)
        recipe = dataclasses.replace(recipe, validation=args.validation)
    tuning = Tuning(
        epochs=effort.tuning_epochs if args.tuning_epochs is None else args.tuning_epochs,
        images=args.tuning_images,
        held=args.held,
    )
    confidence = effort.confidence if args.confidence is None else args.confidence
    demand = Demand(confidence, args.parts or effort.parts)
    part = Part(0, KEPT) if demand.parts == 1 else None
    shows = sys.stderr.isatty() and not args.json
    held = f"{recipe.validation}-{recipe.epochs}{'' if part is None else '-part'}"
    checkpoint = BUILD / config.digest[:12] / f"seed{args.seed}-{held}.pt"
    start = train_start(
        config,
        args.space.parent,
        recipe,
        seed=args.seed,
        checkpoint=checkpoint,
        part=part,
        progress=shows,
    )
    store = Store(args.store or BUILD / f"{space.name}.sqlite")
    workers = Workers(args.jobs, args.backend)
    judge = make_judge(precision, start, tuning, seed=args.seed, store=store, workers=workers)
    if not args.json:
        print(
            f"{space.name}  {config.digest[:12]}, channels "
            f"{' '.join(str(c.channels) for c in point.layers)}, {precision.size} precisions",
            flush=True,
        )
    comparison = compare(
        precision,
        costs,
        judge,
        loss=loss,
        seed=args.seed,
        budget=args.budget or effort.precisions,
        demand=demand,
        reference=args.reference,
        progress=shows,
    )
    if args.json:
        print(json.dumps(_json(comparison)))
        return
    print(text(comparison, costs, loss=loss))
    tested = comparison.rows[-1].tested
    assert tested is not None
    print(
        f"test images, measured once: start {tested.reference} of {tested.count}, "
        f"guided {tested.correct}: {tested.paired.lost} lost, {tested.paired.gained} gained"
    )


def _json(comparison: Comparison) -> dict[str, Any]:
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
