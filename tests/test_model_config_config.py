import copy
import json
from pathlib import Path

import pytest

from kakure.model.config.config import json_schema, load_config, parse_config
from kakure.model.config.presets import preset, preset_json
from kakure.model.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
DELETE = object()


def changed(path, value):
    """The digits configuration with one value replaced, added or deleted."""
    data = json.loads(preset_json("digits"))
    place = data
    for part in path[:-1]:
        place = place[part]
    if value is DELETE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


FIRST = ("layers", 0)
LAST = ("layers", 2)
ALL_LAYERS = json.loads(preset_json("digits"))["layers"]

RESIDUAL = ALL_LAYERS[0] | {"pool": 1, "residual": True}


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ((*FIRST, "channels"), 0, "layers[0].channels: must be at least 1, not 0"),
        ((*FIRST, "channels"), 4097, "layers[0].channels: must be at most 4096, not 4097"),
        ((*FIRST, "channels"), "4", "layers[0].channels: must be an integer, not '4'"),
        ((*FIRST, "channels"), True, "layers[0].channels: must be an integer, not true"),
        ((*FIRST, "channels"), 4.0, "layers[0].channels: must be an integer, not 4.0"),
        ((*FIRST, "channels"), DELETE, "layers[0].channels: is required"),
        ((*FIRST, "pool"), {}, "layers[0].pool: must be an integer, not an object"),
        ((*FIRST, "pool"), [1], "layers[0].pool: must be an integer, not a list"),
        ((*FIRST, "adc_type"), "x", "layers[0].adc_type: must be one of 'flash', 'sar', not 'x'"),
        ((*FIRST, "chanels"), 3, "layers[0].chanels: unknown key, perhaps 'channels'"),
        (
            ("weights", "q"),
            3,
            "weights.q: unknown key, must be one of kind, seed, generator, density",
        ),
        (
            ("weights", "kind"),
            "x",
            "weights.kind: must be 'hidden' or 'bitwise' or 'multicoat', not 'x'",
        ),
        (("weights", "kind"), DELETE, "weights.kind: is required"),
        (("weights",), DELETE, "weights: is required"),
        (("weights",), 3, "weights: must be an object, not 3"),
        (("weights", "density"), 0, "weights.density: must be above 0, not 0"),
        (("weights", "density"), 1.5, "weights.density: must be at most 1, not 1.5"),
        (("weights", "density"), "a", "weights.density: must be a number, not 'a'"),
        (("weights", "density"), float("nan"), "weights.density: must be at most 1, not NaN"),
        (("weights", "seed"), 2**32, "weights.seed: must be at most 4294967295, not 4294967296"),
        (("crossbar",), None, "crossbar: must be an object, not null"),
        (("layers",), [], "layers: must have a length of at least 1, not 0"),
        (
            ("layers",),
            ALL_LAYERS * 30,
            "layers: must have a length of at most 64, not 90",
        ),
        (("layers",), 3, "layers: must be a list, not 3"),
        (("layers", 1), 3, "layers[1]: must be an object, not 3"),
        (("dataset",), "", "dataset: must not be empty"),
        (("dataset",), 3, "dataset: must be a string, not 3"),
        (
            ("dataset",),
            "mine",
            (
                "input_shape: is required where dataset is not one of digits, fashion-mnist, "
                "cifar10, but 'mine'"
            ),
        ),
        (("input_shape",), [8, 8, 1], "input_shape: must be left out with dataset digits"),
        (
            ("name",),
            "-a",
            (
                "name: must be 1 to 64 letters, digits, dots, hyphens or underscores, "
                "the first a letter or digit, not '-a'"
            ),
        ),
        ((*FIRST, "kernel"), DELETE, "layers[0].kernel: is required for a conv layer"),
        ((*LAST, "kernel"), 3, "layers[2].kernel: must be left out of a linear layer"),
        ((*LAST, "padding"), 1, "layers[2].padding: must be left out of a linear layer"),
        ((*LAST, "pool"), 2, "layers[2].pool: must be 1 in a linear layer, not 2"),
        ((*FIRST, "padding"), 3, "layers[0].padding: must be below kernel = 3, not 3"),
        ((*FIRST, "adc_bits"), DELETE, "layers[0].adc_bits: is required with engine crossbar"),
        ((*LAST, "adc_bits"), 4, "layers[2].adc_bits: must be left out with engine pe_array"),
        ((*LAST, "adc_shift"), 1, "layers[2].adc_shift: must be left out with engine pe_array"),
        ((*LAST, "copies"), 2, "layers[2].copies: must be left out with engine pe_array"),
        (
            (*FIRST, "column_sharing"),
            5,
            "layers[0].column_sharing: must divide crossbar.columns = 32, not 5",
        ),
        (
            (*FIRST, "residual"),
            0,
            "layers[0].residual: must be true, false, or a number of layers, 1 to 64, not 0",
        ),
        ((*FIRST, "residual"), True, "layers[0].pool: must be 1 with residual, not 2"),
        ((*LAST, "residual"), True, "layers[2].residual: must be false in a linear layer"),
        (FIRST, RESIDUAL, "layers[0].channels: must be the 1 that are read with residual, not 32"),
        (FIRST, RESIDUAL | {"kernel": 2}, "layers[0].kernel: must be odd with residual, not 2"),
        (
            FIRST,
            RESIDUAL | {"kernel": 5, "padding": 1},
            "layers[0].padding: must be 2 with residual, not 1",
        ),
        (
            ("layers",),
            [RESIDUAL | {"channels": 1, "kernel": 1}],
            "layers[0].residual: must be false in the last layer",
        ),
        ((*FIRST, "pool"), 9, "layers[0].pool: must fit the map of 8 x 8, not 9"),
        (
            FIRST,
            ALL_LAYERS[0] | {"kernel": 11, "padding": 0},
            "layers[0].kernel: must fit the map of 8 x 8 with padding 0, not 11",
        ),
        (
            ("layers",),
            ALL_LAYERS[:2],
            "layers[1]: must leave a map of 1 x 1, not 2 x 2: end with a linear layer",
        ),
    ],
)
def test_one_line_names_field_rule_and_value(path, value, line):
    with pytest.raises(UserError) as error:
        parse_config(changed(path, value), "net.json")
    assert str(error.value) == f"net.json: {line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "not valid JSON: Expecting property name enclosed in double quotes"),
        ('{"name": 1, "name": 2}', "not valid JSON: key 'name' appears twice"),
        ("[" * 100000, "not valid JSON: nested too deeply"),
        ("[]", "must hold one JSON object, not list"),
    ],
)
def test_text_that_is_no_configuration(text, line):
    with pytest.raises(UserError, match=line):
        parse_config(text)


