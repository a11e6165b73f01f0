"""Files and pipes are UTF-8 whatever the locale says, and their names may be any bytes."""

import ast
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kakure.hdl.emission.artifacts import build_folder
from kakure.model.config.config import load_config
from kakure.search.commands.kakure import main
from tests.test_search_commands_kakure import KAKURE
from tests.test_sim_generation_generate import TINY, contents

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("model", "hdl", "sim", "search", ".ci")
BINARY = ("gzip", "os", "tarfile", "Image")
"""What has an ``open`` that gives bytes."""


def text_of_the_locale(source: str) -> Iterator[str]:
    """Calls that read or write text, or a process's, without saying in which encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg for keyword in node.keywords}
        positional = [one.value for one in node.args if isinstance(one, ast.Constant)]
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        of = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else None
        is_text = (
            (name == "read_text" and of is not None and not node.args)
            or (name == "write_text" and of is not None)
            or (name == "open" and of not in BINARY and not _is_binary(node, positional))
            or bool(given & {"text", "universal_newlines"})
        )
        if is_text and "encoding" not in given:
            yield f"{node.lineno}: {ast.unparse(node)}"


def _is_binary(call: ast.Call, positional: Sequence[object]) -> bool:
    modes = [one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)]
    return any("b" in str(mode) for mode in (*positional, *modes) if len(str(mode)) <= 3)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("path.read_text()", 1),
        ("(a / b).write_text(text)", 1),
        ("path.open()", 1),
        ("open(path, 'w')", 1),
        ("run(command, text=True)", 1),
        ("path.read_text('latin-1')", 0),
        ("path.write_text(text, encoding='utf-8')", 0),
        ("path.open('rb')", 0),
        ("open(path, mode='ab+')", 0),
        ("run(command, encoding='utf-8')", 0),
        ("read_text(path)", 0),
    ],
)
def test_what_leaves_the_encoding_to_the_locale(source, count):
    assert len(list(text_of_the_locale(source))) == count


def test_no_source_leaves_an_encoding_to_the_locale():
    found = [
        f"{path.relative_to(ROOT)}:{call}"
        for folder in SOURCES
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in text_of_the_locale(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_folder_is_generated_byte_for_byte_in_a_locale_of_ascii(tmp_path, monkeypatch):
    """Of a configuration with signs that ASCII lacks in its Verilog, and a name of any bytes."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / os.fsdecode(b"tiny\xff.json")
    path.write_text(json.dumps(TINY), encoding="utf-8")
    assert main(["gen", path.name, "--no-synth"]) == 0
    folder = build_folder(load_config(path))
    first = contents(folder)
    page = first["report.html"].decode()
    assert "kakure gen $&#x27;tiny\\xff.json&#x27;" in page
    assert any(not text.isascii() for name, text in first.items() if name.endswith(".v"))
    (folder / "origin.json").unlink()
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "0"}
    command = [*KAKURE, "gen", path.name, "--no-synth"]
    done = subprocess.run(command, env=ascii_only, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(folder) == first


def test_what_a_training_records_of_its_command_is_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = json.loads((ROOT / "configs" / "digits.json").read_text(encoding="utf-8"))
    del config["parameters"]
    path = os.fsdecode(b"a\xff.json")
    Path(path).write_text(json.dumps(config), encoding="utf-8")
    options = ["--epochs", "1", "--batch-size", "900"]
    assert main(["train", path, *options, "--output", "a.safetensors"]) == 0
    assert Path("a.safetensors").stat().st_size > 1000
