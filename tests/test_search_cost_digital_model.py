"""The digital cost model as the searches use it."""

import json
import re
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.model.config.config import Config, load_config, parse_config
from kakure.model.errors import UserError
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.digital.period import KINDS, pace
from kakure.search.cost.metrics import CostModel, LayerBatch
from kakure.search.studies.digital_speed import random_batch, speed
from kakure.sim.random_config import random_config
from tests.branching import FORMS, SUMS, branching

CONFIGS = Path(__file__).parents[1] / "configs"
CONV = FORMS["summed"][0]
MODEL = DigitalModel()
INTERFACE: CostModel = MODEL


def _config(**layer) -> Config:
    data = json.loads((CONFIGS / "digits.json").read_text())
    data["layers"][0] |= layer
    return parse_config(json.dumps(data))


def test_a_whole_configuration_is_its_layers_and_what_there_is_once():
    config = load_config(CONFIGS / "digits.json")
    metrics = MODEL.metrics(config)
    alone = MODEL.layer_costs(LayerBatch.of(config))
    assert np.allclose(metrics.layers.area_um2, alone.area_um2)
    once = metrics.area_um2 - alone.area_um2.sum()
    assert 5_000 < once < 15_000
    assert alone.is_known.all()


def test_cycles_of_a_configuration_are_those_of_the_cycle_model():
    for name in ("digits", "fashion-mnist"):
        config = load_config(CONFIGS / f"{name}.json")
        metrics = MODEL.metrics(config)
        timing = image_timing(config, 4)
        assert metrics.cycles == timing.interval
        clock = metrics.interval_ns / metrics.cycles
        assert metrics.latency_ns == pytest.approx(timing.latency * clock)
        assert np.allclose(metrics.layers.time_ns, metrics.layers.cycles * clock)
        assert 1.5 < clock < 4


@pytest.mark.parametrize("seed", range(700, 730))
def test_cycles_of_random_configurations_are_those_of_the_cycle_model(seed):
    config = random_config(seed)
    metrics = MODEL.metrics(config, extrapolate=True)
    results = image_timing(config, 121).results
    clock = metrics.interval_ns / metrics.cycles
    assert metrics.latency_ns == pytest.approx(results[0] * clock)
    interval = (results[120] - results[60]) / 60
    if max(getattr(layer, "copies", 1) for layer in config.layers) == 1:
        assert metrics.cycles == interval
    else:
        # Copies may take many images to fall into step.
        assert metrics.cycles == pytest.approx(interval, rel=0.03)


def test_a_round_of_copies_is_averaged():
    config = random_config(1277)  # the copies of a layer of few windows give results in bursts
    results = image_timing(config, 61).results
    apart = {b - a for a, b in pairwise(results[30:])}
    assert len(apart) > 1
    assert MODEL.metrics(config, extrapolate=True).cycles == (results[60] - results[30]) / 30


def test_a_clock_can_be_given():
    config = load_config(CONFIGS / "digits.json")
    metrics = DigitalModel(clock_ns=5.0).metrics(config)
    assert metrics.interval_ns == 5 * metrics.cycles
    assert metrics.time_error == 0


def test_energy_of_the_layers_is_most_of_all():
    metrics = MODEL.metrics(load_config(CONFIGS / "digits.json"))
    assert 0.5 < metrics.layers.energy_pj.sum() / metrics.energy_pj < 1
    assert 0 < metrics.energy_error < 0.1


def test_layers_do_not_depend_on_what_else_is_in_the_batch():
    batch = random_batch(200, seed=3)
    whole = MODEL.layer_costs(batch, extrapolate=True)
    some = LayerBatch(*(getattr(batch, f.name)[17:60] for f in fields(batch)))
    part = MODEL.layer_costs(some, extrapolate=True)
    for field in fields(whole):
        wanted = getattr(whole, field.name)[17:60]
        assert np.array_equal(getattr(part, field.name), wanted, equal_nan=True), field.name


def test_layers_of_different_engines_side_by_side_cost_what_each_costs_alone():
    """One of each engine, and a shortcut of one: parts that are as many, but of other layers."""
    batch = random_batch(40, seed=3)
    for engines in ([0, 1], [1, 0], [0, 1, 1], [0, 0, 1, 1]):
        rows = [int(np.flatnonzero(batch.engine == engine)[n]) for n, engine in enumerate(engines)]
        for at in range(len(rows)):
            some = LayerBatch(*(getattr(batch, f.name)[rows] for f in fields(batch)))
            some = replace(some, residual=(np.arange(len(rows)) == at).astype(np.int64))
            costs = MODEL.layer_costs(some, extrapolate=True)
            for n in range(len(rows)):
                alone = LayerBatch(*(getattr(some, f.name)[n : n + 1] for f in fields(some)))
                one = MODEL.layer_costs(alone, extrapolate=True)
                for field in fields(costs):
                    wanted = getattr(one, field.name)[0]
                    assert getattr(costs, field.name)[n] == pytest.approx(wanted), field.name


