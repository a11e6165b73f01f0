import json
from pathlib import Path

import pytest

from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError
from kakure.search.space.description import describe
from kakure.search.space.layer_space import LayerChoice, Option
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space_file import json_schema, load_family, load_space, parse_space

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
SPACES = ("digits", "digits-residual", "fashion-mnist", "xpert")

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


@pytest.mark.parametrize("name", SPACES)
def test_the_shipped_spaces_load_and_name_their_schema(name):
    path = CONFIGS / f"search-{name}.json"
    assert load_space(path).name == f"search-{name}"
    assert json.loads(path.read_text())["$schema"] == "search-schema.json"


def test_the_shipped_schema_is_that_of_the_space():
    assert (CONFIGS / "search-schema.json").read_text() == json_schema()


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


FAMILY = CONV | {"pool": [1, 2], "repeat": [0, 1, 2], "residual": [False, True]}


def test_families_are_the_choices_of_pool_and_depth_that_fit():
    one = space(layers=[CONV | {"channels": [8]}, FAMILY | {"channels": [8]}, LINEAR])
    shapes = [[(la.pool, la.residual) for la in family.layers[1:-1]] for family in one.families]
    free, pooled = ((1,), (False, True)), ((2,), (False,))
    assert shapes == [[], [free], [free, free], [pooled], [free, pooled]]
    assert all(layer.is_fixed for family in one.families for layer in family.layers)
    assert one.networks == 1 + 2 + 4 + 1 + 2
    assert one.size == sum(len(list(family.points())) for family in one.families)
    assert one.phase1_size == sum(family.phase1_size for family in one.families)
    assert one.probe is one.families[0].probe
    assert "families    5 fit of 6 choices of pools and depth" in describe(one)
    assert "layers      2 or 3 or 4" in describe(one)


def test_the_first_of_repeated_layers_has_a_shortcut_only_where_it_can():
    def first(before, channels):
        stage = FAMILY | {"channels": channels, "pool": 1, "repeat": [2], "residual": [True]}
        (family,) = space(layers=[CONV | {"channels": before}, stage, LINEAR]).families
        assert family.layers[2].residual == (True,)
        return family.layers[1].residual

    deep = space(layers=[CONV, FAMILY | {"pool": 2, "repeat": [2], "residual": [True]}, LINEAR])
    assert [la.residual for la in deep.families[0].layers[1:3]] == [(True,), (False,)]
    assert first([8, 16], [8, 16, 32]) == (True,)
    assert first([8, 16], [16, 32]) == (True, False)
    assert first([8], [16, 32]) == (False,)


def test_a_repeated_layer_pools_last():
    deep = space(layers=[CONV | {"pool": 2, "repeat": [3]}, LINEAR])
    (family,) = deep.families
    assert [layer.pool for layer in family.layers] == [(1,), (1,), (2,), (1,)]
    for point in list(family.points())[::997]:
        assert [layer.pool for layer in family.config(point).layers] == [1, 1, 2, 1]


def forms_of(*layers):
    """For each family, channels and residual of its layers but the last."""
    return [
        [(la.channels, la.residual) for la in family.layers[:-1]]
        for family in space(layers=[*layers, LINEAR]).families
    ]


EIGHT, SIXTEEN = CONV | {"pool": 1, "channels": [8]}, CONV | {"pool": 1, "channels": [16]}
FREE, NONE, ALL = (False, True), (False,), (True,)


def test_a_shortcut_on_offer_removes_no_family():
    offered = SIXTEEN | {"residual": [False, True]}
    middle = SIXTEEN | {"repeat": [0, 1]}
    assert forms_of(EIGHT, middle, offered) == [
        [((8,), NONE), ((16,), NONE)],
        [((8,), NONE), ((16,), NONE), ((16,), FREE)],
    ]
    end = SIXTEEN | {"channels": [10], "repeat": [0, 1], "kernel": 8, "padding": 0}
    last = EIGHT | {"channels": [8, 10], "pool": [1, 8], "residual": [True, False]}
    found = space(layers=[EIGHT, last, end]).families
    assert [[la.residual for la in family.layers] for family in found] == [
        [NONE, (True, False), NONE],
        [NONE, NONE],
    ]


