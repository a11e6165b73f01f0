"""The study of array shapes: what it says of each shape is what was measured of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config
from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.cost.digital.energy import open_trained
from kakure.search.cost.digital.energy_measured import EnergyPoint, Row
from kakure.search.studies import array_shape, record
from kakure.search.studies.array_shape import read_record, shape_of, shaped, table
from kakure.search.studies.record import save_record

ROOT = Path(__file__).resolve().parent.parent
TEMPORAL = ROOT / "configs" / "cifar10-temporal.json"


def tiny(folder: Path) -> Path:
    """The digits' first and last layers on a small array, with the trained masks of neither."""
    data = json.loads((ROOT / "configs" / "digits.json").read_text())
    layers = [{"kind": "linear", "channels": 10, "input_bits": 2, "engine": "pe_array"}]
    data |= {
        "name": "tiny",
        "layers": layers,
        "accelerator": {"kind": "temporal", "inputs": 16, "outputs": 8, "pixels": 1},
        "parameters": "tiny.safetensors",
    }
    del data["$schema"], data["crossbar"], data["pe_array"]
    (folder / "tiny.json").write_text(json.dumps(data))
    return folder / "tiny.json"


def test_a_shape_is_five_numbers():
    names = "inputs", "outputs", "pixels", "batches", "rows"
    assert shape_of("128x16x2x32x8") == dict(zip(names, (128, 16, 2, 32, 8), strict=True))
    for wrong in ("128x16x2x32", "128x16x2x32x8x1", "16"):
        with pytest.raises(ValueError, match=re.escape(wrong)):
            shape_of(wrong)


def test_an_impossible_shape_is_refused_before_anything_is_measured():
    config = load_config(TEMPORAL)
    with pytest.raises(UserError, match="outputs"):
        shaped(config, "64x3x4x32x4")
    with pytest.raises(UserError, match="must be 'temporal', not 'spatial'"):
        shaped(load_config(ROOT / "configs" / "digits.json"), "64x16x4x32x4")


def test_a_mistake_names_the_file(capsys):
    config = ROOT / "configs" / "digits.json"
    assert main(["study", "array-shape", str(config)]) == 2
    assert capsys.readouterr().err == (
        f"error: {config}: accelerator.kind: must be 'temporal', not 'spatial'\n"
    )


def test_what_was_measured_on_other_images_or_by_other_sources_is_refused(tmp_path, monkeypatch):
    project, path = open_trained(TEMPORAL), tmp_path / "record.json"
    images = np.zeros((2, 4, 4, 1), np.uint8)
    save_record(path, read_record(path, project, images))
    assert read_record(path, project)["runs"] == read_record(path, project, images)["runs"] == {}
    with pytest.raises(UserError, match="images: must be that of this study"):
        read_record(path, project, images[:1])
    monkeypatch.setattr(record, "sources", lambda *_: "another day")
    with pytest.raises(UserError, match="sources: must be that of this study"):
        read_record(path, project, images)


def test_a_shape_is_measured_once_and_by_one_run(tmp_path, monkeypatch, capsys):
    row = Row(-1, "accelerator", 0, 0, 0, 0.0, 0.0, 1e6, 0.0, 0.0, 0.0)
    point = EnergyPoint({}, "", {}, {}, {}, 1000.0, 0.0, (row,))
    asked: list[int] = []

    def measure(project, config, pixels):
        asked.append(len(pixels))
        assert main(command) == 2  # another run meanwhile
        assert "--output: another run of this study writes it" in capsys.readouterr().err
        sizes = {"cycles": 1, "in_use": 1.0, "products": 1, "logic_um2": 1.0, "memory_um2": 1.0}
        return sizes | {"period_ns": 1.0, "point": json.loads(point.to_json())}

    monkeypatch.setattr(array_shape, "measure", measure)
    images = np.zeros((3, 4, 4, 1), np.uint8)
    monkeypatch.setattr(array_shape, "trained_images", lambda project, count: images[:count])
    output = tmp_path / "record.json"
    shapes = ["--shapes", "128x16x2x32x8,64x16x4x32x4", "--output", str(output)]
    command = ["study", "array-shape", str(TEMPORAL), *shapes]
    assert main(command) == 0 and asked == [3, 3]
    assert main(command) == 0 and asked == [3, 3]
    assert main([*command, "--images", "2"]) == 2 and asked == [3, 3]
    assert f"{output}: images: must be that of this study" in capsys.readouterr().err


@pytest.mark.full
def test_what_is_measured_is_kept_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tiny(tmp_path)
    assert main(["train", str(path), "--epochs", "1", "--seed", "1"]) == 0
    page = tmp_path / "page.md"
    page.write_text("<!-- array-shape -->\n<!-- end array-shape -->\n")
    command = [
        "study", "array-shape", str(path), "--shapes", "16x8x1x4x2,8x4x2x2x1", "--images", "6",
        "--output", "record.json",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[:2] == ["16x8x1x4x2", "8x4x2x2x1"]
    kept = json.loads((tmp_path / "record.json").read_text())
    config = load_config(path)
    for shape, found in kept["runs"].items():
        architecture = architecture_of(shaped(config, shape))
        assert found["cycles"] == architecture.timing(2).interval
        lanes = architecture.counts["LANES"] / (found["cycles"] * 128)
        assert found["in_use"] == pytest.approx(lanes if shape[0] == "1" else 2 * lanes)
        point = EnergyPoint.from_json(json.dumps(found["point"]))
        line = next(one for one in table(kept).splitlines() if shape.replace("x", "×") in one)
        total = point.energy_pj(found["period_ns"]) / 1e6
        assert f"**{total:.1f}**" in line
        tops = 2 * found["products"] / (total * 1e6)
        assert f"**{tops:.1f}**" in line and found["products"] == 64 * 10
    assert main([*command, "--page", str(page)]) == 0  # nothing is measured again
    assert capsys.readouterr().out.splitlines()[0].startswith("| inputs×outputs")
    assert table(kept) in page.read_text()
