"""Stored magnitudes under signs that are made: training exports what the reference computes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kakure.model.config.config import parse_config
from kakure.model.config.weights.sign_weights import SignWeights
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.reference.network import network
from kakure.model.training.folding import fold
from kakure.model.training.network import Network, as_tensor
from kakure.model.training.weights import TRAINED_WEIGHTS
from kakure.search.commands.kakure import main
from kakure.search.studies.mixed_weights import MagnitudeWeights, OddWeights, known
from kakure.search.studies.mixture import KINDS, stored
from tests.test_search_studies_progressive import TINY


def parsed(weights):
    return parse_config(json.dumps(TINY | {"weights": weights}), "tiny")


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("kind", ["magnitude", "odd"])
def test_training_computes_with_what_it_exports(kind, bits):
    with known():
        config = parsed({"kind": kind, "bits": bits, "seed": 5})
        trained = Network(config, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():  # away from where all agree with their signs
            for layer in trained.layers:
                scores = layer.weights.scores
                scores.add_(torch.randn(scores.shape, generator=torch.Generator().manual_seed(2)))
        images = load_images(config, Path(), "test").images[:50]
        trained.reestimate([as_tensor(images)])
        parameters = fold(trained)
        for g, layer, mine in zip(config.geometry, parameters.layers, trained.layers, strict=True):
            w = mine.weights().detach().numpy()
            assert (w == layer.weights(config, g)).all() and len(layer.masks) == bits
            assert isinstance(config.weights, SignWeights)
            signs = config.weights.signs(g)
            low = 0 if kind == "magnitude" else 1
            seen = sorted(np.unique(w * signs).tolist())
            step = 1 if kind == "magnitude" else 2
            assert seen == list(range(low, step * (1 << bits), step))
            assert ((mine.weights.scores.detach() < 0).numpy().mean() > 0.2) and bits == stored(
                config.weights
            )
        logits = network(config, parameters, images)
        assert (PackedNetwork(config, parameters)(images) == logits).all()
        trained.eval()
        real = trained(as_tensor(images)).detach().numpy()
        scale = 2.0 ** int(parameters.metadata["logit_shift"])
        assert np.abs(logits / scale - real).mean() < 0.05
        trained.train()
        trained(as_tensor(images)).sum().backward()
        assert all(
            layer.weights.scores.grad is not None and layer.weights.scores.grad.abs().sum() > 0
            for layer in trained.layers[:-1]
        )


def test_values_are_what_the_names_say():
    codes = np.arange(4)
    assert MagnitudeWeights.model_validate({"bits": 2}).magnitudes(codes).tolist() == [0, 1, 2, 3]
    assert OddWeights.model_validate({"bits": 2}).magnitudes(codes).tolist() == [1, 3, 5, 7]
    assert [stored(KINDS[name]) for name in ("hidden", "multicoat 3", "odd 3")] == [1, 2, 3]


def test_nobody_knows_the_kinds_outside_of_the_study():
    with pytest.raises(ZeroDivisionError), known():
        assert {"magnitude", "odd"} <= set(WEIGHTS.table) & set(TRAINED_WEIGHTS)
        raise ZeroDivisionError
    assert not {"magnitude", "odd"} & (set(WEIGHTS.table) | set(TRAINED_WEIGHTS))
    with pytest.raises(UserError, match=r"weights\.kind: must be 'hidden' or"):
        parsed({"kind": "odd", "bits": 2})


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        ({}, ("--only", "zzz"), "--only: must be part of a kind's name, not 'zzz'"),
        ({"engine": "crossbar"}, (), "layers[0].engine: must be exact, as pe_array"),
    ],
)
def test_mistakes_are_one_line(change, more, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    analog = {"column_sharing": 1, "adc_type": "flash", "adc_bits": 3} if change else {}
    first = TINY["layers"][0] | change | analog
    Path("tiny.json").write_text(json.dumps(TINY | {"layers": [first, TINY["layers"][1]]}))
    assert main(["study", "mixture", "tiny.json", *more]) == 2
    assert said in capsys.readouterr().err and not Path("build").exists()


def test_planes_of_layers_are_not_those_of_a_kind(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first = TINY["layers"][0] | {"planes": 2}
    Path("tiny.json").write_text(json.dumps(TINY | {"layers": [first, TINY["layers"][1]]}))
    command = ["study", "mixture", "tiny.json", "--epochs", "1", "--output", "kept"]
    assert main([*command, "--only", "bitwise 3"]) == 0
    record = json.loads(Path("kept/record.json").read_text())
    assert record["runs"]["bitwise 3"]["1"]["correct"] > 36 and len(record["images"]) == 64
    data = TINY | {"pe_array": {"inputs": 3, "outputs": 2, "pixels": 1}}
    Path("tiny.json").write_text(json.dumps(data))
    assert main(command) == 2  # another array: another record
    assert "config: must be that of this study" in capsys.readouterr().err


def test_what_is_trained_is_kept_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(TINY))
    mark = "mixture tiny-planes"
    Path("page.md").write_text(f"<!-- {mark} -->\n<!-- end {mark} -->\n")
    command = ["study", "mixture", "tiny.json", "--epochs", "1", "--output", "kept"]
    assert main([*command, "--only", "odd 2", "--seeds", "1-2", "--page", "page.md"]) == 0
    record = json.loads(Path("kept/record.json").read_text())
    runs = record["runs"]["odd 2"]
    assert sorted(runs) == ["1", "2"] and runs["1"]["count"] == 360
    shares = [100 * runs[key]["correct"] / 360 for key in ("1", "2")]
    assert min(shares) > 15
    mean = f"{sum(shares) / 2:.2f}"
    row = f"| 2 | odd | s·{{1, 3, .. 2^(b+1) − 1}} | {mean} ±"
    assert row in Path("page.md").read_text()
    capsys.readouterr()
    before = Path("kept/record.json").read_bytes()
    assert main([*command, "--only", "odd 2"]) == 0
    assert "odd 2, seed" not in capsys.readouterr().out  # it was there
    assert Path("kept/record.json").read_bytes() == before
    assert main([*command[:-3], "2", "--output", "kept", "--only", "odd 2"]) == 2
    assert "recipe: must be that of this study" in capsys.readouterr().err