def test_a_shortcut_that_must_be_removes_the_families_where_it_cannot():
    middle = SIXTEEN | {"repeat": [0, 1]}
    assert forms_of(EIGHT, middle, SIXTEEN | {"residual": [True]}) == [
        [((8,), NONE), ((16,), NONE), ((16,), ALL)]
    ]


def test_what_is_never_read_is_no_reason_to_refuse():
    both, must = EIGHT | {"channels": [8, 16], "residual": [True]}, EIGHT | {"residual": [True]}
    assert space(layers=[EIGHT, both, must, LINEAR]).networks == 1


def test_sizes_of_one_family_are_those_of_its_layers():
    for stage, networks in (
        ({"repeat": [2]}, 4),
        ({"repeat": [3], "pool": 2}, 8),
        ({"repeat": [2], "residual": [True]}, 2),
    ):
        one = space(layers=[CONV | {"pool": 1} | stage, LINEAR])
        (family,) = one.families
        assert one.networks == family.networks == networks
        assert one.size == family.size == len(list(family.points()))
        assert one.phase1_size == family.phase1_size


def test_what_chooses_no_family_is_not_written():
    fixed = space(layers=[CONV | {"pool": 2}, LINEAR])
    said = space(layers=[CONV | {"pool": [2], "repeat": [1], "residual": [False]}, LINEAR])
    assert said.digest == fixed.digest
    layer = fixed.model_dump(mode="json")["layers"][0]
    assert layer["pool"] == 2 and not {"repeat", "residual"} & set(layer)
    digest = load_space(CONFIGS / "search-digits.json").digest
    assert digest.startswith("c10d0153b6df")  # results and stored evaluations are named by it


def test_the_schema_keeps_the_limits_of_a_pool():
    layer = json.loads(json_schema())["$defs"]["LayerSpace"]["properties"]["pool"]
    one, many = layer["anyOf"]
    assert (one["minimum"], one["maximum"]) == (1, 16)
    assert (many["minItems"], many["items"]["maximum"]) == (1, 16)


def test_what_does_not_fit_is_no_family():
    pools = space(layers=[CONV | {"pool": [2, 8, 16]}, CONV | {"pool": [1, 4]}, LINEAR])
    found = [[layer.pool[0] for layer in family.layers] for family in pools.families]
    assert found == [[2, 1, 1], [2, 4, 1], [8, 1, 1]]  # of a map of 8 x 8


@pytest.mark.parametrize(
    ("layers", "line"),
    [
        ([CONV | {"pool": []}, LINEAR], "layers[0].pool: must have a length of at least 1"),
        ([CONV | {"pool": [2, 2]}, LINEAR], "layers[0].pool: must not repeat 2"),
        ([CONV | {"pool": 2.5}, LINEAR], "layers[0].pool[0]: must be an integer, not 2.5"),
        ([CONV | {"pool": None}, LINEAR], "layers[0].pool[0]: must be an integer, not null"),
        ([CONV, LINEAR | {"pool": [1, 2]}], "layers[1].pool: must be 1 in a linear layer, not 2"),
        ([CONV | {"repeat": [17]}, LINEAR], "layers[0].repeat[0]: must be at most 16, not 17"),
        ([CONV | {"repeat": 2}, LINEAR], "layers[0].repeat: must be a list, not 2"),
        (
            [CONV | {"pool": [9, 10]}, LINEAR],
            (
                "layers: must fit for one choice of pool and repeat at least: "
                "layers[0].pool: must fit the map of 8 x 8, not 9"
            ),
        ),
        (
            [CONV | {"pool": [1, 2], "repeat": [1, 2, 3, 4]}] * 3 + [LINEAR],
            "layers: must have at most 256 choices of pool and repeat in all, not 512",
        ),
    ],
)
def test_families_that_cannot_be_are_refused(layers, line):
    with pytest.raises(UserError) as error:
        space(layers=layers)
    assert str(error.value).startswith(f"s.json: {line}")


