from functools import cache

import numpy as np
import pytest

from kakure.search.commands.kakure import main
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS
from kakure.search.cost.metrics import LayerBatch
from kakure.search.space.space_file import load_space
from kakure.search.studies.headline import SPACE, headline, text
from kakure.search.studies.homogeneous import homogeneous

pytestmark = pytest.mark.xdist_group("headline")  # they share one result


@cache
def _result():
    return headline(load_space(SPACE), AnalogModel(), shares=(1.0, 0.25))


def test_many_networks_cost_what_each_costs():
    model = AnalogModel()
    rows = homogeneous(load_space(SPACE), model)[::60]
    batches = [LayerBatch.of(row.config) for row in rows]
    joined = LayerBatch(**{
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in vars(batches[0])
    })
    found = zip(*model.networks(joined, len(batches[0])), strict=True)
    for row, (area, latency, energy) in zip(rows, found, strict=True):
        metrics = model.metrics(row.config)
        assert area == pytest.approx(metrics.area_um2)
        assert latency == pytest.approx(metrics.latency_ns)
        assert energy == pytest.approx(metrics.energy_pj)


@pytest.mark.full
def test_every_homogeneous_point_is_looked_at_and_the_best_is_shown():
    space, model = load_space(SPACE), AnalogModel()
    rows = homogeneous(space, model)
    layer = space.layers[0]
    count = len(layer.adc_type) * len(layer.column_sharing) * len(layer.adc_bits)
    assert len(rows) == count * len(layer.input_bits) == _result().homogeneous_points
    assert min(row.figures.edap for row in rows) == _result().rows[1].figures.edap
    for row in rows:
        assert tuple(layer.channels for layer in row.config.layers[:-1]) == VGG16_CHANNELS


@pytest.mark.full
def test_the_published_ratios_are_beaten_and_the_best_homogeneous_point_twice():
    usual, best, single, _, own, _, free, whole, quarter = _result().rows
    assert usual.name == "VGG16 sar CS 8 AP 8 IP 8"
    for row in (single, own, free, whole, quarter):
        assert usual.figures.edap / row.figures.edap > 10.24
        assert row.figures.tops_per_watt / usual.figures.tops_per_watt > 1.72
        assert row.figures.tops_per_mm2 / usual.figures.tops_per_mm2 > 1.93
    for row in (free, whole, quarter):
        assert best.figures.edap / row.figures.edap >= 2
    assert best.figures.edap > own.figures.edap


@pytest.mark.full
def test_each_searched_network_is_beside_a_homogeneous_point_with_the_same_freedom():
    _, best, single, copied, own, wide, free, whole, quarter = _result().rows
    for row, like in ((single, best), (own, copied), (free, wide), (whole, copied)):
        assert row.like == like.figures
        assert row.figures.edap <= like.figures.edap
    assert quarter.like == copied.figures
    assert {
        getattr(layer, "copies", 1) for row in (best, single) for layer in row.config.layers
    } == {1}
    for row in (copied, wide):
        readouts = {
            (getattr(n, "adc_type", None), getattr(n, "column_sharing", None))
            for n in row.config.layers
        }
        assert (
            len(readouts) == 1
            and max(getattr(layer, "copies", 1) for layer in row.config.layers) > 1
        )
    # what the periphery gains of itself: less than a tenth, where copies gain a half
    assert best.figures.edap / single.figures.edap == pytest.approx(1.08, abs=0.005)
    assert 1 <= copied.figures.edap / own.figures.edap < 1.08
    assert best.figures.edap / copied.figures.edap > 1.8


@pytest.mark.full
def test_searched_networks_keep_the_bounds_and_the_precision_of_the_best():
    usual, best, single, copied, own, _, free, whole, quarter = _result().rows
    for row in (single, copied, own, whole, quarter):
        assert row.figures.area_mm2 <= best.figures.area_mm2 + 1e-6
    assert single.weights == own.weights == free.weights == usual.weights <= whole.weights
    assert usual.weights // 4 <= quarter.weights < usual.weights
    precisions = {
        (getattr(layer, "adc_bits", None), layer.input_bits)
        for row in _result().rows[1:]
        for layer in row.config.layers
    }
    assert len(precisions) == 1


@pytest.mark.full
def test_the_table_says_what_is_model(capsys):
    said = text(_result())
    assert "no accuracy is measured" in said and "the best of 300: with one copy" in said
    assert "x" not in said.splitlines()[0] and ":like" in said.splitlines()[0]
    assert [line.split()[-1] for line in said.splitlines()[2:5]] == ["120.0", "1.08", "222.2"]
    assert main(["study", "headline", "--space", "configs/search-digits.json"]) == 2
    assert "layers: must be 14, VGG16's, not 3" in capsys.readouterr().err
