import json
from pathlib import Path

import pytest

from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError
from kakure.search.space.description import describe
from kakure.search.space.layer_space import LayerChoice, Option
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space_file import load_space, parse_space

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
CONV = {
    "kind": "conv",
    "kernel": 3,
    "pool": 2,
    "channels": [8, 16],
    "input_bits": [4, 3],
    "column_sharing": [2, 4],
    "adc_type": ["flash", "sar"],
    "adc_bits": [4, 5, 6],
    "copies": [1, 2],
}
LINEAR = {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [4]}
SMALL = {
    "name": "small",
    "dataset": "digits",
    "weights": {"kind": "hidden"},
    "crossbar": {"rows": [32, 64], "columns": [32]},
    "layers": [CONV, LINEAR],
}


def space(**changes):
    return parse_space(json.dumps(SMALL | changes), "s.json")


def test_xperts_space_has_its_published_size():
    xpert = load_space(CONFIGS / "search-xpert.json")
    convolutions = xpert.layers[:-1]
    assert len(convolutions) == 13
    assert all(len(layer.channels) * len(layer.options) == 240 for layer in convolutions)
    assert [g.out_height for g in xpert.probe.geometry] == [32] * 2 + [16] * 2 + [8] * 3 + [
        4
    ] * 3 + [2] * 3 + [1]
    assert xpert.networks == 4**13
    assert xpert.area_um2 == 50e6


def test_sizes_are_those_of_the_points():
    small = space()
    points = list(small.points())
    assert len(set(points)) == len(points) == small.size == 2 * (2 * 8 * 3 * 2)
    assert small.phase1_size == 2 * 2 * 8
    assert small.networks == 2
    assert "192 points" in describe(small) and small.digest[:12] in describe(small)


def test_both_engines_are_options():
    both = space(layers=[CONV | {"engine": ["pe_array", "crossbar"]}, LINEAR])
    assert both.layers[0].options[0] == Option("pe_array")
    assert both.layers[0].size == 2 * (8 * 3 + 1) * 2 == len(list(both.layers[0].choices()))


def test_every_point_is_a_valid_configuration():
    both = space(layers=[CONV | {"engine": ["pe_array", "crossbar"], "adc_shift": 1}, LINEAR])
    for point in both.points():
        config = both.config(point, "made")
        assert parse_config(config.model_dump_json(exclude_none=True)).digest == config.digest
        choice = point.layers[0]
        layer = config.layers[0]
        assert (config.name, config.crossbar.rows) == ("made", point.hardware.rows)
        assert (layer.channels, layer.input_bits) == (choice.channels, choice.input_bits)
        assert (getattr(layer, "adc_type", None), getattr(layer, "copies", 1)) == (
            choice.option.adc_type,
            choice.option.copies,
        )
        assert getattr(layer, "adc_shift", 0) == (1 if layer.engine == "crossbar" else 0)


RESIDUAL = CONV | {"pool": 1, "residual": [False, True]}