def test_what_compares_methods_takes_one_family(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(SMALL | {"layers": [CONV | {"repeat": [2]}, LINEAR]}))
    assert len(load_family(path).layers) == 3
    path.write_text(json.dumps(SMALL | {"layers": [CONV | {"repeat": [1, 2]}, LINEAR]}))
    with pytest.raises(
        UserError, match="layers: pool and repeat must leave one family here, not 2"
    ):
        load_family(path)


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


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"chanels": 1}, "chanels: unknown key, must be one of name"),
        ({"layer": []}, "layer: unknown key, perhaps 'layers'"),
        ({"layers": [CONV | {"adc": [1]}, LINEAR]}, "layers[0].adc: unknown key"),
        ({"layers": [CONV | {"channels": []}, LINEAR]}, "layers[0].channels: must have a length"),
        ({"layers": [CONV | {"channels": [0]}, LINEAR]}, "layers[0].channels[0]: must be at least"),
        ({"layers": [CONV | {"channels": 8}, LINEAR]}, "layers[0].channels: must be a list, not 8"),
        (
            {"layers": [CONV | {"channels": [8, 8]}, LINEAR]},
            "layers[0].channels: must not repeat 8",
        ),
        (
            {"layers": [CONV | {"adc_type": ["ramp"]}, LINEAR]},
            "layers[0].adc_type[0]: must be one of 'flash', 'sar', not 'ramp'",
        ),
        (
            {"layers": [{k: v for k, v in CONV.items() if k != "adc_bits"}, LINEAR]},
            "layers[0].adc_bits: is required with engine crossbar",
        ),
        (
            {"layers": [CONV, LINEAR | {"adc_bits": [4]}]},
            "layers[1].adc_bits: must be left out without engine crossbar",
        ),
        (
            {"layers": [CONV, LINEAR | {"copies": [1, 2]}]},
            "layers[1].copies: must be left out without engine crossbar",
        ),
        (
            {"layers": [CONV, LINEAR | {"adc_shift": 1}]},
            "layers[1].adc_shift: must be left out without engine crossbar",
        ),
        (
            {"layers": [CONV | {"column_sharing": [2, 3]}, LINEAR]},
            "layers[0].column_sharing: must divide crossbar.columns = 32, not 3",
        ),
        (
            {"layers": [CONV | {"pool": 9}, LINEAR]},
            "layers[0].pool: must fit the map of 8 x 8, not 9",
        ),
        (
            {"layers": [CONV | {"kernel": 11, "padding": 0}, LINEAR]},
            "layers[0].kernel: must fit the map of 8 x 8 with padding 0, not 11",
        ),
        ({"layers": [CONV]}, "layers[0]: must leave a map of 1 x 1"),
        ({"crossbar": {"row": [1]}}, "crossbar.row: unknown key, perhaps 'rows'"),
        ({"objective": "speed"}, "objective: must be one of 'latency', 'interval', not 'speed'"),
        ({"area_um2": 0}, "area_um2: must be above 0, not 0"),
        ({"dataset": "mine"}, "input_shape: is required where dataset"),
        (
            {"weights": {"kind": "x"}},
            "weights.kind: must be 'hidden' or 'bitwise' or 'multicoat', not 'x'",
        ),
    ],
)
def test_one_line_names_field_rule_and_value(changes, line):
    with pytest.raises(UserError) as error:
        space(**changes)
    assert str(error.value).startswith(f"s.json: {line}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "s.json: not valid JSON: "),
        ("[]", "s.json: must hold one JSON object, not list"),
        ('{"name": "a", "name": "b"}', "s.json: not valid JSON: key 'name' appears twice"),
        ("[" * 100_000, "s.json: not valid JSON: nested too deeply"),
    ],
)
def test_text_that_is_no_object_is_refused(text, line):
    with pytest.raises(UserError) as error:
        parse_space(text, "s.json")
    assert str(error.value).startswith(line)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        load_space(tmp_path / "none.json")
