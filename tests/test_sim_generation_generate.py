"""``make gen``: the folder of a configuration, the same bytes every time, whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.emission import artifacts
from kakure.hdl.emission.artifacts import design_of, replaced_folder
from kakure.model.config.config import load_config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.search.commands.kakure import main
from kakure.sim.generation.generate import generate
from kakure.sim.generation.project import open_project
from kakure.sim.report.diagram import diagram

ROOT = Path(__file__).resolve().parent.parent

TINY = {
    "name": "tiny",
    "dataset": "images",
    "input_shape": [5, 6, 2],
    "weights": {"kind": "hidden", "seed": 7},
    "crossbar": {"rows": 8, "columns": 6},
    "pe_array": {"inputs": 4, "outputs": 3, "pixels": 2},
    "layers": [
        {
            "kind": "conv", "channels": 5, "kernel": 3, "pool": 2, "engine": "crossbar",
            "column_sharing": 3, "adc_type": "sar", "adc_bits": 2, "input_bits": 3,
        },
        {"kind": "linear", "channels": 4, "engine": "pe_array", "input_bits": 2},
    ],
}  # fmt: skip


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(TINY))
    return file


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_the_same_configuration_gives_the_same_bytes(path):
    folder = generate(open_project(path))
    first = contents(folder)
    code = "from pathlib import Path; from kakure.sim.generation.generate import generate;"
    code += "from kakure.sim.generation.project import open_project;"
    code += "generate(open_project(Path('tiny.json')))"
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert contents(folder) == first
    for name in ("verilog/accelerator_tiny.v", "supermask.hex", "registers.md", "kakure.h"):
        assert first[name]
    assert not [name for name, text in first.items() if b"/home/" in text or b"/tmp/" in text]


def test_the_picture_is_of_the_design(path):
    folder = generate(open_project(path))
    config = load_config(path)
    drawn = diagram(config, design_of(config, "tiny.json"))
    assert (folder / "diagram.svg").read_text(encoding="utf-8") == drawn


def test_a_report_is_written_when_all_else_is_there(path):
    def report(folder, project):
        seen.append((sorted(file.name for file in folder.iterdir()), project))
        (folder / "page").write_text("about it")

    seen = []
    project = open_project(path)
    folder = generate(project, report=report)
    assert (folder / "page").read_text() == "about it"
    names = sorted(file.name for file in folder.iterdir() if file.name != "page")
    assert seen == [(names, project)]


def test_supermask_files_hold_the_image(path):
    project = open_project(path)
    folder = generate(project)
    words = image_words(project.config, project.parameters)
    assert [int(w, 16) for w in (folder / "supermask.hex").read_text().split()] == words
    assert np.frombuffer((folder / "supermask.bin").read_bytes(), "<u4").tolist() == words


def test_every_module_is_a_file_of_its_own(path):
    folder = generate(open_project(path))
    design = design_of(load_config(path), "tiny.json")
    listed = (folder / "verilog" / "files.txt").read_text().split()
    assert listed == [f"{name}.v" for name in design.modules]
    for name, module in design.modules.items():
        text = (folder / "verilog" / f"{name}.v").read_text()
        assert text == module.verilog
        assert text.count("endmodule") == 1 and f"module {name}(" in text
        assert text.startswith("// ")
    paths = [path for path, _ in design.instances()]
    assert len(paths) == len(set(paths))
    assert "accelerator_tiny.core.layer_0.engine.grid_0.tile_0_0" in paths


def test_a_failure_leaves_the_old_folder(path, monkeypatch):
    folder = generate(open_project(path))
    before = contents(folder)

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(artifacts, "markdown", fail)
    with pytest.raises(KeyboardInterrupt):
        generate(open_project(path))
    assert contents(folder) == before
    assert [entry.name for entry in folder.parent.iterdir() if entry.is_dir()] == [folder.name]


def test_replaced_folder_replaces_as_a_whole(tmp_path):
    target = tmp_path / "a"
    for text in ("one", "two"):
        with replaced_folder(target) as new:
            (new / text).write_text(text)
    assert [file.name for file in target.iterdir()] == ["two"]
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == ["a"]


def test_replaced_folder_mends_what_a_killed_process_left(tmp_path):
    target = tmp_path / "a"
    (tmp_path / ".a.old").mkdir()
    (tmp_path / ".a.old" / "kept").write_text("whole")
    (tmp_path / ".a.new").mkdir()
    (tmp_path / ".a.new" / "half").write_text("half")
    with pytest.raises(RuntimeError), replaced_folder(target):
        raise RuntimeError
    assert [file.name for file in target.iterdir()] == ["kept"]


def test_named_parameters_are_used(path):
    path.write_text(json.dumps(TINY | {"parameters": "tiny.safetensors"}))
    config = load_config(path)
    save_parameters(path.parent / "tiny.safetensors", config, random_parameters(config, 5))
    project = open_project(path)
    assert project.is_trained
    expected = image_words(config, random_parameters(config, 5))
    assert image_words(config, project.parameters) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": "none.safetensors"}, "none.safetensors: parameters: must be an existing"),
        ({"weights": {"kind": "bitwise", "bits": 4}}, "layers[0].engine: must be one that stores"),
        ({"weights": {"kind": "multicoat"}}, "weights.kind: must be 'hidden' for an accelerator"),
        ({"seed": 1}, "seed: unknown key"),
    ],
)
def test_mistakes_are_one_line(path, change, message, capsys):
    path.write_text(json.dumps(TINY | change))
    assert main(["gen", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert message in error
    assert not (path.parent / "build").exists()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("multicoat", r"weights\.kind: must be 'hidden' for an accelerator"),
        ("bitwise", r"layers\[0\]\.engine: must be one that stores planes, as pe_array, .* 'cross"),
    ],
)
def test_weights_that_have_no_accelerator(path, kind, rule):
    path.write_text(json.dumps(TINY | {"weights": {"kind": kind}}))
    with pytest.raises(UserError, match=rf"tiny\.json: {rule}"):
        design_of(load_config(path), "tiny.json")
