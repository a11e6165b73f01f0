import json
from pathlib import Path

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.cost.analog.constants import CONSTANTS, load_calibrations
from kakure.search.cost.analog.fit import calibrate, report
from kakure.search.cost.analog.regression import fit_circuits, published_networks, read_published
from kakure.search.cost.analog.sweep import SWEEP, read_sweep
from kakure.search.cost.analog.validation import check_extract, residuals
from kakure.search.cost.analog.work import KINDS


@pytest.fixture(scope="module")
def committed():
    return json.loads(CONSTANTS.read_text(encoding="utf-8"))


def differences(a, b, path=""):
    """Where two JSON trees differ; numbers may differ by rounding of the linear algebra."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [line for key in a for line in differences(a[key], b[key], f"{path}.{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [
            line
            for index, (x, y) in enumerate(zip(a, b, strict=True))
            for line in differences(x, y, f"{path}[{index}]")
        ]
    if isinstance(a, float) and isinstance(b, float):
        return [] if np.isclose(a, b, rtol=1e-4, atol=1e-6) else [f"{path}: {a} is not {b}"]
    return [] if a == b else [f"{path}: {a} is not {b}"]


def test_the_committed_constants_are_the_refit(committed):
    assert differences(committed, json.loads(json.dumps(calibrate()))) == []


def test_a_changed_constant_is_seen(committed):
    other = json.loads(json.dumps(committed))
    other["kinds"]["rram-4b-64"]["constants"]["sar"]["values"][1] *= 1.001
    assert len(differences(committed, other)) == 1


@pytest.mark.parametrize(("quantity", "bar"), [("area", 0.05), ("latency", 0.10), ("energy", 0.10)])
def test_held_out_points_are_within_the_bars(committed, quantity, bar):
    kinds = [kind["errors"][quantity]["held_out"] for kind in committed["kinds"].values()]
    points = sum(kind["points"] for kind in kinds)
    assert points == 78
    assert sum(kind["mean"] * kind["points"] for kind in kinds) / points < bar
    assert kinds[0]["mean"] < bar / 10  # the paper setting


@pytest.mark.parametrize("level", ["CS", "AP", "IP", "AT x CS"])
def test_a_level_left_out_whole_is_within_the_bars(committed, level):
    errors = committed["levels"][level]
    assert errors["area"]["mean"] < 0.05
    assert errors["latency"]["mean"] < 0.10
    assert errors["energy"]["mean"] < 0.10


def test_published_points_that_the_file_lacks():
    circuit = load_calibrations()["rram-4b-64"].circuit
    errors = check_extract(circuit, read_sweep(), read_published())
    assert [part["points"] for part in errors.values()] == [11, 12, 12]
    assert all(part["max"] < 0.025 for part in errors.values())


def test_published_networks():
    circuit, published = load_calibrations()["rram-4b-64"].circuit, read_published()
    for quantity, types in published_networks(circuit).items():
        for name, values in types.items():
            wanted = np.array(published["vgg16_first_12"][quantity][name])
            assert np.abs(values / wanted - 1).max() < 0.01


def test_latencies_of_vgg16_left_out_of_their_one_constant(committed):
    """The same network ten times: this is no measure of other networks, and is not taken for it."""
    seen = np.abs(list(committed["networks"]["error"]["latency_ms"].values()))
    for types in committed["networks"]["held_out_latency"].values():
        left_out = np.abs(list(types.values()))
        assert left_out.shape == (2, 5)
        assert seen.mean() < left_out.mean() < 0.01


def test_errors_of_networks_are_those_of_networks_outside_the_fit(committed):
    whole, layer = committed["networks"]["whole"], committed["networks"]["layer"]
    assert whole["latency"] == {"mean": 0.016, "max": 0.052}
    assert whole["energy"] == {"mean": 0.049, "max": None}
    assert layer["latency"]["mean"] == layer["latency"]["max"] == 0.21
    text = report(committed)
    assert "whole network, latency                1.60    5.20" in text
    assert "right by cancellation" in text


def test_half_of_the_paper_points_suffice():
    sweep = read_sweep()
    order = np.random.default_rng(7).permutation(np.flatnonzero(sweep.kind == KINDS[0].config))
    held = np.isin(np.arange(len(sweep)), order[:30])
    errors = residuals(fit_circuits(sweep.take(~held), read_published()), sweep.take(held))
    assert np.abs(errors["area"]).mean() < 0.02
    assert np.abs(errors["latency"]).mean() < 0.05
    assert np.abs(errors["energy"]).mean() < 0.05


def test_every_constant_has_unit_source_and_range(committed):
    for kind in committed["kinds"].values():
        for name, entry in kind["constants"].items():
            assert len(entry["values"]) == len(entry["terms"]), name
            assert entry["unit"]
            assert entry["source"]
            assert set(entry["range"]) == {"column_sharing", "adc_bits", "input_bits"}


def test_report_names_every_kind_and_quantity(committed):
    text = report(committed)
    for word in ("rram-4b-64 (59) area", "sram-1b-128 (8) energy", "CS, latency", "VGG16"):
        assert word in text


def test_sweep_errors_are_one_line(tmp_path: Path, capsys):
    assert main(["study", "analog-fit", "--sweep", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["study", "analog-fit", "--report", "--sweep", "/dev/zero"]) == 2
    assert capsys.readouterr().err == (
        "error: /dev/zero: cannot be read: must be an ordinary file, not a device\n"
    )
    text = SWEEP.read_text(encoding="utf-8")
    (tmp_path / "bad.csv").write_text(text.replace("1.87104", "fast", 1))
    with pytest.raises(UserError, match="every point must have every column, as a number"):
        read_sweep(tmp_path / "bad.csv")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "long.csv").write_text(f"config\n{'x' * 200_000}\n")
    with pytest.raises(UserError, match="is no table of points"):
        read_sweep(tmp_path / "long.csv")
    with pytest.raises(UserError, match="at least one point"):
        read_sweep(tmp_path / "empty.csv")
    rows = [line for line in text.splitlines() if "sram" not in line]
    (tmp_path / "half.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match="at least 6 points of committed_sram1b_128x128_32nm"):
        calibrate(tmp_path / "half.csv")


def test_constants_errors_are_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be read"):
        load_calibrations(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"networks": 1}')
    with pytest.raises(UserError, match=r"must be as `kakure study analog-fit` writes it"):
        load_calibrations(tmp_path / "bad.json")