def test_strided_and_summed_layers_beside_others_cost_what_each_costs_alone():
    batch = random_batch(40, seed=3)
    kernel = np.full(40, 3)
    n = np.arange(40)
    batch = replace(
        batch,
        kernel_height=kernel,
        kernel_width=kernel,
        padding=kernel // 2,
        stride=1 + n % 2,
        out_height=(batch.in_height - 1) // (1 + n % 2) + 1,
        out_width=(batch.in_width - 1) // (1 + n % 2) + 1,
        summed=np.where(n % 3 == 0, 16, 0),
        map_bits=np.where(n % 3 == 0, 4, 0),
        sum_shift=np.where(n % 6 == 0, 2, 0),
    )
    costs = MODEL.layer_costs(batch, extrapolate=True)
    for row in range(12):
        alone = LayerBatch(*(getattr(batch, f.name)[row : row + 1] for f in fields(batch)))
        one = MODEL.layer_costs(alone, extrapolate=True)
        for field in fields(costs):
            wanted = getattr(one, field.name)[0]
            assert getattr(costs, field.name)[row] == pytest.approx(wanted), field.name


def test_a_sum_pool_has_its_area_and_its_range():
    layers = [CONV, SUMS]
    batch = LayerBatch.of(branching("summed", layers=layers))
    costs = MODEL.layer_costs(batch)
    without = replace(batch, **{name: 0 * batch.summed for name in ("summed", "map_bits")})
    more = costs.area_um2 - MODEL.layer_costs(without).area_um2
    assert more[0] == 0
    assert 4 * 10 * 4.522 < more[1] < 4 * 10 * 4.522 * 4  # channels · bits of a sum
    assert costs.cycles[1] >= 64 and costs.cycles[1] == max(64, costs.cycles[1])
    shifted = branching("summed", layers=[CONV, SUMS | {"map_bits": 8, "sum_shift": 13}])
    line = r"layers\[1\]: sum_pool\.shift must be 0 to 11, the range .* not 13"
    with pytest.raises(UserError, match=line):
        MODEL.layer_costs(LayerBatch.of(shifted))


def test_more_of_anything_is_never_smaller():
    config = _config()
    batch = LayerBatch.of(config)
    before = MODEL.layer_costs(batch, extrapolate=True).area_um2
    for name, factor in (("outputs", 2), ("in_channels", 2), ("copies", 3), ("input_bits", 2)):
        more = replace(batch, **{name: getattr(batch, name) * factor})
        assert np.all(MODEL.layer_costs(more, extrapolate=True).area_um2 >= before), name


def test_memory_bits_are_cells_and_memories():
    config = load_config(CONFIGS / "digits.json")
    bits = MODEL.layer_costs(LayerBatch.of(config)).memory_bits
    cells, partial, scales = 2 * 9 * 32, 4 * 288, 53 * 32
    lines = 10 * 2 * 4
    assert bits[0] == cells + partial + scales + lines


def test_outside_the_fitted_range_it_refuses_and_says_why():
    config = _config(adc_bits=12)
    line = r"layers\[0\]: crossbar_tile\.adc_bits must be 1 to 8, the range .* not 12"
    with pytest.raises(UserError, match=line):
        MODEL.metrics(config)
    with pytest.raises(UserError, match=line):
        MODEL.layer_costs(LayerBatch.of(config))
    known = MODEL.layer_costs(LayerBatch.of(config), extrapolate=True).is_known
    assert known.tolist() == [False, True, True]
    assert MODEL.metrics(config, extrapolate=True).area_um2 > 0


def test_shared_blocks_outside_their_range_are_refused_or_named():
    """Of 80 channels there are only more equal parts: that is allowed, and named."""
    data = json.loads((CONFIGS / "digits.json").read_text())
    data |= {"dataset": "images", "input_shape": [8, 8, 80], "parameters": None}
    config = parse_config(json.dumps(data))
    inside = MODEL.metrics(load_config(CONFIGS / "digits.json"))
    assert inside.outside == ()
    metrics = MODEL.metrics(config)
    assert "pixel_unpacker.channels is 80, more than the 32 measured" in metrics.outside
    assert metrics.area_error > inside.area_error and metrics.area_worst > inside.area_worst
    narrow = json.loads(json.dumps(MODEL.coefficients.data))
    narrow["blocks"]["pixel_unpacker"]["ranges"]["bits"] = [1, 3]
    model, config = DigitalModel(coefficients=narrow), load_config(CONFIGS / "digits.json")
    line = (
        "pixel_unpacker.bits must be 1 to 3, the range that the digital model is fitted to, not 4"
    )
    with pytest.raises(UserError, match=f"^{re.escape(line)}"):
        model.metrics(config)
    wide = model.metrics(config, extrapolate=True)
    assert wide.outside == (line,)
    assert wide.area_error > inside.area_error and wide.area_worst > inside.area_worst


