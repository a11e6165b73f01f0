"""What the study of hidden weights in hardware says, held to what it follows from."""

from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import load_config
from kakure.model.parameters.parameters_file import load_parameters
from kakure.search.commands.kakure import main
from kakure.search.cost.digital.energy import open_trained
from kakure.search.studies.array_shape import read_record
from kakure.search.studies.hidden_hardware import (
    accelerators,
    duplicates,
    sign_generators,
    storage,
)
from kakure.search.studies.record import save_record

ROOT = Path(__file__).resolve().parent.parent
DIGITS = ROOT / "configs" / "digits.json"
TEMPORAL = ROOT / "configs" / "cifar10-temporal.json"


def cells(text: str) -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_bits_are_those_of_the_weights():
    config = load_config(DIGITS)
    parameters = load_parameters(DIGITS.parent / "digits.safetensors", config)
    rows = {row[0]: row[1:] for row in cells(storage(config, parameters))}
    weights = sum(layer.mask.size for layer in parameters.layers)
    assert rows["hidden, mask as it is"] == [f"{weights:,}", "1.000", f"{weights / 8000:.1f}"]
    assert rows["8 bits"][1] == "8.000" and rows["ternary, {−1, 0, +1}"][1] == "1.585"
    assert int(rows["hidden, mask coded"][0].replace(",", "")) >= weights / 2


def test_equal_rows_are_found():
    """Rows of one output are +1 or −1: with more than two all are equal to another."""
    config = load_config(DIGITS)
    narrow = config.changed(
        layers=tuple(layer.changed(channels=1) for layer in config.layers[-1:]), parameters=None
    )
    (g,) = narrow.geometry
    assert g.outputs == 1 and g.fan_in > 8
    assert duplicates(narrow, "xorshift32") == (g.fan_in, g.fan_in)
    wide = config.changed(
        layers=tuple(layer.changed(channels=64) for layer in config.layers[-1:]), parameters=None
    )
    assert duplicates(wide, "xorshift32") == (0, g.fan_in)


@pytest.mark.full
def test_generators_are_synthesized():
    array = TemporalConfig.model_validate({"inputs": 8, "outputs": 16, "pixels": 1, "rows": 2})
    rows = cells(sign_generators(load_config(DIGITS), array))
    assert [row[1] for row in rows] == ["32", "32", "32"]
    areas = [float(row[2].replace(",", "")) for row in rows]
    assert areas[0] < areas[1] < areas[2]


def test_the_temporal_one_is_what_was_measured():
    config, temporal = load_config(DIGITS), load_config(TEMPORAL)
    row = {
        "layer": -1, "role": "popcount", "instances": 1, "flops": 0, "gates": 0, "logic_um2": 1.0,
        "macro_um2": 0.0, "switching_pj": 2e6, "clock_pj": 1e6, "memory_pj": 0.0, "leakage_uw": 0.0,
    }  # fmt: skip
    point = {
        "config": {}, "digest": "", "training": {}, "images": {}, "tools": {}, "cycles": 1000.0,
        "loading_pj": 0.0, "rows": [row], "sources": "",
    }  # fmt: skip
    found = {
        "point": point, "period_ns": 2.0, "cycles": 1000, "logic_um2": 4e5, "memory_um2": 6e5,
    }  # fmt: skip
    spatial, measured = cells(accelerators(config, temporal, found))
    assert measured[1:] == ["1.00", "1,000", "2.00", "500,000", "3", "measured"]
    assert spatial[2] == "2,483" and spatial[6].startswith("model, ±")
    assert np.isclose(float(spatial[5]), 0.0975, rtol=0.03)


def test_what_does_not_fit_is_one_line(tmp_path, capsys):
    command = ["study", "hidden-hardware", str(DIGITS)]
    assert main([*command, str(DIGITS)]) == 2
    assert "accelerator.kind: must be 'temporal', not 'spatial'" in capsys.readouterr().err
    assert main([*command, str(TEMPORAL)]) == 2
    assert f"must be the network of {DIGITS}" in capsys.readouterr().err
    cifar = str(ROOT / "configs" / "cifar10.json")
    missing = str(tmp_path / "missing.json")
    assert main(["study", "hidden-hardware", cifar, str(TEMPORAL), "--measured", missing]) == 2
    assert "missing.json: must be there; run `kakure study array-shape`" in capsys.readouterr().err
    other = tmp_path / "other.json"
    empty = read_record(other, open_trained(TEMPORAL))
    for content, said in (
        (empty, "must have the shape 128x16x2x32x8"),
        (empty | {"parameters": "others"}, "parameters: must be that of this study"),
        (empty | {"network": "another"}, "network: must be that of this study"),
        ("not json", "is no record of this study"),
        ("[1]", "is no record of this study"),
        ('{"runs": 3}', "is no record of this study"),
    ):
        if isinstance(content, str):
            other.write_text(content)
        else:
            save_record(other, content)
        command = ["study", "hidden-hardware", cifar, str(TEMPORAL), "--measured", str(other)]
        assert main(command) == 2
        assert said in capsys.readouterr().err
    assert main([*command, "--page", missing]) == 2
    assert "missing.json" in capsys.readouterr().err
