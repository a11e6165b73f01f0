import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_search_phase2_accuracy import SHORT
from test_search_phase2_costs import Whole

import kakure.search.phase2.accuracy
import kakure.search.phase2.guided
from kakure.model.errors import UserError
from kakure.model.evaluate import evaluate
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.reference.network import classify, network
from kakure.model.training.recipe import recipe_for
from kakure.search.phase2.accuracy import Measured, trainer_at
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.paired import loss_bound
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.phase2.problem import Problem
from kakure.search.phase2.search import METHODS, Method, front, optimize
from kakure.search.phase2.start import train_start
from kakure.search.phase2.surrogate import LossModel
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

ROOT = Path(__file__).resolve().parent.parent
BIG = load_space(ROOT / "configs" / "search-digits-analog.json")


def small_space() -> Space:
    """Two layers, 72 precisions."""
    tile = {"column_sharing": [2], "adc_type": ["flash"]}
    conv = {"kind": "conv", "kernel": 3, "pool": 2, "channels": [6]}
    bits = {"adc_bits": [5, 3, 4], "input_bits": [4, 2, 3]}
    last = {"adc_bits": [5, 3], "input_bits": [4, 2, 1, 3]}
    layers = [{**conv, **tile, **bits}, {"kind": "linear", "channels": [10], **tile, **last}]
    crossbar = {"rows": [32], "columns": [16]}
    return Space.model_validate({
        "name": "small",
        "dataset": "digits",
        "weights": {"kind": "hidden"},
        "crossbar": crossbar,
        "layers": layers,
    })


SPACE = small_space()
POINT = Point(
    Hardware(32, 16), tuple(la.choice(la.channels[0], la.options[0]) for la in SPACE.layers)
)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    config = PrecisionSpace(SPACE, POINT, "small").config((0, 0, 0, 0))
    recipe = dataclasses.replace(recipe_for("digits"), epochs=6)
    path = tmp_path_factory.mktemp("start") / "seed1.pt"
    return train_start(config, ROOT, recipe, seed=1, checkpoint=path)


def run(start, path, **options):
    demand = Demand(0.9, parts=2, steps=3)
    options = {"loss": 0.03, "budget": 14, "tuning": SHORT, "demand": demand, **options}
    return optimize(SPACE, POINT, start, Whole(), store=Store(path), **options)


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    return run(start, tmp_path_factory.mktemp("whole") / "store.sqlite")


def test_the_chosen_precision_is_cheaper_and_within_the_bound(start, whole, tmp_path):
    assert whole.gain > 1.2 and whole.evaluations <= 14
    assert whole.chosen.loss <= 0.03 + 1e-9 and whole.start.loss == 0
    certificate = whole.certificate
    assert whole.chosen in whole.history and whole.chosen == certificate.chosen.entry
    paired = certificate.chosen.paired
    assert certificate.chosen.bound == loss_bound(paired, 0.9) <= 0.03
    assert (certificate.parts, certificate.count) == (2, 1231)
    kept = [entry for entry in whole.history if entry.loss <= 0.03 + 1e-9]
    assert whole.chosen.cost.product >= min(entry.cost.product for entry in kept)
    assert len(certificate.statement.splitlines()) == 1
    precision = PrecisionSpace(SPACE, POINT, "small")
    assert whole.config == precision.config(whole.chosen.levels)
    path = tmp_path / "best.safetensors"
    save_parameters(path, whole.config, whole.parameters)
    parameters = load_parameters(path, whole.config)
    trainer = trainer_at(whole.config, start, SHORT, 1)
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    found = classify(network(whole.config, parameters, images))
    assert int((found == trainer.held_labels.numpy()).sum()) == whole.chosen.correct
    assert parameters.metadata["validation"] == f"{whole.chosen.correct} of 100"
    assert evaluate(whole.config, parameters, start.images.take(np.arange(20))).count == 20


