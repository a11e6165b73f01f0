from functools import cache

import numpy as np
import pytest

from search.analog.headline import (
    SPACE,
    at_precision,
    headline,
    homogeneous,
    least_edap,
    main,
    text,
)
from search.analog.model import AnalogModel
from search.analog.vgg16 import VGG16_CHANNELS
from search.metrics import LayerBatch
from search.space import load_space


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


def test_every_homogeneous_point_is_looked_at_and_the_best_is_shown():
    space, model = load_space(SPACE), AnalogModel()
    rows = homogeneous(space, model)
    layer = space.layers[0]
    count = len(layer.adc_type) * len(layer.column_sharing) * len(layer.adc_bits)
    assert len(rows) == count * len(layer.input_bits) == _result().homogeneous_points
    assert min(row.figures.edap for row in rows) == _result().rows[1].figures.edap
    for row in rows:
        assert tuple(layer.channels for layer in row.config.layers[:-1]) == VGG16_CHANNELS


def test_the_published_ratios_are_beaten_and_the_best_homogeneous_point_twice():
    usual, best, own, free, whole, quarter = _result().rows
    assert usual.name == "VGG16 sar CS 8 AP 8 IP 8"
    for row in (own, free, whole, quarter):
        assert usual.figures.edap / row.figures.edap > 10.24
        assert row.figures.tops_per_watt / usual.figures.tops_per_watt > 1.72
        assert row.figures.tops_per_mm2 / usual.figures.tops_per_mm2 > 1.93
    for row in (free, whole, quarter):
        assert best.figures.edap / row.figures.edap >= 2
    assert best.figures.edap > own.figures.edap


def test_searched_networks_keep_the_bounds_and_the_precision_of_the_best():
    usual, best, own, free, whole, quarter = _result().rows
    for row in (own, whole, quarter):
        assert row.figures.area_mm2 <= best.figures.area_mm2
    assert own.weights == free.weights == usual.weights <= whole.weights
    assert usual.weights // 4 <= quarter.weights < usual.weights
    precisions = {
        (layer.adc_bits, layer.input_bits)
        for row in (best, own, free, whole, quarter)
        for layer in row.config.layers
    }
    assert len(precisions) == 1


def test_the_descent_is_no_worse_than_any_point_of_the_front_it_starts_from():
    model = AnalogModel()
    space = at_precision(load_space(SPACE), 4, 4)
    least = model.figures(least_edap(space, model, least_weights=2_000_000))
    wider = model.figures(least_edap(space, model, least_weights=1_000_000))
    assert wider.edap <= least.edap


def test_the_table_says_what_is_model(capsys):
    said = text(_result())
    assert "no accuracy is measured" in said and "best of 300 homogeneous" in said
    assert main(["--space", "configs/search-digits.json"]) == 2
    assert "layers: must be 14, VGG16's, not 3" in capsys.readouterr().err
