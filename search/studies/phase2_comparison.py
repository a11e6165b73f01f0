"""All ways to do phase 2, on the same network and costs, in one run."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from kakure.model.commands.command import jobs, positive, seed, whole
from kakure.model.errors import UserError
from kakure.model.training.recipe import recipe_for
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import CostModel
from kakure.search.cost.table_building import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem as Phase1Problem
from kakure.search.phase2.accuracy import Tuning
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.costs import PRODUCTS, PrecisionCosts
from kakure.search.phase2.parts import KEPT, Part
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.phase2.search import make_judge
from kakure.search.phase2.start import train_start
from kakure.search.space.effort import MOST_EPOCHS, MOST_PRECISIONS
from kakure.search.space.point import Point
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_family
from kakure.search.store.parallel import BACKENDS, Workers
from kakure.search.store.store import Store

from .phase2_methods import compare
from .phase2_table import record, text

__all__ = ["options", "run"]

BUILD = Path("build") / "phase2"


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
    add("--budget", type=whole(1, MOST_PRECISIONS), help="evaluations, instead of the space's")
    add("--epochs", type=whole(1, MOST_EPOCHS), help="of the start, instead of the space's")
    add("--tuning-epochs", type=whole(0, MOST_EPOCHS), help="instead of the space's")
    add("--tuning-images", type=whole(2, 10**9), help="of an epoch (all)")
    add("--held", type=whole(2, 10**9), help="held-out images that judge (all)")
    add("--validation", type=positive, help="one image of so many is held out")
    add("--jobs", type=jobs, default=1, help="at once (%(default)s)")
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
    try:
        demand = Demand(confidence, args.parts or effort.parts)
    except UserError as error:
        raise error.as_option() from None
    part = Part(0, KEPT) if demand.parts == 1 else None
    shows = sys.stderr.isatty() and not args.json
    held = f"{recipe.validation}-{recipe.epochs}{'' if part is None else '-part'}"
    checkpoint = BUILD / config.digest[:12] / f"seed{args.seed}-{held}.pt"
    # So is a store that cannot be opened.
    store = Store(args.store or BUILD / f"{space.name}.sqlite")
    start = train_start(
        config,
        args.space.parent,
        recipe,
        seed=args.seed,
        checkpoint=checkpoint,
        part=part,
        progress=shows,
    )
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
        print(json.dumps(record(comparison)))
        return
    print(text(comparison, costs, loss=loss))
    tested = comparison.rows[-1].tested
    assert tested is not None
    print(
        f"test images, measured once: start {tested.reference} of {tested.count}, "
        f"guided {tested.correct}: {tested.paired.lost} lost, {tested.paired.gained} gained"
    )
