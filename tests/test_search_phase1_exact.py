import itertools
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from kakure.model.errors import UserError
from kakure.search.cost.table_building import build_tables
from kakure.search.cost.tables import FORBIDDEN, LayerTable, Tables
from kakure.search.phase1.exact import ExactSearch, least_area_um2
from kakure.search.phase1.problem import Problem
from kakure.search.space.layer_space import Option
from kakure.search.space.point import Hardware
from kakure.search.space.space_file import load_space
from kakure.search.studies.published_cost import PublishedCost

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
OBJECTIVES = ("latency", "interval")


def with_forbidden(tables, seed):
    """The same costs, but a third of the pairs of neighbours cannot be."""
    generator = np.random.Generator(np.random.PCG64(seed))
    layers = []
    for layer in tables.layers:
        pairs = generator.random(layer.area_um2.shape[:2]) < 1 / 3
        pairs[:, 0] = False
        layers.append(
            replace(
                layer,
                area_um2=np.where(pairs[:, :, None], FORBIDDEN, layer.area_um2),
                weights=np.where(pairs, 0, layer.weights),
            )
        )
    return replace(tables, layers=tuple(layers))


def random_tables(seed, channels=(2, 3, 2), options=3, top=12, rows=64, shares=1):
    """Random costs from a small range, so that ties and dominated options are common."""
    generator = np.random.Generator(np.random.PCG64(seed))
    layers, before = [], (1,)
    for count in channels:
        after = tuple(range(1, count + 1))
        shape = (len(before), len(after), options)
        layers.append(
            LayerTable(
                in_channels=before,
                out_channels=after,
                options=tuple(Option("crossbar", "sar", 1, n + 1) for n in range(options)),
                area_um2=generator.integers(1, top, size=shape),
                time_ps=generator.integers(0, top, size=shape),
                shared_um2=generator.integers(shares, size=shape) * 3,
                weights=generator.integers(0, 5, size=shape[:2]),
                is_known=np.ones(shape, bool),
            )
        )
        before = after
    return Tables(Hardware(rows, 64), tuple(layers), constant_area_um2=int(generator.integers(5)))


class Network(NamedTuple):
    area: int
    time: int
    interval: int
    weights: int
    channels: tuple[int, ...]
    options: tuple[int, ...]


def all_networks(tables):
    """Every network, channels and options as indices."""
    lists = list(itertools.product(*(range(len(t.out_channels)) for t in tables.layers)))
    picks = list(itertools.product(*(range(len(t.options)) for t in tables.layers)))
    pairs = list(itertools.product(lists, picks))
    costs = np.stack(
        tables.costs(np.array([c for c, _ in pairs]), np.array([o for _, o in pairs])), axis=1
    )
    return [
        Network(area, time, interval, weights, channels, options)
        for (area, time, interval, weights), (channels, options) in zip(
            costs.tolist(), pairs, strict=True
        )
    ]


def within(networks, problem):
    """(time, area, channels, options) of what keeps within the bounds."""
    bound = problem.area_um2
    return [
        (n.time if problem.objective == "latency" else n.interval, n.area, n.channels, n.options)
        for n in networks
        if n.area <= (FORBIDDEN - 1 if bound is None else bound)
        and n.weights >= problem.least_weights
    ]


def brute_front(fits):
    pairs = sorted({(area, time) for time, area, _, _ in fits})
    front = []
    for area, time in pairs:
        if not front or time < front[-1][1]:
            front.append((area, time))
    return front


PROBLEMS = [
    Problem(objective, bound, floor)
    for objective in OBJECTIVES
    for bound in (None, 14)
    for floor in (0, 5)
]


@pytest.mark.parametrize("is_free", [True, False])
@pytest.mark.parametrize("shares", [1, 4])
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_the_front_is_that_of_brute_force(seed, problem, shares, is_free):
    tables = random_tables(seed, shares=shares)
    if not is_free:
        tables = with_forbidden(tables, seed)
    fits = within(all_networks(tables), problem)
    if not fits:
        with pytest.raises(UserError, match=r"must be at least|must be at most"):
            ExactSearch([tables], problem)
        return
    search = ExactSearch([tables], problem)
    front = search.front()
    pairs = list(zip(front.area_um2.tolist(), front.time_ps.tolist(), strict=True))
    assert pairs == brute_front(fits)
    for (area, time), solution in zip(pairs, front.solutions(), strict=True):
        assert (solution.area_um2, problem.time_ps(solution)) == (area, time)
        assert solution.weights >= problem.least_weights
    assert problem.time_ps(search.best()) == min(fits)[0]
    assert (search.best().area_um2) == min(fits)[1]
    assert search.labels > 0


