"""A file that describes a space is read, or what is wrong with it is said in one line."""

import json

import pytest

from kakure.model.errors import UserError
from kakure.search.space.space_file import json_schema, load_family, load_space, parse_space
from tests.test_search_space_space import CONFIGS, CONV, LINEAR, SMALL, space

SPACES = ("digits", "digits-residual", "fashion-mnist", "xpert")


@pytest.mark.parametrize("name", SPACES)
def test_the_shipped_spaces_load_and_name_their_schema(name):
    path = CONFIGS / f"search-{name}.json"
    assert load_space(path).name == f"search-{name}"
    assert json.loads(path.read_text())["$schema"] == "search-schema.json"


def test_the_shipped_schema_is_that_of_the_space():
    assert (CONFIGS / "search-schema.json").read_text() == json_schema()


def test_the_schema_keeps_the_limits_of_a_pool():
    layer = json.loads(json_schema())["$defs"]["LayerSpace"]["properties"]["pool"]
    one, many = layer["anyOf"]
    assert (one["minimum"], one["maximum"]) == (1, 16)
    assert (many["minItems"], many["items"]["maximum"]) == (1, 16)


def test_what_compares_methods_takes_one_family(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(SMALL | {"layers": [CONV | {"repeat": [2]}, LINEAR]}))
    assert len(load_family(path).layers) == 3
    path.write_text(json.dumps(SMALL | {"layers": [CONV | {"repeat": [1, 2]}, LINEAR]}))
    with pytest.raises(
        UserError, match="layers: pool and repeat must leave one family here, not 2"
    ):
        load_family(path)


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


def test_a_million_layers_are_not_read():
    text = '{"layers":[' + ",".join(["{}"] * 1_000_000) + "]}"
    with pytest.raises(UserError) as error:
        parse_space(text, "s.json")
    assert str(error.value) == "s.json: layers: must have a length of at most 64, not 1000000"