def test_an_interrupted_search_goes_on_to_the_same_result(start, whole, tmp_path, monkeypatch):
    measure, calls = kakure.search.phase2.accuracy.measure, []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return measure(*args, **options)

    path = tmp_path / "store.sqlite"
    monkeypatch.setattr(kakure.search.phase2.accuracy, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(start, path)
    assert Store(path).count(kakure.search.phase2.accuracy.KIND) == 5
    result = run(start, path)
    assert same(result, whole)
    total = Store(path).count(kakure.search.phase2.accuracy.KIND)  # those of the parts too
    assert total > whole.evaluations and len(calls) == 6 + total - 5
    assert same(run(start, path), whole)
    assert len(calls) == 6 + total - 5


def same(one, other) -> bool:
    """Equal in everything; parameters hold arrays, which do not compare as a whole."""
    for a, b in zip(one.parameters.layers, other.parameters.layers, strict=True):
        for name in ("mask", "multiplier", "offset", "shift"):
            if not np.array_equal(getattr(a, name), getattr(b, name)):
                return False
    names = ("config", "certificate", "start", "front", "history")
    return all(getattr(one, name) == getattr(other, name) for name in names)


@pytest.mark.full
def test_two_workers_find_what_one_does(start, whole, tmp_path):
    assert same(run(start, tmp_path / "store.sqlite", workers=Workers(2)), whole)


KILLED = """
import sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from test_search_phase2_search import POINT, SPACE, run
import kakure.search.phase2.accuracy
from kakure.search.phase2.start import train_start
import dataclasses
from kakure.model.training.recipe import recipe_for
from kakure.search.phase2.precision import PrecisionSpace
config = PrecisionSpace(SPACE, POINT, "small").config((0, 0, 0, 0))
recipe = dataclasses.replace(recipe_for("digits"), epochs=6)
folder = Path({folder!r})
start = train_start(config, folder, recipe, seed=1, checkpoint=folder / "seed1.pt")
measure = kakure.search.phase2.accuracy.measure
def slow(*args, **options):
    time.sleep(0.3)
    return measure(*args, **options)
kakure.search.phase2.accuracy.measure = slow
run(start, folder / "store.sqlite")
"""


def test_a_killed_search_goes_on_to_the_same_result(start, whole, tmp_path):
    code = KILLED.format(root=str(ROOT), tests=str(ROOT / "tests"), folder=str(tmp_path))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    path = tmp_path / "store.sqlite"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)
    deadline = time.monotonic() + 300
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if path.exists() and Store(path).count(kakure.search.phase2.accuracy.KIND) >= 3:
                break
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    kept = Store(path).count(kakure.search.phase2.accuracy.KIND)
    assert 3 <= kept < whole.evaluations
    assert same(run(start, path), whole)


def test_a_bound_that_nothing_keeps_is_refused(start, tmp_path):
    path = tmp_path / "store.sqlite"

    def refused(loss: float) -> str:
        with pytest.raises(UserError) as caught:
            run(start, path, reference=1.0, loss=loss, budget=5)
        return str(caught.value)

    def least(line: str) -> float:
        assert line.startswith("loss: must be at least 0.")
        return float(line.split()[5].rstrip(","))

    assert "the least that 1231 images can show at a confidence of 0.9, not 0" in refused(0.0)
    assert not path.exists() or Store(path).total() == 0  # before anything is measured
    line = refused(0.002)
    assert line.endswith("the least of 5 precisions measured, not 0.002")
    found = run(start, path, reference=1.0, loss=0.4, budget=5)
    assert found.chosen.loss < found.certificate.chosen.bound <= 0.4
    line = refused(least(line))  # measured, but not shown on other images
    assert "which 1231 images show at a confidence of 0.9 of the safest precision" in line
    assert run(start, path, reference=1.0, loss=least(line), budget=5).chosen


def test_a_start_of_another_precision_is_refused(start, tmp_path):
    precision = PrecisionSpace(SPACE, POINT, "small")
    other = dataclasses.replace(start, config=precision.config((1, 0, 0, 0)))
    with pytest.raises(UserError, match="must be the network of the point"):
        run(other, tmp_path / "store.sqlite")
    with pytest.raises(UserError, match="budget: must be at least 1, not 0"):
        run(start, tmp_path / "store.sqlite", budget=0)


class Known:
    """A judge of a landscape that is known: steps add up, with some noise of counting."""

    def __init__(self, precision: PrecisionSpace, seed: int, count: int = 1000) -> None:
        rng = np.random.default_rng(seed)
        self.precision = precision
        self.count = count
        self.sizes = [
            [0.0, *(rng.exponential(0.25) * 0.01 * 2.0 ** (3 - np.array(k.values[1:])))]
            for k in precision.knobs
        ]
        self.seed = seed
        self.known: dict[tuple[int, ...], Measured] = {}
        self.seconds: dict[tuple[int, ...], float] = {}

    def truth(self, levels) -> Measured:
        steps = zip(self.sizes, levels, strict=True)
        loss = sum(sum(sizes[: level + 1]) for sizes, level in steps)
        noise = np.random.default_rng([self.seed, *levels]).normal(0, 1.0)
        correct = round(self.count * (0.97 - min(loss, 0.8)) + noise)
        return Measured(correct, self.count, 0.0, 0, b"")

    def measure(self, wanted, bar) -> None:
        for levels in wanted:
            self.known[levels] = self.truth(levels)
            self.seconds[levels] = 0.0


def solve(method: Method, judge, costs, *, loss=0.02, budget=None) -> Problem:
    problem = Problem(judge.precision, costs, judge, loss, 1, budget)
    METHODS[method](problem)
    return problem


@pytest.fixture(scope="module")
def landscape():
    layers = tuple(la.choice(la.channels[0], la.options[0]) for la in BIG.layers)
    precision = PrecisionSpace(BIG, Point(Hardware(64, 64), layers), "big")
    return precision, PrecisionCosts(precision, Whole())


