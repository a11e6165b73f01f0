"""JSON of the user is read from ordinary files only, in linear time, and errors are short."""

import json
import os
import socket
import time

import pytest

from kakure.model.config.config import Config, check_density, load_config, parse_config
from kakure.model.config.json_file import LARGEST, read_text
from kakure.model.config.presets import preset_json
from kakure.model.errors import UserError
from kakure.search.commands.kakure import main


def said(text: str) -> str:
    with pytest.raises(UserError) as error:
        parse_config(text, "a.json")
    line = str(error.value)
    assert line.isprintable() and len(line) < 400
    return line


def changed(**values) -> str:
    return json.dumps(json.loads(preset_json("digits")) | values)


def test_many_keys_take_linear_time():
    text = json.dumps({f"k{n}": n for n in range(100_000)})
    begin = time.process_time()
    assert said(text).startswith("a.json: k0: unknown key, must be one of name, dataset")
    assert time.process_time() - begin < 10  # quadratic: minutes
    assert said(f'{text[:-1]}, "k7": 1}}') == "a.json: not valid JSON: key 'k7' appears twice"


def test_a_repeated_key_is_cut_and_escaped():
    key = json.dumps("a\x1b\n" * 1000)
    assert said(f"{{{key}: 1, {key}: 2}}").startswith(
        r"a.json: not valid JSON: key 'a\x1b\na\x1b\n"
    )


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path, kind, monkeypatch):
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("socket")
    reason = "Is a directory" if kind == "folder" else f"must be an ordinary file, not a {kind}"
    with pytest.raises(UserError) as error:
        load_config(path)
    assert str(error.value) == f"{path}: cannot be read: {reason}"


def test_a_name_that_no_file_has(capsys):
    assert main(["check", "a\0.json"]) == 2
    rule = "cannot be read: must be the name of a file: embedded null byte"
    assert capsys.readouterr().err == rf"error: a\x00.json: {rule}" + "\n"


def test_the_largest_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b" " * LARGEST)
    assert len(read_text(path)) == LARGEST
    path.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(UserError, match=f"cannot be read: must have at most {LARGEST} bytes"):
        read_text(path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"layers": ' + "[" * 900 + "]" * 900 + "}",
        '{"layers": ' + "9" * 5000 + "}",
        '{"a": NaN, "b": 1e999}',
        "\ufeff{}",
        '{"' + "\\ud800" * 1000 + '": 1}',
    ],
    ids=range(7),
)
def test_json_of_odd_kinds_is_a_short_line(text):
    assert said(text).startswith("a.json: ")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"name": "\x1b[31m" * 2000}, r"name: must be 1 to 64 letters"),
        ({"dataset": "x" * 300 + "\x1b"}, "input_shape: is required where dataset is not one of"),
        ({"crossbar": {"rows": 10**4000}}, "crossbar.rows: must be at most 1024, not 1000"),
        ({"dataset": "x", "input_shape": [10**4000, 1, 1]}, "input_shape: must be 1 to 1024 in"),
        ({"parameters": "a\0b"}, "parameters: must be a path that a file can have, not 'a"),
        ({"parameters": "a/" + "ü" * 128}, "parameters: must have names of at most 255 bytes, not"),
        ({"parameters": "\ud800"}, r"parameters: must be text that UTF-8 can hold, not '\ud800'"),
        (
            {"dataset": "a\0b", "input_shape": [8, 8, 1]},
            r"dataset: must be a path that a file can have, not 'a\x00b'",
        ),
    ],
)
def test_values_are_cut_and_escaped(values, line):
    assert said(changed(**values)).startswith(f"a.json: {line}")


def test_names_that_files_may_have():
    for name in ("x" * 255, "größe/" + "y" * 200, "../a b'$.safetensors"):
        assert parse_config(changed(parameters=name)).parameters == name


def test_a_density_that_keeps_nothing():
    data = json.loads(preset_json("digits"))
    data["layers"][0]["channels"] = 16
    data["weights"]["density"] = 0.001
    with pytest.raises(UserError) as error:
        check_density(parse_config(json.dumps(data)))
    assert str(error.value) == (
        "weights.density: must keep at least 1 of the 144 weights of layers[0], not 0, "
        "as 0.001 does"
    )
    data["weights"]["density"] = 0.004  # 0.576 of a weight: one
    check_density(parse_config(json.dumps(data)))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"layers": [{}] * 100_000}, "layers: must have a length of at most 64, not 100000"),
        ({"input_shape": [[1] * 4097]}, "input_shape[0]: must have a length of at most 4096, not"),
    ],
)
def test_what_is_much_too_long_is_not_read(values, line, monkeypatch):
    monkeypatch.setattr(Config, "model_validate", lambda _: pytest.fail("it is read"))
    assert said(changed(**values)).startswith(f"a.json: {line}")
