import numpy as np
import pytest
from test_search_phase1_exact import all_networks, random_tables

from kakure.model.errors import UserError
from kakure.search.phase1.band import band_optimum
from kakure.search.phase1.problem import Problem


@pytest.mark.parametrize("objective", ["latency", "interval"])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("low", "high", "cell"), [(18, 26, 1), (24, 30, 1), (18, 36, 4), (14, 33, 4)]
)
def test_the_optimum_lies_between_the_bound_and_what_was_found(seed, objective, low, high, cell):
    tables = random_tables(seed)
    problem = Problem(objective, high, least_area_um2=low)
    times = [
        n.time if objective == "latency" else n.interval
        for n in all_networks(tables)
        if low <= n.area <= high
    ]
    found = band_optimum(tables, problem, cell_um2=cell)
    assert low <= found.solution.area_um2 <= high
    assert found.bound_ps <= min(times) <= found.time_ps == problem.time_ps(found.solution)


def test_cells_of_the_costs_own_size_leave_no_gap():
    tables = random_tables(2)
    for table in tables.layers:
        np.multiply(table.area_um2, 100, out=table.area_um2)
    tables = type(tables)(tables.hardware, tables.layers, 0)
    times = [n.time for n in all_networks(tables) if 1500 <= n.area <= 2050]
    found = band_optimum(tables, Problem("latency", 2050, least_area_um2=1500), cell_um2=10)
    assert found.time_ps == found.bound_ps == min(times)


def test_what_it_does_not_do_is_refused():
    tables = random_tables(2)
    with pytest.raises(UserError, match="least_weights: must be 0"):
        band_optimum(tables, Problem("latency", 30, 5, 20))
    with pytest.raises(UserError, match="must leave a network in the band, not 9000"):
        band_optimum(tables, Problem("latency", 9000, least_area_um2=8000), cell_um2=1)
