import json
from dataclasses import dataclass

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.search.cost.metrics import CostModel, LayerBatch, LayerCosts, Metrics
from kakure.search.cost.table_building import build_tables
from kakure.search.cost.tables import FORBIDDEN
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.layer_space import Option
from kakure.search.space.space_file import parse_space

CONV = {
    "kind": "conv",
    "kernel": 3,
    "pool": 2,
    "channels": [4, 6],
    "engine": ["crossbar", "pe_array"],
    "input_bits": [4, 3],
    "column_sharing": [1, 2],
    "adc_type": ["sar", "flash"],
    "adc_bits": [5, 4],
    "copies": [1, 2],
}
LINEAR = {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [3]}
SPACE = {
    "name": "small",
    "dataset": "digits",
    "weights": {"kind": "hidden"},
    "crossbar": {"rows": [16, 32], "columns": [8]},
    "layers": [CONV, CONV | {"adc_shift": 1, "channels": [6, 3]}, LINEAR],
}


@dataclass
class Formula:
    """A cost model for tests: any function of every field, so that a wrong field is noticed.

    A layer's area is 1000.25 + Σ n·field_n over the batch's fields in order, its time half of
    that. The shared block has 10 µm² for each bit and channel of an input; 7.5 µm² are constant.
    Crossbars of 32 rows lie outside its range.
    """

    name: str = "formula"
    surprise: float = 0.0

    def shared_area_um2(self, batch: LayerBatch):
        return 10.0 * batch.in_channels * batch.input_bits

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        is_known = batch.rows != 32
        if not extrapolate and not is_known.all():
            raise UserError("crossbar.rows: must be 16, not 32")
        value = np.full(len(batch), 1000.25)
        for n, column in enumerate(vars(batch).values(), 1):
            value += n * column
        nothing = np.zeros(len(batch))
        return LayerCosts(
            value, nothing, value / 2, nothing, nothing, nothing, nothing, nothing, is_known
        )

    def metrics(self, config, *, extrapolate: bool = False) -> Metrics:
        layers = self.layer_costs(LayerBatch.of(config), extrapolate=extrapolate)
        shared = self.shared_area_um2(LayerBatch.of(config)).max() + 7.5
        shared += self.surprise * config.layers[0].channels
        area, time = float(layers.area_um2.sum() + shared), float(layers.time_ns.sum())
        longest = float(layers.time_ns.max())
        return Metrics(layers, area, 0.0, time, longest, 0.0, 0.0, 0.0, 0.0, 0.0)


MODEL: CostModel = Formula()


def small(**changes):
    return parse_space(json.dumps(SPACE | changes))


STRIDED = [
    CONV | {"stride": 2, "pool": 1},
    CONV | {"stride": 2, "channels": [6, 3], "kernel": 2},
    LINEAR | {"sum_pool": True, "map_bits": 4, "input_bits": [5, 3]},
]


@pytest.mark.parametrize("layers", [SPACE["layers"], STRIDED], ids=["plain", "strided"])
def test_every_entry_is_the_models_cost_of_that_configuration(layers):
    space = small(layers=layers)
    for tables in build_tables(space, MODEL, extrapolate=True):
        assert tables.constant_area_um2 == 8
        generator = np.random.Generator(np.random.PCG64(1))
        for _ in range(50):
            channels = [int(generator.integers(len(t.out_channels))) for t in tables.layers]
            options = [int(generator.integers(len(t.options))) for t in tables.layers]
            solution = tables.solution(channels, options)
            config = space.config(solution.point(space))
            metrics = MODEL.metrics(config, extrapolate=True)
            layers = metrics.layers
            shared = 10 * max(g.in_channels * g.input_bits for g in config.geometry)
            own = np.ceil(layers.area_um2).sum()
            assert solution.area_um2 == own + shared + tables.constant_area_um2
            assert solution.time_ps == np.ceil(layers.time_ns * 1000).sum()
            assert solution.interval_ps == np.ceil(layers.time_ns * 1000).max()
            assert 0 <= solution.area_um2 - metrics.area_um2 < len(channels) + 1
            assert solution.weights == sum(g.weights for g in config.geometry)


