"""The study of precisions: what it measures is what the parameters give; it goes on."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from kakure.hdl.accelerators.spatial.cycle_model import dynamic_timing
from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config
from kakure.model.datasets.images import load_images
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.provenance import sources
from kakure.model.reference.dynamic import dynamic
from kakure.model.reference.network import classify, network
from kakure.model.training.folding import fold
from kakure.model.training.network import Network, as_tensor
from kakure.search.commands.kakure import main
from kakure.search.cost.digital.energy_measured import EnergyPoint, Row
from kakure.search.studies.progressive import cut
from kakure.search.studies.record import save_record
from tests.test_model_config_weights_bitwise import bitwise, images_for

TINY = {
    "name": "tiny-planes",
    "dataset": "digits",
    "weights": {"kind": "bitwise", "bits": 3},
    "layers": [
        {"kind": "conv", "kernel": 3, "stride": 2, "channels": 6, "engine": "pe_array",
         "input_bits": 4},
        {"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 4},
    ],
}  # fmt: skip


def test_cut_planes_leave_everything_else_as_it_was():
    config = bitwise(4, "stride")
    trained = Network(config, generator=torch.Generator().manual_seed(1))
    images = images_for(config, 40)
    trained.reestimate([as_tensor(images)])
    full = fold(trained)
    parameters = cut(trained)
    assert (parameters.layers[0].multiplier == full.layers[0].multiplier).all()
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        if geometry.output_bits is None:
            continue
        slope = layer.multiplier / 2.0**layer.shift
        for width, scales in enumerate(layer.coarser, 1):
            coarse = scales.multiplier / 2.0**scales.shift
            assert np.allclose(coarse, slope * 2 ** (4 - width), rtol=0.01, atol=1e-4)
            assert np.allclose(
                scales.offset / 2.0**scales.shift, layer.offset / 2.0**layer.shift, atol=0.3
            )


def test_every_figure_is_that_of_the_parameters(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(TINY))
    mark = "progressive tiny-planes"
    Path("page.md").write_text(f"a\n<!-- {mark} -->\n<!-- end {mark} -->\nb\n")
    command = ["study", "progressive", "tiny.json", "--epochs", "2", "--output", "kept"]
    assert main([*command, "--seeds", "2-2", "--page", "page.md"]) == 0
    assert "seeds 2; 2 epochs" in Path("page.md").read_text()
    record = json.loads(Path("kept/record.json").read_text())
    run = record["runs"]["2"]
    config = load_config("tiny.json")
    parameters = load_parameters("kept/joint-2.safetensors", config)
    data = load_images(config, Path(), "test")
    for width in (1, 2, 3):
        logits = network(config.at(width), parameters.at(width), data.images)
        assert run["joint"][width - 1] == int((classify(logits) == data.labels).sum())
    assert run["cut"][2] == run["retuned"][2] and run["count"] == 360
    assert run["cut"][0] < run["retuned"][0] < run["joint"][0]
    for point in run["dynamic"][::4]:
        schedule = point["schedule"]
        logits, used = dynamic(
            config, parameters, data.images, schedule=schedule, threshold=point["threshold"]
        )
        assert point["correct"] == int((classify(logits) == data.labels).sum())
        planes = [sum(width for width in schedule if width <= last) for last in used]
        assert point["planes"] == pytest.approx(np.mean(planes))
    said = capsys.readouterr().out
    assert f"| 3 | {run['cut'][2] / 3.6:.2f} |" in said
    each = [architecture_of(config.at(n)).timing(3) for n in (1, 3)]
    assert f"| {each[1].latency} | {each[1].interval} |" in said
    both = dynamic_timing(config, [(1, 3)], 3).latency
    two = dynamic_timing(config, [(1, 2)], 2).latency
    mean = f"{0.5 * dynamic_timing(config, [(1,)], 2).latency + 0.5 * two:,.0f}".replace(",", " ")
    assert f"| 1, then 2 | 50 % | 2.00 | {mean} |" in said
    alone = dynamic_timing(config, [(1,)], 3).latency
    assert each[0].latency < alone < each[1].latency + alone < both + 10
    mean = f"{0.8 * alone + 0.2 * both:,.0f}".replace(",", " ")
    assert f"| 1, then 3 | 20 % | 1.60 | {mean} |" in said

    monkeypatch.setattr("kakure.search.studies.progressive.measure", None)  # not called again
    assert main([*command, "--seeds", "2-2"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("| planes")

    points = {
        f"{n} any": asdict(EnergyPoint({}, "", {}, {}, {}, 1.0, 0.0, (row_of(1000.0 * n),)))
        for n in (1, 2, 3)
    }
    made = sources("kakure.search.studies.precision_energy")
    record = {"config": config.digest, "sources": made, "points": points}
    save_record(Path("energy.json"), record)
    assert main([*command, "--seeds", "2-2", "--energy", "energy.json"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("| 1, then 3 | 20"))
    first, last = (n * t.latency / t.interval for n, t in zip((1, 3), each, strict=True))
    mean = first + 0.2 * last
    expected = np.interp(mean, (1, 2, 3), run["joint"]) / 3.6
    assert line.endswith(f"| {mean:.1f} | {expected:.2f} |")
    del points["2 any"]
    save_record(Path("energy.json"), record)
    assert main([*command, "--energy", "energy.json"]) == 2
    assert "--energy: must hold all numbers of planes of the configuration, 2 is missing" in (
        capsys.readouterr().err
    )
    save_record(Path("energy.json"), record | {"sources": "another day"})
    assert main([*command, "--energy", "energy.json"]) == 2
    assert "energy.json: sources: must be that of this study" in capsys.readouterr().err


def row_of(switching_pj):
    """A block that only switches."""
    return Row(-1, "accelerator", 0, 0, 0, 0.0, 0.0, switching_pj, 0.0, 0.0, 0.0)


def test_weights_without_planes_are_refused(tmp_path, capsys):
    path = tmp_path / "hidden.json"
    path.write_text(json.dumps(TINY | {"weights": {"kind": "hidden"}}))
    assert main(["study", "progressive", str(path)]) == 2
    assert "weights: must be bitwise with at least 2 bits, not {'kind': 'hidden'" in (
        capsys.readouterr().err
    )