def optimum(judge, costs, loss) -> float:
    everything = [tuple(row) for row in judge.precision.all().tolist()]
    reference = judge.truth(judge.precision.start).correct
    kept = [
        levels
        for levels in everything
        if (reference - judge.truth(levels).correct) / judge.count <= loss + 1e-9
    ]
    return float(costs.estimate(np.array(kept)).min())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_guided_comes_near_the_optimum_with_few_evaluations(landscape, seed):
    precision, costs = landscape
    judge = Known(precision, seed)
    best = optimum(judge, costs, 0.02)
    products = {
        name: solve(name, judge, costs, budget=60 if name in ("guided", "tpe") else None)
        for name in METHODS
    }
    found = {name: problem.require().cost.product for name, problem in products.items()}
    assert found["guided"] <= 1.05 * best
    assert found["guided"] <= min(found.values())
    assert len(products["guided"].asked) <= 60
    start = costs.exact(precision.start).product
    assert all(best <= value <= start for value in found.values())


@pytest.mark.parametrize("seed", [2, 3])
def test_a_space_too_large_to_enumerate_is_walked(landscape, monkeypatch, seed):
    precision, costs = landscape
    judge = Known(precision, seed)
    best = optimum(judge, costs, 0.02)
    monkeypatch.setattr(kakure.search.phase2.guided, "ENUMERATED", 100)
    problem = solve("guided", judge, costs, budget=80)
    assert problem.require().cost.product <= 1.02 * best


def test_no_step_down_from_the_guided_best_keeps_the_bound(landscape, monkeypatch):
    precision, costs = landscape
    judge = Known(precision, 4)
    monkeypatch.setattr(kakure.search.phase2.guided, "PROMISE", math.inf)  # nothing is promising
    problem = solve("guided", judge, costs)
    best = problem.require()
    assert len(problem.asked) > 10
    for levels in precision.lowered(best.levels):
        if costs.exact(levels).product < best.cost.product:
            assert levels in problem.asked and not problem.keeps(problem.asked[levels])


def test_greedy_takes_the_step_of_most_gain_for_its_loss(landscape):
    precision, costs = landscape
    judge = Known(precision, 2)
    problem = solve("greedy", judge, costs)
    here = problem.asked[precision.start]
    while True:
        steps = [problem.asked[s] for s in precision.lowered(here.levels) if s in problem.asked]
        steps = [s for s in steps if problem.keeps(s) and s.cost.product < here.cost.product]
        if not steps:
            break
        gains = [math.log(here.cost.product / s.cost.product) for s in steps]
        losses = [max(s.loss - here.loss, 0) + 0.5 / s.count for s in steps]
        here = steps[int(np.argmax(np.array(gains) / np.array(losses)))]
    assert here == problem.require()
    assert len(solve("greedy", judge, costs, budget=7).asked) == 7


def test_a_loss_above_the_bound_is_not_kept(landscape):
    precision, costs = landscape
    judge = Known(precision, 1)
    problem = solve("uniform", judge, costs, loss=0.01)
    entry = problem.asked[precision.start]
    assert problem.keeps(dataclasses.replace(entry, loss=0.01 + 1e-12))
    assert not problem.keeps(dataclasses.replace(entry, loss=0.0101))
    assert problem.keeps(dataclasses.replace(entry, loss=-0.2))


def test_the_loss_model_counts_the_steps_down_and_learns_them(landscape):
    precision, _ = landscape
    model = LossModel(precision.knobs, 0.01, 1000, 0.97)
    top, low = [0] * len(precision.knobs), [0] * len(precision.knobs)
    low[1] = 3
    features = model.features(np.array([top, low]))
    assert features.sum(axis=1).tolist() == [1, 4]
    other = [*low[:1], 2, *low[2:]]
    posterior = model.fit([top, low, other], [0.0, 0.03, 0.01])
    mean, spread = posterior.predict(model.features(np.array([low, other])))
    assert mean == pytest.approx([0.03, 0.01], abs=0.01) and mean[0] > 1.5 * mean[1]
    prior_spread = model.prior().predict(model.features(np.array([low, other])))[1]
    assert (spread < 0.6 * prior_spread).all()  # the noise of counting stays


def test_uniform_measures_every_pair_once(landscape):
    precision, costs = landscape
    problem = solve("uniform", Known(precision, 1), costs)
    assert len(problem.asked) == len(precision.uniform()) == 20
    assert all(len(set(entry.bits)) == 1 for entry in problem.asked.values())


def test_the_sampler_repeats_and_keeps_its_budget(landscape):
    precision, costs = landscape
    first = solve("tpe", Known(precision, 1), costs, budget=30)
    again = solve("tpe", Known(precision, 1), costs, budget=30)
    assert list(first.asked) == list(again.asked) and len(first.asked) == 30


def test_the_front_holds_what_nothing_beats(landscape):
    precision, costs = landscape
    entries = tuple(solve("tpe", Known(precision, 1), costs, budget=30).asked.values())
    kept = front(entries)
    assert [e.cost.energy_pj for e in kept] == sorted({e.cost.energy_pj for e in kept})
    for entry in entries:
        beaten = any(
            k.cost.energy_pj <= entry.cost.energy_pj and k.correct >= entry.correct for k in kept
        )
        assert beaten
        if entry in kept:
            others = [k for k in kept if k != entry]
            assert not any(
                k.cost.energy_pj <= entry.cost.energy_pj and k.correct >= entry.correct
                for k in others
            )
