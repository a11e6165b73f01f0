"""The generated folder of a simulation: damage is found and mended, an edited module is kept."""

import json
from dataclasses import replace

import pytest

from kakure.model.parameters.parameters import random_parameters
from kakure.sim.generation import generate as generation
from kakure.sim.generation.generate import generate
from kakure.sim.generation.origin import Origin
from kakure.sim.generation.project import open_project
from kakure.sim.runner.run_folder import copied_folder, edited_note
from tests.test_sim_generation_generate import TINY, contents


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    return open_project(tmp_path / "tiny.json")


def taken(project) -> dict[str, bytes]:
    """What a simulation would take."""
    with copied_folder(project) as run:
        return {name: text for name, text in contents(run).items() if name != "lock"}


def test_every_generated_file_has_its_digest(project):
    def page(folder, _):
        (folder / "report.html").write_text("a page")

    folder = generate(project, report=page)
    origin = Origin.read(folder)
    assert origin.files.keys() == contents(folder).keys() - {"origin.json"}
    assert origin == Origin.of(folder, origin.facts)


def test_what_a_simulation_needs_is_mended_and_named(project, capsys):
    """Each file missing, empty, cut in half, and of other bytes."""
    folder = generate(project)
    whole = taken(project)
    made = contents(folder)
    assert capsys.readouterr().err == ""
    names = ("bench/axi.py", "bench/run.py", "verilog/files.txt", "verilog/crc32.v", "kakure.h")
    changes = (None, b"", made.__getitem__, b"\xff\x00")
    for name, change in zip((*names, *names), (*changes, *changes, *changes), strict=False):
        if change is None:
            (folder / name).unlink()
        else:
            text = change if isinstance(change, bytes) else made[name][: len(made[name]) // 2]
            (folder / name).write_bytes(text)
        assert taken(project) == whole
        said = f"{folder}: damaged or missing: {name}; generated anew\n"
        assert capsys.readouterr().err == said
        assert contents(folder) == made


def test_other_parameters_images_sources_or_tools_are_generated_anew(project, monkeypatch):
    """What lies there is of the same configuration, and would be simulated for another network."""
    before = taken(project)
    [origin] = project.path.parent.glob("build/*/origin.json")
    digests = [json.loads(origin.read_text())["from"]["digest"]]
    other = replace(project, parameters=random_parameters(project.config, 9))
    assert taken(other) != before
    digests.append(json.loads(origin.read_text())["from"]["digest"])
    for name, value in (("sources", "others"), ("tools", {}), ("array_digest", "others")):
        with monkeypatch.context() as patch:
            patch.setattr(generation, name, lambda *_, value=value: value)
            taken(project)
        digests.append(json.loads(origin.read_text())["from"]["digest"])
    assert len(set(digests)) == 5
    assert taken(project) == before


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b"5", b"[" * 100_000, b"{}", b'{"files":5,"from":{}}', b"\xff", None],
)
def test_a_damaged_origin_is_mended_and_named(project, capsys, text):
    folder = generate(project)
    whole = taken(project)
    if text is None:
        (folder / "origin.json").unlink()
    else:
        (folder / "origin.json").write_bytes(text)
    assert taken(project) == whole
    said = capsys.readouterr().err
    assert said.startswith(f"{folder}/origin.json: ") and said.endswith("; generated anew\n")
    assert said.count("\n") == 1


def test_what_lies_beside_the_bench_is_not_taken(project):
    folder = generate(project)
    whole = taken(project)
    (folder / "bench" / "cocotb.py").write_text("raise SystemExit\n")
    assert taken(project) == whole


def test_an_edited_module_is_simulated_and_named(project, capsys):
    folder = generate(project)
    crc = folder / "verilog" / "crc32.v"
    crc.write_text(crc.read_text(encoding="utf-8") + "// mine\n", encoding="utf-8")
    (folder / "verilog" / "mine.v").write_text("module mine();\nendmodule\n")
    with copied_folder(project) as run:
        assert (run / "verilog" / "crc32.v").read_bytes() == crc.read_bytes()
        assert edited_note(run) == "simulated as it is, edited by hand: crc32.v, mine.v\n"
    assert capsys.readouterr().err == ""
