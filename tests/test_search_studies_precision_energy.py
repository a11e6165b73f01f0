"""Energy by the number of planes: netlists that compute as the model does, kept and gone on."""

import json
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.search.commands.kakure import main
from kakure.search.cost.digital import energy_run
from kakure.search.cost.digital.energy_run import mapped_accelerator, run_accelerator
from kakure.search.studies import precision_energy

SPATIAL = {
    "name": "few-planes",
    "dataset": "digits",
    "weights": {"kind": "bitwise", "bits": 3},
    "pe_array": {"inputs": 4, "outputs": 2, "pixels": 1},
    "layers": [
        {"kind": "conv", "channels": 3, "kernel": 3, "stride": 2, "pool": 2, "engine": "pe_array",
         "input_bits": 2},
        {"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 2},
    ],
    "parameters": "few.safetensors",
}  # fmt: skip
TEMPORAL = {key: value for key, value in SPATIAL.items() if key != "pe_array"} | {
    "accelerator": {"kind": "temporal", "inputs": 8, "outputs": 2, "pixels": 2}
}


@pytest.mark.parametrize("raw", [SPATIAL, TEMPORAL], ids=["spatial", "temporal"])
def test_the_netlist_computes_with_each_number_of_planes(raw, monkeypatch):
    config = parse_config(json.dumps(raw), "few")
    parameters = random_parameters(config, 3)
    images = load_images(config, Path(), "test").images[:6]
    flat = mapped_accelerator(config)
    energies = []
    for planes in (1, 2, 3, None):
        run = run_accelerator(flat, config, parameters, images, lanes=4, planes=planes)
        energies.append(run.inference.toggles.sum())
        timing = architecture_of(config.at(planes or 3)).timing(4)
        assert run.inference.cycles == timing.results[-1] - timing.results[-3]
    assert energies[0] < energies[1] < energies[2] == energies[3]

    plain = energy_run.network  # a netlist with one plane must not pass as one with two
    monkeypatch.setattr(
        energy_run, "network", lambda c, p, x: plain(config.at(2), parameters.at(2), x)
    )
    with pytest.raises(AssertionError, match="lane 0, image 0 differs"):
        run_accelerator(flat, config, parameters, images, lanes=2, planes=1)


@pytest.fixture
def few(tmp_path, monkeypatch) -> Path:
    """A folder with the configuration, its parameters and a page."""
    monkeypatch.chdir(tmp_path)
    Path("few.json").write_text(json.dumps(SPATIAL))
    config = load_config("few.json")
    save_parameters(Path("few.safetensors"), config, random_parameters(config, 3))
    mark = "precision-energy few-planes"
    Path("page.md").write_text(f"a\n<!-- {mark} -->\n<!-- end {mark} -->\nb\n")
    return tmp_path


def test_what_is_measured_is_kept_and_shown(few, monkeypatch, capsys):
    command = ["study", "precision-energy", "few.json", "--images", "8", "--output", "kept"]
    assert main([*command, "--planes", "1-2", "--alone", "--page", "page.md"]) == 0
    record = json.loads(Path("kept/record.json").read_text())
    assert sorted(record["points"]) == ["1 alone", "1 any", "2 alone", "2 any"]
    assert record["sources"]
    points = {key: precision_energy.EnergyPoint.from_json(json.dumps(value))
              for key, value in record["points"].items()}  # fmt: skip
    energy = {key: point.energy_pj(2.5) / 1000 for key, point in points.items()}
    assert energy["1 alone"] < energy["1 any"] < energy["2 any"]
    assert points["1 any"].images["planes"] == 1 and "planes" not in points["1 alone"].images
    text = Path("page.md").read_text()
    row = f"| 1 | {points['1 any'].cycles:,.0f} | {energy['1 any']:,.1f} "
    row += f"| {energy['1 any'] / energy['2 any']:.1%} | {energy['1 alone']:,.1f} |"
    assert row in text.replace(" ", " ")

    measured = []
    plain = precision_energy.measure_point
    monkeypatch.setattr(
        precision_energy,
        "measure_point",
        lambda *given, **named: measured.append(named["planes"]) or plain(*given, **named),
    )
    assert main(command) == 0
    assert measured == [3]  # one and two planes were there
    assert "| 3 |" in capsys.readouterr().out
    assert main([*command[:-1], "kept", "--images", "4"]) == 2
    assert "images: must be that of this study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--planes", "0-2"), "--planes: must be at least 1, not 0"),
        (("--planes", "2-4"), "--planes: must be at most 3 with these weights, not 4"),
        (("--page", "few.json"), "must hold the lines <!-- precision-energy few-planes -->"),
    ],
)
def test_mistakes_are_one_line(few, more, said, capsys):
    assert main(["study", "precision-energy", "few.json", *more]) == 2
    assert said in capsys.readouterr().err
    assert not np.any([path.name == "build" for path in few.iterdir()])


def test_hidden_weights_have_no_planes(capsys):
    config = Path(__file__).parents[1] / "configs" / "digits.json"
    assert main(["study", "precision-energy", str(config)]) == 2
    assert "weights: must be bitwise with at least 2 bits" in capsys.readouterr().err
