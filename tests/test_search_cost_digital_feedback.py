"""Synthesis in the loop: configurations measured once, and a fit that has seen them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError
from kakure.search.cost.digital.coefficients import COEFFICIENTS
from kakure.search.cost.digital.feedback import measure_configs, refit, sample_of
from kakure.search.cost.digital.fit import fit, points_of
from kakure.search.cost.digital.measured import Measurement, read_measured
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.digital.samples.sample import Sample


def _tiny(name: str = "tiny", **config) -> Config:
    layer = {
        "kind": "linear",
        "channels": 2,
        "engine": "crossbar",
        "column_sharing": 2,
        "adc_type": "flash",
        "adc_bits": 2,
        "input_bits": 2,
    }
    values = {
        "name": name,
        "dataset": "images",
        "input_shape": [2, 2, 1],
        "weights": {"kind": "hidden"},
        "crossbar": {"rows": 4, "columns": 2},
        "layers": [layer],
    }
    return parse_config(json.dumps(values | config))


def _held_out() -> Measurement:
    """The smallest accelerator that the calibration keeps out of its fit."""
    accelerators = [m for m in read_measured() if m.sample.block == "accelerator"]
    return min((m for m in accelerators if m.sample.is_held_out), key=lambda m: m.area_um2)


def test_a_configuration_is_measured_once_and_then_known(tmp_path: Path):
    path = tmp_path / "new" / "feedback.jsonl"
    config, same = _tiny(), _tiny("another", parameters="trained.safetensors")
    first, again = measure_configs([config, same], path=path, jobs=1, progress=False)
    assert first == again
    assert len(path.read_text().splitlines()) == 1
    stored = path.read_bytes()
    assert measure_configs([same], path=path, jobs=1, progress=False) == [first]
    assert path.read_bytes() == stored

    line = json.loads(stored)
    path.write_text(json.dumps(line | {"verilog": "of another day", "area_um2": 1.0}) + "\n")
    assert measure_configs([config], path=path, jobs=1, progress=False) == [first]

    refitted = refit([first])
    before = DigitalModel().metrics(config, extrapolate=True).area_um2
    after = DigitalModel(coefficients=refitted).metrics(config).area_um2
    assert abs(after - first.area_um2) < 0.02 * first.area_um2
    assert abs(after - first.area_um2) < abs(before - first.area_um2)


def test_nothing_is_measured_of_no_configurations(tmp_path: Path):
    assert measure_configs([], path=tmp_path / "no.jsonl", progress=False) == []
    assert not (tmp_path / "no.jsonl").exists()


def test_a_sample_is_what_the_hardware_depends_on():
    config = _tiny()
    sample = sample_of(config)
    assert sample.config is not None
    assert sample.config.model_dump(exclude={"name"}) == config.model_dump(exclude={"name"})
    assert Sample(**json.loads(json.dumps(sample.__dict__))) == sample
    bitwise = _tiny(weights={"kind": "bitwise", "bits": 4})
    with pytest.raises(UserError, match=r"weights\.kind must be hidden, not bitwise"):
        sample_of(bitwise)


def test_a_refit_of_nothing_is_the_calibration():
    data = refit([])
    assert (data.pop("feedback"), data.pop("feedback_tools"), data.pop("factors")) == (0, [], {})
    assert data == json.loads(COEFFICIENTS.read_text())
    config = _tiny(crossbar={"rows": 16, "columns": 4})
    alone, refitted = DigitalModel(), DigitalModel(coefficients=data)
    area = alone.metrics(config, extrapolate=True).area_um2
    assert refitted.metrics(config, extrapolate=True).area_um2 == area


def test_a_refit_sees_every_module_below_what_it_is_given():
    extra = _held_out()
    data = refit([extra])
    plain = fit(read_measured())
    assert data["feedback"] == 1
    grown = {
        kind: data["blocks"][kind]["fitted"]["points"] - block["fitted"]["points"]
        for kind, block in plain["blocks"].items()
    }
    there = {kind: len(points) for kind, points in points_of([extra]).items()}
    assert all(0 <= n <= there.get(kind, 0) for kind, n in grown.items())
    assert sum(n > 0 for n in grown.values()) >= 5
    for kind, points in points_of([extra]).items():
        for name, column in points.parameters.items():
            low, high = data["blocks"][kind]["ranges"][name]
            assert low <= column.min() and column.max() <= high


def test_what_a_refit_has_seen_is_held_out_no_more():
    extra = _held_out()
    plain = fit(read_measured())["designs"]["accelerator"]
    seen = refit([extra])["designs"]["accelerator"]
    assert seen["held_out"]["points"] == plain["held_out"]["points"] - 1
    assert seen["fitted"]["points"] == plain["fitted"]["points"] + 1


def test_points_of_another_yosys_are_taken_and_told():
    extra = _held_out()
    other = replace(extra, tools=extra.tools | {"yosys": "another"})
    data, same = refit([other]), refit([extra])
    assert data.pop("feedback_tools") == ["another"]
    assert same.pop("feedback_tools") == [extra.tools["yosys"]]
    assert data == same


def test_factors_bring_what_was_seen_nearer_to_what_was_measured():
    # Drawn ones of maps above 4 x 4: those of 4 x 4 were chosen for their clock.
    drawn = [m for m in read_measured() if m.sample.block == "accelerator"]
    extra = [m for m in drawn if m.sample.parameters.get("input_shape", [8])[0] > 4][:4]
    grown = [
        replace(
            m,
            area_um2=1.1 * m.area_um2,
            modules=tuple(replace(module, area_um2=1.1 * module.area_um2) for module in m.modules),
        )
        for m in extra
    ]
    data = refit(grown)
    assert "ram" not in data["factors"]
    assert 1.02 < data["factors"]["crossbar_tile"] < 1.1
    before, after = DigitalModel(), DigitalModel(coefficients=data)
    for m in grown:
        config = m.sample.config
        assert config is not None
        old = before.metrics(config, extrapolate=True).area_um2
        new = after.metrics(config, extrapolate=True).area_um2
        assert abs(new / m.area_um2 - 1) < 0.5 * abs(old / m.area_um2 - 1)


def test_coefficients_that_lack_a_block_are_refused():
    with pytest.raises(UserError, match=r"^coefficients: lacks accelerator; run kakure calibrate"):
        DigitalModel(coefficients={"blocks": {}})