@pytest.mark.parametrize("is_free", [True, False])
@pytest.mark.parametrize("shares", [1, 4])
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_the_k_best_lists_of_channels_are_those_of_brute_force(seed, problem, shares, is_free):
    tables = random_tables(seed, shares=shares)
    if not is_free:
        tables = with_forbidden(tables, seed)
    fits = within(all_networks(tables), problem)
    if not fits:
        return
    best = {}
    for time, area, channels, _ in fits:
        best[channels] = min(best.get(channels, (time, area)), (time, area))
    expected = sorted((*cost, channels) for channels, cost in best.items())
    found = ExactSearch([tables], problem).k_best(len(expected) + 1)
    places = [(problem.time_ps(s), s.area_um2, tuple(c - 1 for c in s.channels)) for s in found]
    assert places == expected
    few = ExactSearch([tables], problem).k_best(3)
    assert few == found[:3]


@pytest.mark.parametrize("shares", [1, 4])
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_k_best_choices_are_those_of_brute_force(seed, problem, shares):
    tables = random_tables(seed, shares=shares, channels=(2, 2), options=3)
    fits = within(all_networks(tables), problem)
    if not fits:
        return
    found = ExactSearch([tables], problem).k_best(len(fits) + 1, "choices")
    places = [(problem.time_ps(s), s.area_um2) for s in found]
    assert places == sorted((time, area) for time, area, _, _ in fits)
    assert len({(s.channels, s.options) for s in found}) == len(fits)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(4))
def test_several_sizes_of_tile_are_searched_as_one_space(seed, objective):
    parts = [random_tables(seed, rows=32), random_tables(seed + 100, rows=64)]
    problem = Problem(objective, 25)
    fits = [fit for part in parts for fit in within(all_networks(part), problem)]
    search = ExactSearch(parts, problem)
    front = search.front()
    pairs = list(zip(front.area_um2.tolist(), front.time_ps.tolist(), strict=True))
    assert pairs == brute_front(fits)
    best = {}
    for time, area, channels, _ in fits:
        best[channels] = min(best.get(channels, (time, area)), (time, area))
    found = search.k_best(100)
    assert [(problem.time_ps(s), s.area_um2) for s in found] == sorted(best.values())
    assert len({s.channels for s in found}) == len(found)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("bound", [16, 20, 30, None])
@pytest.mark.parametrize("seed", range(6))
def test_what_the_shared_block_does_not_touch_is_solved_once(seed, bound, objective):
    tables = random_tables(seed, channels=(3, 2, 3), shares=5)
    for layer in tables.layers[1:]:
        layer.shared_um2[:] = 0
    problem = Problem(objective, bound)
    fits = within(all_networks(tables), problem)
    if not fits:
        return
    search = ExactSearch([tables], problem)
    front = search.front()
    pairs = list(zip(front.area_um2.tolist(), front.time_ps.tolist(), strict=True))
    assert pairs == brute_front(fits)
    suffixes = [part.recursion.suffixes for part in search.parts]
    assert len(suffixes) > 1
    assert all(row[1] is suffixes[0][1] for row in suffixes)


