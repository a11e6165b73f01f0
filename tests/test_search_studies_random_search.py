import numpy as np
from test_search_phase1_exact import all_networks, random_tables, within

from kakure.search.phase1.problem import Problem
from kakure.search.studies.random_search import random_search


def test_draws_are_uniform_and_the_best_within_the_bounds_is_kept():
    tables = random_tables(7, channels=(2, 2), options=2)
    problem = Problem("latency", 14, 2)
    fits = within(all_networks(tables), problem)
    (attempt,) = random_search(tables, problem, seeds=[1], evaluations=4000)
    assert attempt.solution is not None
    assert attempt.solution.time_ps == min(fits)[0]
    share = len(fits) / len(all_networks(tables))
    assert abs(attempt.feasible / 4000 - share) < 4 * np.sqrt(share * (1 - share) / 4000)
    assert attempt.evaluations == 4000


def test_seeds_decide():
    tables = random_tables(8, channels=(4, 4, 4, 4))
    problem = Problem("interval", 30)
    first = random_search(tables, problem, seeds=[1, 2, 3], evaluations=20)
    assert first == random_search(tables, problem, seeds=[1, 2, 3], evaluations=20)
    assert first[1:2] == random_search(tables, problem, seeds=[2], evaluations=20)
    assert len({a.feasible for a in random_search(tables, problem, seeds=range(9))}) > 1


def test_nothing_within_the_bounds_is_no_solution():
    (attempt,) = random_search(random_tables(7), Problem("latency", 1), seeds=[1], evaluations=9)
    assert attempt.solution is None and attempt.feasible == 0
