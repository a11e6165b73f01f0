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
from kakure.search.cost.digital.energy_measured import EnergyPoint, Row
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


@pytest.mark.full
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


@pytest.fixture
def measured(monkeypatch) -> list[tuple[int, int | None]]:
    """Planes of the accelerator and planes in use of each point; 3 pJ for each plane in use."""
    asked = []

    def point(config, parameters, images, *, planes=None, flat=None, lanes, measured, training):
        asked.append((config.weights.bits, planes))
        assert parameters.layers[0].mask.any() and len(parameters.layers[0].masks) == asked[-1][0]
        assert (flat is None) == (planes is None) and lanes == len(images) and measured == 2
        used = planes or config.weights.bits
        parts = (0, 0, 0, 0.0, 0.0, 3000.0 * used, 0.0, 0.0, 100.0 * config.weights.bits)
        row = Row(-1, "accelerator", *parts)
        return EnergyPoint({}, config.digest, training, {}, {}, 1000.0 * used, 0.0, (row,))

    monkeypatch.setattr(precision_energy, "measure_point", point)
    monkeypatch.setattr(precision_energy, "mapped_accelerator", lambda config: config)
    return asked


def test_what_is_measured_is_kept_and_shown(few, measured, capsys):
    command = ["study", "precision-energy", "few.json", "--images", "8", "--output", "kept"]
    assert main([*command, "--planes", "1-2", "--alone"]) == 0
    assert measured == [(3, 1), (1, None), (3, 2), (2, None)]
    # 3 nJ, and of leakage 0.1 mW for each plane that there is, in cycles of 2.5 ns
    said = capsys.readouterr().out
    assert "| 1 | 1 000 | 3.8 | 3.2 |" in said and "| 2 | 2 000 | 7.5 | 7.0 |" in said

    measured.clear()
    assert main([*command, "--clock-ns", "5", "--alone", "--page", "page.md"]) == 0
    assert measured == [(3, 3)]  # one and two planes were there; of all, both are one
    text = Path("page.md").read_text()
    assert "| 1 | 1 000 | 4.5 | 33.3% | 3.5 |" in text
    assert "| 3 | 3 000 | 13.5 | 100.0% | 13.5 |" in text
    assert text.startswith("a\n") and text.endswith("b\n") and "8 test images" in text
    assert main([*command, "--images", "4"]) == 2
    assert "images: must be that of this study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--planes", "0-2"), "--planes: must be at least 1, not 0"),
        (("--planes", "2-4"), "--planes: must be at most 3 with these weights, not 4"),
        (("--planes", "1-2", "--page", "page.md"), "--planes: must be left out with --page"),
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