def test_residual_layers_cost_what_the_model_says_and_join_equal_channels_only():
    residual = CONV | {"pool": 1, "channels": [6, 4, 5], "residual": [False, True]}
    space = small(layers=[CONV, residual, LINEAR])
    for tables in build_tables(space, MODEL, extrapolate=True):
        second, last = tables.layers[1], tables.layers[2]
        assert second.out_channels == (6, 6, 4, 4, 5, 5) == last.in_channels
        assert second.residual == (False, True) * 3
        forbidden = second.area_um2 == FORBIDDEN
        assert forbidden.all(axis=2).tolist() == forbidden.any(axis=2).tolist()
        assert forbidden[:, :, 0].tolist() == [
            [False, True, False, False, False, True],  # reads 4
            [False, False, False, True, False, True],  # reads 6
        ]
        assert (second.weights[forbidden[:, :, 0]] == 0).all()
        for before, here in np.argwhere(~forbidden[:, :, 0]).tolist():
            solution = tables.solution([before, here, 0], [0, 1, 0])
            config = space.config(solution.point(space))
            assert config.layers[1].residual == second.residual[here]
            layers = MODEL.metrics(config, extrapolate=True).layers
            shared = 10 * max(g.in_channels * g.input_bits for g in config.geometry)
            own = np.ceil(layers.area_um2).sum()
            assert solution.area_um2 == own + shared + tables.constant_area_um2
            assert solution.weights == sum(g.weights for g in config.geometry)
        with pytest.raises(ValueError, match="must be the 4 that are read with residual, not 6"):
            space.config(tables.solution([0, 1, 0], [0, 0, 0]).point(space))


def test_families_are_solved_together():
    """The front and the k best of all families are those of each family, merged."""
    conv = CONV | {"repeat": [1, 2], "residual": [False, True], "channels": [4, 6]}
    space = small(layers=[conv | {"pool": [1, 2]}, LINEAR], crossbar={"rows": [16], "columns": [8]})
    assert len(space.families) == 4
    tables = build_tables(space, MODEL)
    assert [t.family for t in tables] == [0, 1, 2, 3]
    problem = Problem("latency", 15000, 0)
    merged = ExactSearch(tables, problem)
    alone = [ExactSearch([t], problem) for t in tables]
    pairs = sorted(
        pair
        for search in alone
        for pair in zip(search.front().area_um2, search.front().time_ps, strict=True)
    )
    front = merged.front()
    expected = [p for p in pairs if all(p[1] < q[1] for q in pairs if q < p)]
    assert list(zip(front.area_um2, front.time_ps, strict=True)) == expected
    best = merged.k_best(30)
    assert [(s.time_ps, s.area_um2) for s in best] == (
        sorted((s.time_ps, s.area_um2) for one in alone for s in one.k_best(30))[:30]
    )
    assert len({(s.family, s.channels, s.residual) for s in best}) == len(best) == 14
    assert len({s.family for s in best}) > 1
    for solution in best:
        config = solution.config(space)
        layers = MODEL.metrics(config).layers
        assert solution.time_ps == np.ceil(layers.time_ns * 1000).sum()
        family = space.families[solution.family]
        assert [layer.pool for layer in config.layers] == [la.pool[0] for la in family.layers]


def test_a_network_of_two_families_is_listed_once():
    """Either of two layers may be left out; what is left has the same windows and pools."""
    first = CONV | {"pool": 1, "repeat": [0, 1]}
    second = first | {"column_sharing": [1, 4]}
    space = small(layers=[first, second, LINEAR], crossbar={"rows": [16], "columns": [8]})
    assert len(space.families) == 4
    tables = build_tables(space, MODEL)
    best = ExactSearch(tables, Problem("latency", None, 0)).k_best(50)
    networks = [
        tuple(
            (la.channels, la.kernel, la.pool, la.residual) for la in solution.config(space).layers
        )
        for solution in best
    ]
    assert len(set(networks)) == len(networks) == 1 + 2 + 4
    pairs = [(s.time_ps, s.area_um2) for s in best]
    assert pairs == sorted(pairs)


def test_one_table_for_each_size_of_tile_in_the_spaces_order():
    tables = build_tables(small(), MODEL, extrapolate=True)
    assert [(t.hardware.rows, t.hardware.columns) for t in tables] == [(16, 8), (32, 8)]
    assert [t.layers[0].is_known.all() for t in tables] == [True, False]
    first = tables[0].layers[0]
    assert first.in_channels == (1,) and first.out_channels == (4, 6)
    assert first.options[0] == Option("crossbar", "sar", 1, 1)
    assert first.options[-1] == Option("pe_array")
    assert tables[0].layers[1].in_channels == (4, 6)


def test_the_models_range_is_respected():
    with pytest.raises(UserError, match=r"crossbar\.rows: must be 16, not 32"):
        build_tables(small(), MODEL)
    assert len(build_tables(small(crossbar={"rows": [16], "columns": [8]}), MODEL)) == 1


class OnePool(Formula):
    """A model that knows no layer without a pool, and speaks of rows of its batch."""

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        if (batch.pool == 1).any():
            raise UserError("must be above 1", where=("layers", 0, "pool"), value=1)
        return super().layer_costs(batch, extrapolate=extrapolate)


def test_an_error_of_a_batch_names_the_layer_of_the_space():
    with pytest.raises(UserError, match=r"^layers\[2\]\.pool: must be above 1, not 1$"):
        build_tables(small(), OnePool(), extrapolate=True)


def test_a_whole_that_is_no_such_sum_is_refused():
    with pytest.raises(UserError, match="formula: the area of a whole must be the sum of"):
        build_tables(small(), Formula(surprise=150.0), extrapolate=True)
