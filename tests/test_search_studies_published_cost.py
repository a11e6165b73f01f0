import json
from pathlib import Path

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.search.cost.metrics import CostModel, LayerBatch
from kakure.search.cost.table_building import build_tables
from kakure.search.space.space_file import load_space, parse_space
from kakure.search.studies.published_cost import LATENCY_UNIT_PS, PublishedCost, published_tables

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
SHARING = (2, 4, 8, 16, 32)
VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
XPERT = load_space(CONFIGS / "search-xpert.json")
MODEL: CostModel = PublishedCost()


def vgg16(adc_type, sharing, copies=1):
    """All convolutions alike, as indices into the tables of XPert's space, and the head."""
    channels = [(64, 128, 256, 512).index(c) for c in VGG16] + [0]
    options = [
        next(
            n
            for n, o in enumerate(layer.options)
            if (o.adc_type, o.column_sharing) == (adc_type, sharing)
            and o.copies in (copies, layer.copies[0])[layer.kind == "linear" :]
        )
        for layer in XPERT.layers
    ]
    return channels, options


@pytest.mark.parametrize(
    ("adc_type", "areas"),
    [
        ("flash", (2874422, 1624836, 1008158, 715273, 599545)),
        ("sar", (1289268, 814204, 581710, 475449, 442268)),
    ],
)
def test_the_area_of_one_tile_is_the_published_one(adc_type, areas):
    tables = build_tables(XPERT, MODEL)[0]
    for sharing, area in zip(SHARING, areas, strict=True):
        _, options = vgg16(adc_type, sharing)
        assert tables.layers[1].area_um2[0, 0, options[1]] == pytest.approx(area, abs=1.5)


@pytest.mark.parametrize(
    ("adc_type", "areas", "latencies"),
    [
        ("flash", (287.3, 161.1, 99.5, 70.3, 58.9), (1.76, 1.77, 1.83, 2.04, 2.88)),
        ("sar", (128.0, 80.6, 57.6, 47.0, 43.7), (6.67, 6.73, 7.00, 8.07, 12.37)),
    ],
)
def test_the_first_twelve_convolutions_of_vgg16_cost_what_was_published(adc_type, areas, latencies):
    tables = build_tables(XPERT, MODEL)[0]
    for sharing, area, latency in zip(SHARING, areas, latencies, strict=True):
        channels, options = vgg16(adc_type, sharing)
        path = list(zip(tables.layers, [0, *channels], channels, options, strict=False))[:12]
        found = sum(int(t.area_um2[i, j, o]) for t, i, j, o in path) / 1e6
        assert found == pytest.approx(area, abs=0.06)
        time_ms = sum(int(t.time_ps[i, j, o]) for t, i, j, o in path) / 1e9
        assert time_ms == pytest.approx(latency, abs=0.006)


def test_published_tables_leave_out_what_the_published_search_leaves_out():
    published, counted = published_tables(XPERT), build_tables(XPERT, MODEL)[0]
    for index in range(12):
        close = np.abs(published.layers[index].area_um2 - counted.layers[index].area_um2)
        by_copies = close.reshape(*close.shape[:2], 10, 6)
        assert by_copies[..., 0].max() < 4096, "only single precision lies between the two"
    assert len(np.unique(published.layers[3].area_um2[1, 1])) == 10, "copies change nothing"
    *_, last, head = published.layers
    assert not last.time_ps.any() and not head.time_ps.any() and not head.area_um2.any()
    assert len(head.options) == 1
    assert published.constant_area_um2 == 0
    channels, options = vgg16("sar", 8)
    one_tile = int(last.area_um2[channels[11], channels[12], options[12]])
    assert one_tile == pytest.approx(581710, abs=256)
    assert published.layers[1].area_um2.min() % 128 == 0


def test_copies_fill_tiles_before_they_take_new_ones():
    tables = build_tables(XPERT, MODEL)[0]
    layer = tables.layers[1]  # 64 -> 64: 9·2 = 18 crossbars a copy
    _, one = vgg16("flash", 8)
    areas = layer.area_um2[0, 0, one[1] : one[1] + 6]
    times = layer.time_ps[0, 0, one[1] : one[1] + 6]
    assert areas[0] == areas[1] and times[0] == times[1], "36 crossbars fit one tile"
    assert areas[2] > areas[1] and times[2] < times[1], "72 need two"


def test_a_metrics_sum_is_that_of_its_layers():
    config = XPERT.probe
    metrics = MODEL.metrics(config)
    assert metrics.area_um2 == pytest.approx(
        MODEL.layer_costs(LayerBatch.of(config)).area_um2.sum()
    )
    assert metrics.latency_ns > metrics.interval_ns > 0
    assert LATENCY_UNIT_PS == 15_625_000
    assert (metrics.area_error, metrics.area_worst) == (0.052, 0.190)
    assert (metrics.time_error, metrics.time_worst) == (0.080, 0.181)
    assert metrics.outside == ()


def test_what_lies_outside_is_named():
    config = changed(crossbar={"rows": [128], "columns": [64]}).probe
    assert MODEL.metrics(config, extrapolate=True).outside == (
        "rows must be 64 with the published cost, not 128",
    )


def changed(**changes):
    data = json.loads((CONFIGS / "search-xpert.json").read_text())
    return parse_space(json.dumps(data | changes))


def test_what_the_constants_do_not_hold_for_is_refused():
    other = changed(crossbar={"rows": [128], "columns": [64]})
    with pytest.raises(UserError, match="rows: must be 64 with the published cost, not 128"):
        build_tables(other, MODEL)
    tables = build_tables(other, MODEL, extrapolate=True)[0]
    assert not tables.layers[0].is_known.any()
    data = json.loads((CONFIGS / "search-xpert.json").read_text())["layers"]
    shortcut = data[2] | {"residual": [False, True]}
    with pytest.raises(UserError, match="residual: must be 0 with the published cost, not 1"):
        build_tables(changed(layers=[*data[:2], shortcut, *data[3:]]), MODEL)
    strided = data[12] | {"stride": 2, "pool": 1}
    with pytest.raises(UserError, match="stride: must be 1 with the published cost, not 2"):
        build_tables(changed(layers=[*data[:12], strided, data[13]]), MODEL)
    sums = data[-1] | {"sum_pool": True}
    with pytest.raises(UserError, match="summed: must be 0 with the published cost, not 1"):
        build_tables(changed(layers=[*data[:-1], sums]), MODEL)
    head = {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [8]}
    with pytest.raises(UserError, match="engine: must be 'crossbar' with the published cost"):
        build_tables(changed(layers=[*data[:-1], head]), MODEL)
    with pytest.raises(UserError, match="convolutions and one linear layer"):
        published_tables(changed(layers=[*data, data[-1]]))
    narrow = [*data[:-1], data[-1] | {"column_sharing": [2]}]
    with pytest.raises(UserError, match="the linear layer must offer flash and column_sharing 4"):
        published_tables(changed(layers=narrow))