def test_an_unknown_key_comes_before_what_it_left_missing():
    data = json.loads(preset_json("digits"))
    data["layers"][0]["chanels"] = data["layers"][0].pop("channels")
    with pytest.raises(UserError, match=r"layers\[0\]\.chanels: unknown key"):
        parse_config(json.dumps(data))


def test_unreadable_files(tmp_path):
    with pytest.raises(UserError, match=r"none\.json: cannot be read: No such file or directory"):
        load_config(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        load_config(tmp_path)
    (tmp_path / "latin.json").write_bytes(b"\xff")
    with pytest.raises(UserError, match="cannot be read: is not UTF-8 text"):
        load_config(tmp_path / "latin.json")


def test_digest_depends_on_meaning_only():
    text = preset_json("digits")
    data = json.loads(text)
    digest = parse_config(text).digest
    backwards = dict(reversed(list(data.items())))
    assert parse_config(json.dumps({**backwards, "$schema": "schema.json"})).digest == digest
    explicit = copy.deepcopy(data)
    explicit["layers"][0] |= {"copies": 1, "adc_shift": 0}
    assert parse_config(json.dumps(explicit)).digest == digest
    explicit["layers"][0]["copies"] = 2
    assert parse_config(json.dumps(explicit)).digest != digest


def test_a_configuration_does_not_change():
    config = parse_config(preset_json("digits"))
    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"


def test_shipped_schema_is_current():
    assert (ROOT / "configs" / "schema.json").read_text(encoding="utf-8") == json_schema()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("[!s]*.json")), ids=lambda path: path.stem
)
def test_shipped_configurations_load(path):
    if path.stem != "schema":
        assert load_config(path).name


def test_a_changed_configuration_is_checked_and_has_its_own_digest():
    config = preset("digits")
    before = config.digest
    other = config.changed(name="other")
    assert other.name == "other" and other.layers == config.layers
    assert other.digest != before == config.digest
    assert other.changed(name=config.name).digest == before
    with pytest.raises(ValueError, match="name"):
        config.changed(name="no name/")