@pytest.mark.parametrize(
    ("layer", "blocks"),
    [
        ({"adc_bits": 12}, {"crossbar_tile.adc_bits", "readout.adc_bits", "popcount.cap_bits"}),
        ({"adc_shift": 3}, {"crossbar_tile.adc_shift"}),
        ({"column_sharing": 1, "adc_bits": 9, "adc_shift": 3}, {"crossbar_tile.adc_bits"}),
    ],
)
def test_extrapolation_widens_every_error_of_the_whole_and_names_every_parameter(layer, blocks):
    inside = MODEL.metrics(_config())
    metrics = MODEL.metrics(_config(**layer), extrapolate=True)
    named = {line.split(" must be")[0].split(": ")[-1] for line in metrics.outside}
    assert blocks <= named
    for field in ("area_error", "area_worst", "energy_error", "energy_worst"):
        assert getattr(metrics, field) > getattr(inside, field), field
    assert not metrics.layers.is_known[0] and metrics.layers.is_known[1:].all()


def test_a_layer_outside_the_range_has_the_error_of_the_ends_of_the_range():
    inside = MODEL.layer_costs(LayerBatch.of(_config()))
    outside = MODEL.layer_costs(LayerBatch.of(_config(adc_bits=12)), extrapolate=True)
    assert outside.area_error[0] > 1.3 * inside.area_error[0]
    assert outside.area_error[1:].tolist() == inside.area_error[1:].tolist()
    assert outside.energy_error[0] > inside.energy_error[0]


def test_a_critical_path_beyond_those_measured_widens_the_error_of_time_alone():
    """A pool of more channels than any that was measured; its area only has more equal parts."""
    data = json.loads((CONFIGS / "digits.json").read_text())
    data["layers"][1] |= {"channels": 256, "adc_bits": 3}
    wide = MODEL.metrics(parse_config(json.dumps(data)))
    lines = [line for line in wide.outside if line.startswith("critical path of ")]
    assert lines and "max_pool: sinks must be" in lines[0]
    assert wide.time_error > 0.1 > MODEL.metrics(_config()).time_error


def test_the_error_of_the_period_is_that_of_what_sets_it():
    """A 100-row sar tile with CS 14, IP 5, adc_shift 1: 2.338 ns synthesized, once 2.051."""
    config = _tile_of_100_rows()
    kinds = MODEL.coefficients.period["kinds"]
    found = pace(config, MODEL.coefficients.period)
    assert KINDS[int(found.kind[0])] == "crossbar_tile sar"
    metrics = MODEL.metrics(config)
    assert metrics.time_error == kinds["crossbar_tile sar"]["mean"]
    assert metrics.time_worst == kinds["crossbar_tile sar"]["max"] > metrics.time_error
    assert found.period_ns[0] == pytest.approx(2.338, rel=0.06)
    errors = {kinds[kind]["mean"] for kind in KINDS}
    assert len(errors) == len(KINDS)


def _tile_of_100_rows() -> Config:
    layer = {
        "kind": "linear",
        "channels": 28,
        "engine": "crossbar",
        "column_sharing": 14,
        "adc_type": "sar",
        "adc_bits": 4,
        "adc_shift": 1,
        "input_bits": 5,
    }
    data = {
        "name": "rows",
        "dataset": "images",
        "input_shape": [10, 10, 1],
        "weights": {"kind": "hidden", "seed": 1},
        "crossbar": {"rows": 100, "columns": 28},
        "layers": [layer],
    }
    return parse_config(json.dumps(data))


def test_there_is_no_hardware_for_other_weights():
    data = json.loads((CONFIGS / "digits.json").read_text())
    config = parse_config(json.dumps(data | {"weights": {"kind": "bitwise", "bits": 4}}))
    with pytest.raises(UserError, match=r"weights\.kind must be hidden, not bitwise"):
        MODEL.metrics(config)


def test_every_layer_has_an_error():
    costs = MODEL.layer_costs(random_batch(100, seed=1), extrapolate=True)
    assert np.all((costs.area_error > 0) & (costs.area_error < 0.1))
    assert np.all((costs.time_error > 0) & (costs.time_error < 0.3))


def test_it_is_fast_enough_to_search_with():
    assert speed(5000, repeats=3) > 20_000  # 100,000 and more on an idle core: make bench
