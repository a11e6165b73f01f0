"""The picture of a design says what the design says, and needs nothing but itself."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.design import Design
from kakure.hdl.synthesis.report import InstanceReport, SynthesisReport, Tools, Totals
from kakure.hdl.synthesis.static_timing import CriticalPath, Endpoint
from kakure.model.config.config import Config, load_config, parse_config
from kakure.sim.report.diagram import diagram
from kakure.sim.report.svg import THIN
from kakure.sim.report.temporal_diagram import temporal_diagram
from tests.branching import FORMS, SUMS, branching
from tests.temporal import temporal

ROOT = Path(__file__).resolve().parent.parent

CROSSBAR = {"kind": "conv", "channels": 4, "kernel": 3, "engine": "crossbar", "adc_type": "sar"}
CROSSBAR |= {"column_sharing": 2, "adc_bits": 2}
CONFIG = {
    "name": "pic-1",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 9},
    "crossbar": {"rows": 16, "columns": 4},
    "pe_array": {"inputs": 4, "outputs": 3, "pixels": 2},
    "layers": [
        CROSSBAR | {"pool": 2, "input_bits": 3, "copies": 2},
        CROSSBAR | {"input_bits": 2, "residual": True},
        {"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 1},
    ],
}


@pytest.fixture(scope="module")
def config() -> Config:
    return parse_config(json.dumps(CONFIG))


@pytest.fixture(scope="module")
def design(config) -> Design:
    return design_of(config, "pic-1.json")


def synthesized(design: Design) -> SynthesisReport:
    """A report in which the n-th instance has 1000 n µm² of its own."""
    paths = [path for path, _ in design.instances()]
    own = {path: 1000.0 * n for n, path in enumerate(paths, 1)}

    def total(path: str) -> float:
        return sum(area for p, area in own.items() if p == path or p.startswith(f"{path}."))

    found = tuple(
        InstanceReport(path, module.name, own[path], total(path))
        for path, module in design.instances()
    )
    end = Endpoint(design.top, "a")
    return SynthesisReport(
        config_digest="",
        top=design.top,
        tools=Tools("native", "a yosys", "a library", "", "a memory"),
        script="",
        totals=Totals(sum(own.values()), 2.0, 3.0, 4.0, 5.0, 6.0, 7, 8),
        critical_path=CriticalPath(2.0, end, end, 9),
        fmax_mhz=500.0,
        modules=(),
        instances=found,
    )


def boxes(picture: str) -> list[list[str]]:
    """The lines of every block, in the order in which they are drawn."""
    found = []
    for piece in picture.split('<rect class="k-')[2:]:
        lines = re.findall(r'text-anchor="middle"(?! class="k-quiet")[^>]*>(.*?)</text>', piece)
        if not piece.startswith("frame"):
            found.append(lines)
    return found


def test_the_committed_picture_is_what_gen_draws():
    path = ROOT / "configs" / "digits.json"
    config = load_config(path)
    drawn = diagram(config, design_of(config, str(path)))
    committed = (ROOT / "docs" / "digits.svg").read_text(encoding="utf-8")
    assert drawn == committed, "kakure gen --no-synth, then copy its diagram.svg to docs/digits.svg"


def test_every_block_says_what_the_design_says(config, design):
    found = boxes(diagram(config, design))
    for lines in (
        ["stream register", "33 bit"],
        ["frame gate", "16 words an image"],
        ["pixel unpacker", "1 × 3 bit"],
        ["weight generator", "xorshift32", "seed 9"],
        ["sliding window", "3×3 of 1 × 3 bit"],
        ["crossbar, sar 2 bit", "2 tiles of 9×4 in 2 copies", "2 columns a readout"],
        ["max pool", "2×2"],
        ["crossbar, sar 2 bit", "3 tiles of 16×4", "2 columns a readout"],
        ["PE array, bit-serial", "4 × 3 × 1", "inputs × outputs × pixels"],
        ["requantizer", "1 lane, 10 channels", "to logits"],
        ["result sender", "10 classes"],
    ):
        assert lines in found
    shortcuts = [lines for lines in found if lines[0] == "shortcut"]
    assert len(shortcuts) == 1 and shortcuts[0][1].startswith("4 × 1 bit, ")
    modules = dict(design.instances())
    depth = modules[f"{design.top}.core.layer_1.shortcut"].parameters["depth"]
    assert shortcuts[0][1] == f"4 × 1 bit, {depth} deep"
    assert len(found) == 7 + 3 * 3 + 2  # once; of every layer; pool and shortcut


def test_the_streams_between_layers_have_the_maps(config, design):
    picture = diagram(config, design)
    assert re.findall(r">(\d+×\d+ pixels of .*?)<", picture) == [
        "8×8 pixels of 1 × 3 bit",
        "4×4 pixels of 4 × 2 bit",
        "4×4 pixels of 4 × 1 bit",
    ]
    assert re.findall(r">(layer \d.*?)<", picture) == [
        "layer 0: conv, 3×3, to 4×4×4",
        "layer 1: conv, 3×3, to 4×4×4",
        "layer 2: linear, whole map, to 1×1×10",
    ]


def test_strides_and_sum_pools_are_drawn():
    config = branching("stride and pool", layers=[CROSSBAR | {"stride": 2, "input_bits": 3}, SUMS])
    picture = diagram(config, design_of(config, "strides.json"))
    found = boxes(picture)
    assert ["sliding window", "3×3 of 1 × 3 bit", "stride 2"] in found
    assert ["sum pool", "16 positions", "to 6 bit"] in found
    last = found.index(["sum pool", "16 positions", "to 6 bit"])
    assert found[last + 1][:2] == ["sliding window", "1×1 of 4 × 6 bit"]
    assert re.findall(r">(\d+×\d+ pixels of .*?)<", picture)[1] == "4×4 pixels of 4 × 4 bit"
    assert re.findall(r">(layer \d.*?)<", picture) == [
        "layer 0: conv, 3×3, stride 2, to 4×4×4",
        "layer 1: linear, sums of the map, to 1×1×10",
    ]


def test_areas_are_those_of_the_report(config, design):
    report = synthesized(design)
    picture = diagram(config, design, report)
    assert "µm²" not in diagram(config, design)
    areas = {item.path: item.total_um2 for item in report.instances}
    core = f"{design.top}.core"
    shown = re.findall(r">([\d\u202f]+) µm²<", picture)
    paths = [f"{core}.{name}" for name in ("front", "gate", "unpacker", "generator", "sender")]
    paths += [f"{design.top}.registers", f"{design.top}.counters"]
    for n, stage in enumerate(("pool", "shortcut", None)):
        names = ["window", "engine", "requantizer", *([stage] if stage else [])]
        paths += [f"{core}.layer_{n}", *(f"{core}.layer_{n}.{name}" for name in names)]
    assert sorted(shown) == sorted(f"{areas[path]:,.0f}".replace(",", THIN) for path in paths)


def test_it_is_well_formed_and_loads_nothing(config, design):
    picture = diagram(config, design, synthesized(design))
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"https?://[^\"]*", picture) == ["http://www.w3.org/2000/svg"]
    for word in ("<script", "href", "url(", "@import", "@font-face", "<image", "<foreignObject"):
        assert word not in picture
    assert "prefers-color-scheme:dark" in picture


def test_nothing_leaves_the_paper(config, design):
    root = ElementTree.fromstring(diagram(config, design))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        a = rect.attrib
        x, y = float(a.get("x", "0")), float(a.get("y", "0"))
        assert x >= 0 and x + float(a["width"]) <= width
        assert y >= 0 and y + float(a["height"]) <= height


def test_a_temporal_accelerator_shows_its_array_and_its_operations():
    config = temporal(FORMS["a block that strides"], (8, 4, 2, 3), input_shape=[8, 8, 1])
    picture = temporal_diagram(config, Design("accelerator_x", {}))
    texts = [text.text or "" for text in ElementTree.fromstring(picture).iter() if text.text]
    assert "8 × 4 × 2" in texts and "3 sums an element" in texts and "7 operations" in texts
    lines = [text for text in texts if "; memory" in text]
    assert len(lines) == 7 and lines[-1].endswith("to logits")
    assert sum(line.startswith("sums of ") for line in lines) == 1