def test_residual_layers_follow_equal_channels_only():
    two = space(layers=[CONV, RESIDUAL | {"channels": [16, 32]}, LINEAR])
    points = list(two.points())
    assert len(set(points)) == len(points) == two.size
    assert two.networks == 2 * 2 + 1
    pairs = {tuple((c.channels, c.residual) for c in point.layers[:2]) for point in points}
    plain = {((a, False), (b, False)) for a in (8, 16) for b in (16, 32)}
    assert pairs == plain | {((16, False), (16, True))}
    for point in points[:: len(points) // 50]:
        config = two.config(point)
        assert [layer.residual for layer in config.layers] == [c.residual for c in point.layers]


def test_the_probe_follows_the_shortcuts():
    only = space(layers=[CONV, RESIDUAL | {"channels": [32, 8, 16], "residual": [True]}, LINEAR])
    assert [layer.channels for layer in only.probe.layers] == [8, 8, 10]
    assert only.networks == 2


def test_a_space_without_shortcuts_is_written_as_before():
    assert "residual" not in space().layers[0].model_dump()
    assert space(layers=[RESIDUAL | {"residual": [False]}, LINEAR]).digest == (
        space(layers=[CONV | {"pool": 1}, LINEAR]).digest
    )


SUMS = LINEAR | {"sum_pool": True}


def test_strides_and_sum_pools_are_fixed():
    sums = SUMS | {"map_bits": 3, "sum_shift": 1}
    strided = space(layers=[CONV | {"stride": 2, "pool": 1}, sums])
    for point in list(strided.points())[::7]:
        first, last = strided.config(point).layers
        assert (first.stride, last.stride, last.sum_pool) == (2, 1, True)
        assert (last.map_bits, last.sum_shift) == (3, 1)
    assert strided.probe.geometry[0].output_bits == 3
    assert strided.size == space(layers=[CONV | {"pool": 1}, LINEAR]).size


def test_a_space_without_strides_and_sums_is_written_as_before():
    plain = {"stride": 1, "sum_pool": False, "map_bits": None, "sum_shift": None}
    said = space(layers=[CONV | plain, LINEAR | plain])
    assert said.digest == space(layers=[CONV, LINEAR]).digest
    assert not set(plain) & set(said.layers[0].model_dump())


def test_the_first_of_repeated_layers_strides_or_sums_and_the_last_pools():
    conv = CONV | {"stride": 2, "pool": [1, 2], "repeat": [1, 3], "channels": [8]}
    families = space(layers=[conv | {"residual": [False, True]}, SUMS | {"repeat": [2]}]).families
    found = [
        [(la.stride, la.pool[0], True in la.residual, la.sum_pool) for la in family.layers]
        for family in families
    ]
    ends = [(1, 1, False, True), (1, 1, False, False)]
    assert found == [
        [(2, 1, False, False), *ends],
        [(2, 1, False, False), (1, 1, True, False), (1, 1, True, False), *ends],
        [(2, 2, False, False), *ends],
        [(2, 1, False, False), (1, 1, True, False), (1, 2, False, False), *ends],
    ]


@pytest.mark.parametrize(
    ("layers", "line"),
    [
        ([CONV | {"stride": 3}, LINEAR], "layers[0].stride: must be at most 2, not 3"),
        ([CONV, LINEAR | {"stride": 2}], "layers[1].stride: must be 1 in a linear layer, not 2"),
        ([CONV | {"sum_pool": True}, LINEAR], "layers[0].sum_pool: must be false in a conv layer"),
        ([CONV, LINEAR | {"map_bits": 4}], "layers[1].map_bits: must be left out without sum_pool"),
        (
            [CONV, LINEAR | {"sum_shift": 0}],
            "layers[1].sum_shift: must be left out without sum_pool",
        ),
        (
            [RESIDUAL | {"stride": 2, "channels": [1]}, LINEAR],
            "layers[0].stride: must be 1 with residual, not 2",
        ),
    ],
)
def test_strides_and_sums_that_cannot_be_are_refused(layers, line):
    with pytest.raises(UserError) as error:
        space(layers=layers)
    assert str(error.value).endswith(line)


@pytest.mark.parametrize(
    ("layers", "line"),
    [
        ([RESIDUAL | {"residual": []}], "layers[0].residual: must have a length of at least 1"),
        ([RESIDUAL | {"residual": [1]}], "layers[0].residual[0]: must be true or false, not 1"),
        ([RESIDUAL | {"residual": [True, True]}], "layers[0].residual: must not repeat True"),
        ([CONV | {"residual": [True]}], "layers[0].pool: must be 1 with residual, not 2"),
        ([RESIDUAL | {"kernel": 4}], "layers[0].kernel: must be odd with residual, not 4"),
        ([RESIDUAL | {"padding": 0}], "layers[0].padding: must be 1 with residual, not 0"),
        (
            [RESIDUAL],
            "layers[0].residual: must be false where channels has none of the 1 that are read",
        ),
        (
            [CONV, RESIDUAL | {"channels": [8], "residual": [True]}],
            "layers[1].residual: must offer false too where channels lacks the 16 that may be read",
        ),
    ],
)
def test_shortcuts_that_cannot_be_are_refused(layers, line):
    with pytest.raises(UserError) as error:
        space(layers=[*layers, LINEAR])
    assert str(error.value).startswith(f"s.json: {line}")


def test_the_last_layer_has_no_shortcut():
    last = LINEAR | {"kind": "conv", "kernel": 1, "residual": [False, True]}
    with pytest.raises(UserError, match=r"layers\[1\]\.residual: must be false in the last layer"):
        space(layers=[CONV, last])
    with pytest.raises(UserError, match=r"layers\[1\]\.residual: must be false in a linear layer"):
        space(layers=[CONV, LINEAR | {"residual": [False, True]}])


def test_phase1_assumes_the_first_precision():
    layer = space().layers[0]
    assert layer.choice(8, layer.options[0]) == LayerChoice(8, layer.options[0], 4, 4)


def test_a_point_outside_is_refused():
    small = space()
    inside = next(small.points())
    assert isinstance(small.config(inside), Config)
    first, last = inside.layers
    for choice, message in (
        (LayerChoice(9, first.option, 4, 4), "channels must be one of 8, 16, not 9"),
        (LayerChoice(8, first.option, 4, 7), "adc_bits must be one of 4, 5, 6, not 7"),
        (LayerChoice(8, first.option, 5, 4), "input_bits must be one of 4, 3, not 5"),
        (LayerChoice(8, Option("pe_array"), 4, None), "option must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            small.config(Point(Hardware(32, 32), (choice, last)))
    with pytest.raises(ValueError, match=r"crossbar\.rows must be one of 32, 64, not 8"):
        small.config(Point(Hardware(8, 32), inside.layers))


def test_the_digest_follows_the_content():
    assert space().digest == space().digest
    assert space(area_um2=1e6).digest != space().digest
