"""Precisions that are shown to keep the bound: the walk, and how often it is wrong."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_search_phase2_costs import Whole
from test_search_phase2_search import BIG

from kakure.model.errors import UserError
from kakure.search.phase2.accuracy import Measured
from kakure.search.phase2.certificate import Demand, certify, require_images, walk
from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.paired import Paired, loss_bound
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.phase2.problem import Problem
from kakure.search.phase2.search import METHODS
from kakure.search.space.point import Hardware, Point
from kakure.search.studies.bound_table import allowed

FLIPS = 0.008
"""Chance of an image to be gained, whatever the precision."""


class Luck:
    """Networks whose true losses are known, judged on a few images that choose."""

    def __init__(self, precision: PrecisionSpace, seed: int, count: int = 206) -> None:
        rng = np.random.default_rng(seed)
        self.precision = precision
        self.count = count
        self.seed = seed
        self.steps = [
            [0.0, *rng.exponential(0.004 * 2.0 ** (3 - np.array(knob.values[1:])))]
            for knob in precision.knobs
        ]
        self.known: dict[tuple[int, ...], Measured] = {}
        self.seconds: dict[tuple[int, ...], float] = {}

    def loss(self, levels) -> float:
        steps = zip(self.steps, levels, strict=True)
        return min(0.7, float(sum(sum(sizes[: level + 1]) for sizes, level in steps)))

    def drawn(self, levels, count: int, of: int) -> Paired:
        if not any(levels):
            return Paired(0, 0, count)
        rng = np.random.default_rng([self.seed, of, *levels])
        lost, gained, _ = rng.multinomial(
            count, [self.loss(levels) + FLIPS, FLIPS, 1 - self.loss(levels) - 2 * FLIPS]
        )
        return Paired(int(lost), int(gained), count)

    def measure(self, wanted, bar) -> None:
        for levels in wanted:
            paired = self.drawn(levels, self.count, 1)
            correct = round(0.97 * self.count) - paired.lost + paired.gained
            self.known[levels] = Measured(correct, self.count, 0.0, 0, b"")
            self.seconds[levels] = 0.0

    def witness(self, count: int = 1231):
        asked = []

        def paired(levels):
            asked.append(levels)
            return self.drawn(levels, count, 2)

        def against_all(levels):
            wrong = round(0.03 * count) + paired(levels).lost
            return Paired(wrong, 0, count)

        return SimpleNamespace(
            paired=paired, against_all=against_all, starts=(None,) * 5, count=count, asked=asked
        )


@pytest.fixture(scope="module")
def landscape():
    layers = tuple(la.choice(la.channels[0], la.options[0]) for la in BIG.layers)
    precision = PrecisionSpace(BIG, Point(Hardware(64, 64), layers), "big")
    return precision, PrecisionCosts(precision, Whole())


def solved(landscape, seed: int, *, loss: float = 0.01, reference: float | None = None):
    precision, costs = landscape
    judge: Luck = Luck(precision, seed)
    problem = Problem(precision, costs, judge, loss, seed, 60, reference)  # type: ignore[arg-type]
    METHODS["greedy"](problem)
    return problem, judge


def test_the_bound_is_broken_no_more_often_than_stated(landscape):
    confidence = 0.9
    runs, broken, by_choice, lowered = 80, 0, 0, 0
    for seed in range(runs):
        problem, judge = solved(landscape, seed)
        found = certify(problem, Demand(confidence), judge.witness())  # type: ignore[arg-type]
        assert found.chosen.bound <= problem.loss
        broken += judge.loss(found.chosen.entry.levels) > problem.loss
        lowered += found.chosen.entry.levels != problem.start
        by_choice += judge.loss(problem.require().levels) > problem.loss
    assert broken <= allowed(runs, confidence)
    assert lowered > 0.3 * runs  # something is left to choose
    assert by_choice > 0.5 * runs  # the images that choose do not keep it


def test_the_walk_is_fixed_beforehand_and_goes_from_safe_to_cheap(landscape):
    problem, judge = solved(landscape, 3)
    steps = walk(problem, 5)
    assert steps[0].levels == problem.start and 3 <= len(steps) <= 6
    products = [entry.cost.product for entry in steps]
    assert products == sorted(set(products), reverse=True)
    assert all(problem.keeps(entry) for entry in steps)
    assert walk(problem, 2)[-1] == steps[-1]
    witness = judge.witness()
    found = certify(problem, Demand(0.95, steps=5), witness)  # type: ignore[arg-type]
    asked = [entry.levels for entry in steps[: len(witness.asked)]]
    assert witness.asked == asked  # in that order, and nothing after the first that is refused
    if found.refused is not None:
        assert found.refused.entry.levels == asked[-1]
        assert found.refused.bound > problem.loss
        assert found.chosen.entry.levels == asked[-2]
    else:
        assert len(asked) == len(steps) and found.chosen.entry.levels == asked[-1]


def test_the_walk_ends_at_the_first_that_is_refused(landscape):
    problem, judge = solved(landscape, 3)
    steps = walk(problem, 5)
    for stop in range(1, len(steps)):
        witness = judge.witness()

        def paired(levels, bad=steps[stop].levels):
            return Paired(40 * (levels == bad), 0, 1231)

        witness.paired = paired
        found = certify(problem, Demand(0.95, steps=5), witness)  # type: ignore[arg-type]
        assert found.chosen.entry == steps[stop - 1]
        assert found.refused is not None and found.refused.entry == steps[stop]
        assert found.refused.bound == loss_bound(Paired(40, 0, 1231), 0.95)


def test_what_is_said_is_what_is_shown(landscape):
    problem, judge = solved(landscape, 3)
    witness = judge.witness()
    witness.paired = lambda levels: Paired(3, 1, 1231)
    found = certify(problem, Demand(0.9), witness)  # type: ignore[arg-type]
    bound = loss_bound(Paired(3, 1, 1231), 0.9)
    assert found.statement == (
        f"loss at most {100 * bound:.2f} % at a confidence of 90 %; 1231 images that chose "
        "nothing, in 5 parts"
    )
    witness.paired = lambda levels: Paired(0 if levels == problem.start else 25, 0, 1231)
    kept = certify(problem, Demand(0.9), witness)  # type: ignore[arg-type]
    assert kept.chosen.entry.levels == problem.start and kept.chosen.bound == 0
    least = 100 * loss_bound(Paired(25, 0, 1231), 0.9)
    assert kept.statement == (
        "no precision lowered, so no loss; 1231 images that chose nothing, in 5 parts; the next "
        f"cheaper one may lose {least:.2f} %"
    )


def test_a_loss_from_a_given_accuracy_is_shown_against_that(landscape):
    problem, judge = solved(landscape, 3, loss=0.05, reference=0.97)
    witness = judge.witness()
    found = certify(problem, Demand(0.95), witness)  # type: ignore[arg-type]
    wrong = witness.against_all(found.chosen.entry.levels)
    assert found.chosen.bound == loss_bound(wrong, 0.95) - (1 - 0.97)
    assert 0 < found.chosen.bound <= 0.05
    problem.loss = 0.001
    with pytest.raises(UserError, match=r"loss: must be at least 0\.0\d+, which 1231 images show"):
        certify(problem, Demand(0.95), witness)  # type: ignore[arg-type]


def test_too_few_images_are_refused_before_anything_is_measured():
    require_images(0.01, Demand(0.95), 299)
    with pytest.raises(UserError) as caught:
        require_images(0.01, Demand(0.95), 206)
    assert str(caught.value) == (
        "loss: must be at least 0.0145, the least that 206 images can show at a confidence of "
        "0.95, not 0.01"
    )
    require_images(0.0145, Demand(0.95), 206)
    require_images(0.0145, Demand(0.9), 206)
    with pytest.raises(UserError, match=r"must be at least 0\.0025, the least that 1231 images"):
        require_images(0.0, Demand(0.95), 1231)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"confidence": 0.4}, "confidence: must be 0.5 to below 1, not 0.4"),
        ({"confidence": 1.0}, "confidence: must be 0.5 to below 1, not 1"),
        ({"parts": 0}, "parts: must be at least 1, not 0"),
    ],
)
def test_a_demand_that_cannot_be_is_refused(values, line):
    with pytest.raises(UserError, match=line):
        Demand(**values)


def test_the_number_allowed_is_that_of_the_binomial():
    assert [allowed(20, c) for c in (0.9, 0.95)] == [4, 3]
    assert [allowed(5, c) for c in (0.9, 0.95)] == [2, 1]
    assert allowed(1, 0.95) == 0
