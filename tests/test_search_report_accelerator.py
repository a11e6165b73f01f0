"""report.html says what the design, the synthesis, the model and the evaluation say."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from temporal import random_temporal

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS
from kakure.hdl.emission.artifacts import design_of
from kakure.model.evaluate import Score, write_score
from kakure.search.commands.kakure import main
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.report.accelerator import write_report
from kakure.search.report.accuracy import confusion, curve
from kakure.search.report.area import area, area_parts
from kakure.sim.generation.plan import plan
from kakure.sim.generation.project import Project, open_project
from kakure.sim.report.svg import grouped
from tests.test_sim_generation_generate import TINY
from tests.test_sim_report_diagram import synthesized


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    path = Path("a'b <i>.json")
    path.write_text(json.dumps(TINY))
    return open_project(path)


def trained(project: Project, **metadata: str) -> Project:
    return replace(
        project, is_trained=True, parameters=replace(project.parameters, metadata=metadata)
    )


@pytest.fixture
def folder(project) -> Path:
    """What generation leaves, but for what the report does not read."""
    made = Path("made")
    made.mkdir()
    (made / "diagram.svg").write_text("<svg class=drawn></svg>")
    origin = {"config": project.config.digest, "tools": {"amaranth": "<0.5>"}}
    (made / "origin.json").write_text(json.dumps({"from": origin}))
    return made


def text_of(folder: Path, project: Project) -> str:
    write_report(folder, project)
    return (folder / "report.html").read_text(encoding="utf-8")


def found_cards(text: str) -> dict[str, str]:
    return {name: value for value, name in re.findall(r"<div><b>(.*?)</b>(.*?)<span>", text)}


def rows_after(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table under a heading."""
    table = text.partition(f"<h2>{heading}</h2>")[2].partition("<table")[2].partition("</table>")[0]
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
    ]


def test_gen_writes_it_with_everything_in_it(project, capsys):
    assert main(["gen", str(project.path), "--no-synth"]) == 0
    folder = Path(re.findall(r"report +(.*)/report.html", capsys.readouterr().out)[0])
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "diagram.svg").read_text(encoding="utf-8") in text
    headings = ["Next", "Network", "Accelerator", "Area", "Cycles", "Energy", "Accuracy"]
    assert re.findall("<h2>(.*?)</h2>", text) == [*headings, "Registers", "Origin"]
    assert main(["gen", str(project.path), "--no-synth"]) == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == text


def test_it_loads_nothing_and_escapes_names(folder, project):
    text = text_of(folder, trained(project, warning="<script>x</script>", command="<b>"))
    assert not re.search(r"<script|<link|<iframe|@import|url\(|(src|href)=", text)
    assert set(re.findall(r"https?://[^\"' <]*", text)) == {"http://www.w3.org/2000/svg"}
    assert "<i>" not in text and "<b>.json" not in text and "&lt;script&gt;" in text
    assert "amaranth &lt;0.5&gt;" in text
    assert ["seed of the signs", "7, xorshift32"] in rows_after(text, "Origin")
    assert "kakure sim &#x27;a&#x27;&quot;&#x27;&quot;&#x27;b &lt;i&gt;.json&#x27;" in text


def test_the_figures_without_a_synthesis_are_the_models(folder, project):
    text = text_of(folder, project)
    metrics = DigitalModel().metrics(project.config, extrapolate=True)
    timing = image_timing(project.config, 3)
    assert found_cards(text) == {
        "area": f"{grouped(metrics.area_um2)} µm²",
        "from image to image": f"{grouped(timing.interval)} cycles",
        "energy an image": f"{metrics.energy_pj / 1e3:.2f} nJ",
        "accuracy": "untrained",
    }
    assert f"model, error {100 * metrics.area_error:.2f} % on average" in text
    assert f"{100 * metrics.energy_error:.1f} % off on average" in text
    assert f"worst {100 * metrics.energy_worst:.1f} %" in text
    assert [unescape(line) for line in metrics.outside] == [
        row[0] for row in rows_after(text, "Energy")[1:]
    ][: len(metrics.outside)]
    for energy in metrics.layers.energy_pj:
        assert f">{energy / 1e3:.2f}</text>" in text
    for layer in plan(project.config):
        assert f">{grouped(layer.engine_cycles)}</text>" in text


def test_the_figures_with_a_synthesis_are_its_own(folder, project):
    report = synthesized(design_of(project.config, "tiny.json"))
    report.write(folder / "synth.json")
    text = text_of(folder, project)
    timing = image_timing(project.config, 3)
    shown = found_cards(text)
    assert shown["area"] == f"{grouped(report.totals.area_um2)} µm²"
    assert shown["clock"] == "500 MHz"
    assert shown["from image to image"] == f"{timing.interval * 2.0 / 1e3:.2f} µs"
    heads, *rows, last = rows_after(text, "Area")
    areas = {item.path: item.total_um2 for item in report.instances}
    core = f"{report.top}.core"
    for n, row in enumerate(rows[:2]):
        found = dict(zip(heads, row, strict=True))
        assert found["window"] == grouped(areas[f"{core}.layer_{n}.window"])
        assert found["engine"] == grouped(areas[f"{core}.layer_{n}.engine"])
        assert found["requantizer"] == grouped(areas[f"{core}.layer_{n}.requantizer"])
        assert found["all"] == grouped(areas[f"{core}.layer_{n}"])
        assert found["kind"] == project.config.layers[n].engine
    assert rows[2][-2] == grouped(areas[f"{core}.generator"])
    assert last[-2] == grouped(report.totals.area_um2)
    assert "a yosys (native), a library, a memory" in text


