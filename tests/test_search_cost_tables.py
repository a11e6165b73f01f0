"""Tables add up what their layers cost, whichever of them are looked at."""

from dataclasses import replace

import numpy as np

from kakure.search.cost.table_building import build_tables
from kakure.search.cost.tables import FORBIDDEN, Solution
from tests.test_search_cost_table_building import MODEL, small


def test_costs_of_many_are_those_of_each():
    tables = build_tables(small(), MODEL, extrapolate=True)[0]
    generator = np.random.Generator(np.random.PCG64(2))
    channels = np.stack(
        [generator.integers(len(t.out_channels), size=20) for t in tables.layers], 1
    )
    options = np.stack([generator.integers(len(t.options), size=20) for t in tables.layers], 1)
    area, time, interval, weights = tables.costs(channels, options)
    for n in range(20):
        one = tables.solution(channels[n].tolist(), options[n].tolist())
        assert isinstance(one, Solution)
        assert (area[n], time[n], interval[n], weights[n]) == (
            one.area_um2,
            one.time_ps,
            one.interval_ps,
            one.weights,
        )


def test_only_keeps_one_list_of_channels():
    tables = build_tables(small(), MODEL, extrapolate=True)[0]
    one = tables.only([1, 0, 0])
    assert [t.out_channels for t in one.layers] == [(6,), (6,), (10,)]
    assert [t.in_channels for t in one.layers] == [(1,), (6,), (6,)]
    assert one.solution([0, 0, 0], [2, 1, 0]) == tables.solution([1, 0, 0], [2, 1, 0])


def test_levels_forbid_what_asks_for_more_of_the_shared_block():
    tables = build_tables(small(), MODEL, extrapolate=True)[0]
    levels = list(tables.levels())
    constants = [level.constant_area_um2 - tables.constant_area_um2 for level in levels]
    assert constants == [10 * 4 * 4, 10 * 6 * 3, 10 * 6 * 4]
    small_one, _, large_one = levels
    assert (small_one.layers[1].area_um2[1] == FORBIDDEN).all()
    assert (small_one.layers[1].area_um2[0] < FORBIDDEN).all()
    assert (large_one.layers[1].area_um2 == tables.layers[1].area_um2).all()
    for index, level in ((0, small_one), (1, large_one)):
        whole = tables.solution([index, 1, 0], [0, 0, 0])
        assert level.solution([index, 1, 0], [0, 0, 0]) == whole
    only = replace(tables, layers=tables.layers[:1])
    assert [level.constant_area_um2 for level in only.levels()] == [tables.constant_area_um2 + 40]
