from pathlib import Path

import pytest
import torch
from test_search_phase1_exact import random_tables, with_forbidden

from kakure.search.cost.tables import FORBIDDEN
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.space_file import load_space
from kakure.search.studies.gradient import (
    Gate,
    PublishedLoop,
    RelaxedLoop,
    published_search,
    relaxed_search,
    steering_area,
    target_area,
)
from kakure.search.studies.published_cost import published_tables
from kakure.search.studies.random_search import random_search

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
PROBLEM = Problem("latency", 25)


def test_the_gate_opens_where_the_softmax_is_largest_and_ties_all_open():
    prob = torch.tensor([[0.5, 0.2, 0.3], [0.4, 0.4, 0.2]])
    gate = Gate.apply(prob)
    assert isinstance(gate, torch.Tensor)
    assert gate.tolist() == [[1, 0, 0], [1, 1, 0]]


def test_the_published_gradient_is_rounding_noise():
    theta = torch.randn(240, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theta.requires_grad_()
    gate = Gate.apply(torch.softmax(theta, -1))
    assert isinstance(gate, torch.Tensor)
    (gate.sum() * 1e6).backward()
    assert theta.grad is not None
    assert float(theta.grad.abs().max()) < 1e-8, "1e6 times less than 1e-14"


@pytest.mark.parametrize("search", [published_search, relaxed_search])
@pytest.mark.parametrize("objective", ["latency", "interval"])
def test_the_same_seed_gives_the_same_network_beside_others_or_alone(search, objective):
    loop = PublishedLoop(steps=30) if search is published_search else RelaxedLoop(steps=30)
    tables = random_tables(3)
    problem = Problem(objective, 30, 2)
    both = search(tables, problem, seeds=[4, 5], loop=loop)
    assert both == search(tables, problem, seeds=[4, 5], loop=loop)
    assert [a.seed for a in both] == [4, 5]
    assert all(a.evaluations == 30 and a.feasible <= 30 for a in both)
    alone = search(tables, problem, seeds=[5], loop=loop)
    if search is relaxed_search:
        assert alone == both[1:]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bound", [None, 40])
def test_what_is_forbidden_is_never_found(seed, bound):
    tables = with_forbidden(random_tables(seed, channels=(3, 4, 3), options=2), seed)
    problem = Problem("latency", bound)
    found = [
        *published_search(tables, problem, seeds=[1, 2], loop=PublishedLoop(steps=100)),
        *relaxed_search(tables, problem, seeds=[1, 2], loop=RelaxedLoop(steps=100)),
        *random_search(tables, problem, seeds=[1, 2], evaluations=100),
    ]
    best = problem.time_ps(ExactSearch([tables], problem).best())
    for attempt in found:
        if attempt.solution is not None:
            assert attempt.solution.area_um2 < FORBIDDEN
            assert problem.time_ps(attempt.solution) >= best
    assert all(attempt.solution is not None for attempt in found[2:])


@pytest.mark.parametrize("seed", range(4))
def test_a_gradient_sees_what_is_forbidden_as_far_not_endless(seed):
    tables = with_forbidden(random_tables(seed, channels=(3, 4, 3)), seed)
    for layer in tables.layers:
        area, is_forbidden = steering_area(layer), layer.area_um2 >= FORBIDDEN
        assert (area[~is_forbidden] == layer.area_um2[~is_forbidden]).all()
        assert (area[is_forbidden] == 10 * area[~is_forbidden].max()).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("problem", [PROBLEM, Problem("interval", 25), Problem("latency", 25, 6)])
def test_the_corrected_search_keeps_within_the_bounds_and_never_below_the_optimum(seed, problem):
    tables = random_tables(seed, channels=(2, 3, 3, 2))
    optimum = problem.time_ps(ExactSearch([tables], problem).best())
    attempts = relaxed_search(tables, problem, seeds=range(3), loop=RelaxedLoop(steps=60))
    times = [problem.time_ps(a.solution) for a in attempts if a.solution]
    assert times and min(times) >= optimum
    for attempt in attempts:
        if attempt.solution:
            assert attempt.solution.area_um2 <= 25
            assert attempt.solution.weights >= problem.least_weights


def test_a_run_that_meets_nothing_within_the_bounds_has_no_solution():
    tables = random_tables(3)
    none = Problem("latency", 1)
    for attempt in (
        *published_search(tables, none, seeds=[1], loop=PublishedLoop(steps=3)),
        *relaxed_search(tables, none, seeds=[1], loop=RelaxedLoop(steps=3)),
    ):
        assert attempt.solution is None and attempt.feasible == 0


def test_the_target_is_the_bound_or_the_middle_of_the_band():
    tables = random_tables(3)
    assert target_area(tables, Problem("latency", 50)) == 50
    assert target_area(tables, Problem("latency", 52, least_area_um2=48)) == 50
    assert target_area(tables, Problem()) == tables.constant_area_um2


def test_the_correction_beats_the_publication_and_comes_close_to_the_optimum():
    tables = published_tables(load_space(CONFIGS / "search-xpert.json"))
    problem = Problem("latency", 50_000_000)
    optimum = ExactSearch([tables], problem).best().time_ps
    corrected = relaxed_search(tables, problem, seeds=[0, 1], loop=RelaxedLoop(steps=300))
    published = published_search(tables, problem, seeds=[0, 1], loop=PublishedLoop(steps=300))
    times = [a.solution.time_ps for a in corrected if a.solution]
    assert len(times) == 2 and max(times) < 1.1 * optimum
    assert all(a.solution is None or a.solution.time_ps > 1.3 * optimum for a in published)


def test_the_correction_reaches_a_floor_on_the_weights():
    tables = published_tables(load_space(CONFIGS / "search-xpert.json"))
    problem = Problem("latency", 80_000_000, 8_000_000)
    attempts = relaxed_search(tables, problem, seeds=[0, 1], loop=RelaxedLoop(steps=200))
    assert all(a.solution and a.feasible > 100 for a in attempts)