def test_the_parts_of_the_area_add_up(project):
    report = synthesized(design_of(project.config, "tiny.json"))
    parts = area_parts(project.config, report)
    assert sum(sum(blocks.values()) for _, blocks in parts) == report.totals.area_um2
    assert all(area > 0 for _, blocks in parts for area in blocks.values())


def test_the_parts_of_a_temporal_accelerator_are_its_own():
    config = random_temporal(1000)
    report = synthesized(design_of(config, "temporal.json"))
    parts = dict(area_parts(config, report))
    assert list(parts) == [
        *("array", "maker", "masks", "reader", "finisher", "summer", "activations", "program"),
        "streams, registers",
    ]
    areas = {item.path: item.total_um2 for item in report.instances}
    inner = f"{report.top}.core.processor"
    memories = [n for n in areas if n.startswith(f"{inner}.memory_") and n.count(".") == 3]
    assert len(memories) == 12
    assert sum(parts["activations"].values()) == sum(areas[path] for path in memories)
    assert sum(parts["masks"].values()) == areas[f"{inner}.masks"] > 0
    assert sum(sum(looks.values()) for looks in parts.values()) == report.totals.area_um2
    heads, *rows = rows_after(f"<h2>Area</h2>{area(config, report)}", "Area")
    assert [dict(zip(heads, row, strict=True))["kind"] for row in rows] == [""] * 10


def test_every_register_and_field_is_there(folder, project):
    rows = rows_after(text_of(folder, project), "Registers")[1:]
    names = [row[1].partition(" ")[0] for row in rows]
    expected = []
    for register in ACCELERATOR_REGISTERS:
        expected += [register.name, *(f"{register.name}.{bits.name}" for bits in register.fields)]
    assert names == expected
    assert [int(row[0], 16) for row in rows if row[0]] == [r.offset for r in ACCELERATOR_REGISTERS]


def test_the_accuracy_is_that_of_the_kept_evaluation(folder, project):
    known = trained(project, validation="20/24")
    text = text_of(folder, known)
    assert found_cards(text)["validation"] == "20/24" and "No evaluation of these" in text
    write_score(
        Score(np.triu(np.full((4, 4), 2)) + np.diag([3, 4, 5, 6])),
        project.config,
        project.parameters,
    )
    text = text_of(folder, known)
    assert found_cards(text)["test accuracy"] == f"{26 / 38:.4f}"
    rows = rows_after(text, "Accuracy")
    assert rows[0] == ["class", "0", "1", "2", "3", "right"]
    assert rows[2] == ["1", "", "6", "2", "2", f"{6 / 10:.4f}"]


def test_of_many_classes_the_worst_pairs_are_shown():
    many = np.diag(np.full(40, 5))
    many[7, 9] = 3
    text = confusion(Score(many))
    assert "7 taken for 9" in text and text.count("<th>") == 2 + 3


def test_the_curve_is_that_of_the_history(project):
    history = [[1, 2.0, 3, 1.5], [2, 1.0, 6, 1.0], [3, 0.5, 5, 1.1]]
    known = {"history": json.dumps(history), "validation": "6/8", "epoch": "2"}
    text = curve(trained(project, **known).parameters)
    assert "kept: 2" in text and "accuracy on 8 validation images" in text
    points = re.findall(r'points="(.*?)"', text)
    assert [len(line.split()) for line in points] == [3, 3]
    for broken in ({}, known | {"history": "[[1]]"}, known | {"validation": "?"}, {"history": "{"}):
        assert "was not kept" in curve(trained(project, **broken).parameters)
    endless = known | {"history": "[[1, NaN, 3, 1.5]]"}
    assert "no finite numbers" in curve(trained(project, **endless).parameters)


def test_weights_of_layers_with_fewer_planes_are_counted_once(folder, project):
    array = {"engine": "pe_array", "input_bits": 2}
    layers = [
        {"kind": "conv", "channels": 2, "kernel": 3, "stride": 2, "planes": 1} | array,
        {"kind": "linear", "channels": 3} | array,
    ]
    data = {"name": "few", "dataset": "images", "input_shape": [4, 4, 1], "layers": layers}
    for bits, said in ((3, "1 to 3 planes of a bit"), (1, "one bit;")):
        layers[0]["planes"] = 1
        few = data | {"weights": {"kind": "bitwise", "bits": bits}}
        Path("few.json").write_text(json.dumps(few))
        text = text_of(folder, open_project(Path("few.json")))
        assert f"{2 * 9 + 3 * 8} weights, of each {said}" in text


@pytest.mark.parametrize(
    ("kind", "said"),
    [("spatial", "All layers work at the same time"), ("temporal", "on one array")],
)
def test_how_the_layers_share_the_time_is_said(folder, project, kind, said):
    path = Path(f"{kind}.json")
    layer = {"kind": "linear", "channels": 3, "engine": "pe_array", "input_bits": 4}
    data = {"name": kind, "dataset": "images", "input_shape": [4, 4, 1], "layers": [layer]}
    weights = {"kind": "hidden", "seed": 1, "density": 0.5}
    path.write_text(json.dumps(data | {"weights": weights, "accelerator": {"kind": kind}}))
    text = text_of(folder, open_project(path))
    assert said in text
    assert ("All layers" in text) == (kind == "spatial")