def integer_program(tables, problem):
    """Optimum by HiGHS, an independent solver: a flow through the layers' channels."""
    costs, area, weights, arcs = [], [], [], []
    for index, layer in enumerate(tables.layers):
        for at in np.ndindex(layer.area_um2.shape):
            arcs.append((index, *at[:2]))
            costs.append(int(layer.time_ps[at]))
            area.append(int(layer.area_um2[at]))
            weights.append(int(layer.weights[at[:2]]))
    rows, sides = [[float(arc[0] == 0) for arc in arcs]], [1.0]
    for index, layer in enumerate(tables.layers[:-1]):
        for c in range(len(layer.out_channels)):
            rows.append([
                float((i, c_out) == (index, c)) - float((i, c_in) == (index + 1, c))
                for i, c_in, c_out in arcs
            ])
            sides.append(0.0)
    bound = problem.area_um2 - tables.constant_area_um2
    constraints = [
        *(
            LinearConstraint(np.array([row]), side, side)
            for row, side in zip(rows, sides, strict=True)
        ),
        LinearConstraint(np.array([area]) / bound, -np.inf, 1.0),
        LinearConstraint(np.array([weights]), problem.least_weights, np.inf),
    ]
    scale = max(costs)
    result = milp(
        np.array(costs) / scale,
        constraints=constraints,
        integrality=np.ones(len(costs)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    assert result.success
    return result.fun * scale


@pytest.mark.parametrize(("bound", "floor"), [(20, 0), (20, 1_000_000), (40, 3_000_000)])
def test_an_integer_program_finds_the_same_optimum(bound, floor):
    space = load_space(CONFIGS / "search-xpert.json")
    tables = build_tables(space, PublishedCost())[0]
    fewer = [option for option, o in enumerate(space.layers[0].options) if o.copies in (1, 4)]
    layers = []
    for layer in tables.layers[4:]:
        keep = fewer if len(layer.options) > 10 else list(range(len(layer.options)))
        layers.append(
            LayerTable(
                layer.in_channels,
                layer.out_channels,
                tuple(layer.options[n] for n in keep),
                layer.area_um2[:, :, keep],
                layer.time_ps[:, :, keep],
                layer.shared_um2[:, :, keep],
                layer.weights,
                layer.is_known[:, :, keep],
            )
        )
    first = layers[0]
    layers[0] = LayerTable(
        first.in_channels[:1],
        first.out_channels,
        first.options,
        first.area_um2[:1],
        first.time_ps[:1],
        first.shared_um2[:1],
        first.weights[:1],
        first.is_known[:1],
    )
    part = Tables(Hardware(64, 64), tuple(layers))
    problem = Problem("latency", bound * 10**6, floor)
    best = ExactSearch([part], problem).best()
    assert best.time_ps == pytest.approx(integer_program(part, problem), rel=1e-6)


def test_an_area_too_small_names_the_least_that_is_feasible():
    tables = random_tables(1)
    networks = all_networks(tables)
    least = min(n.area for n in networks)
    with pytest.raises(UserError) as error:
        ExactSearch([tables], Problem(area_um2=least - 1))
    assert str(error.value) == (
        f"area_um2: must be at least {least}, the least area that is feasible, not {least - 1}"
    )
    assert ExactSearch([tables], Problem(area_um2=least)).best().area_um2 == least
    heavy = min(n.area for n in networks if n.weights >= 6)
    assert least_area_um2([tables], Problem(least_weights=6)) == heavy
    with pytest.raises(UserError, match=f"must be at least {heavy}, .* feasible with 6 weights"):
        ExactSearch([tables], Problem(area_um2=heavy - 1, least_weights=6))


def test_too_many_weights_name_the_most_there_are():
    tables = random_tables(1)
    most = max(n.weights for n in all_networks(tables))
    with pytest.raises(
        UserError, match=f"least_weights: must be at most {most}, .* not {most + 1}"
    ):
        ExactSearch([tables], Problem(least_weights=most + 1))
    assert ExactSearch([tables], Problem(least_weights=most)).best().weights == most


def test_one_layer_and_one_choice():
    tables = random_tables(5, channels=(1,), options=1)
    search = ExactSearch([tables], Problem())
    assert len(search.front()) == 1
    assert search.k_best(5) == search.k_best(5, "choices") == [search.best()]


@pytest.mark.parametrize("floor", [0, 3_000_000])
def test_xperts_full_space_is_solved_whole(floor):
    space = load_space(CONFIGS / "search-xpert.json")
    problem = Problem("latency", 50_000_000, floor)
    search = ExactSearch(build_tables(space, PublishedCost()), problem)
    front = search.front()
    assert len(front) > 500
    assert (np.diff(front.area_um2) > 0).all() and (np.diff(front.time_ps) < 0).all()
    best = search.best()
    config = space.config(best.point(space))
    metrics = PublishedCost().metrics(config)
    assert metrics.area_um2 <= best.area_um2 <= metrics.area_um2 + 14
    assert metrics.latency_ns * 1000 <= best.time_ps <= metrics.latency_ns * 1000 + 14
