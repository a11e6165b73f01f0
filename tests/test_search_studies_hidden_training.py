"""The study of training methods: what it compares, and that it goes on where it stopped."""

import json
from pathlib import Path

import pytest

from kakure.model.config.config import load_config
from kakure.model.datasets.recipe import METHODS, RIVALS
from kakure.model.files.shipped import CONFIGS
from kakure.search.commands.kakure import main
from kakure.search.studies import hidden_training
from kakure.search.studies.hidden_training import (
    FLOAT,
    VARIANTS,
    Variant,
    narrowed,
    table,
    with_weights,
)

DIGITS = CONFIGS / "digits.json"
SHORT = ("--narrow", "8", "--epochs", "1", "--seeds", "1", "--output", "out.json")


def study(*more: str) -> int:
    return main(["study", "hidden-training", str(DIGITS), *SHORT, *more])


def test_every_method_and_rival_is_compared():
    methods = {variant.recipe.get("method", "agreeing") for variant in VARIANTS.values()}
    assert methods == {*METHODS, *RIVALS}
    assert VARIANTS[FLOAT].recipe["method"] == "float"
    assert {variant.density for variant in VARIANTS.values()} >= {0.2, 0.3, 0.5, 0.6, 0.7}


def test_a_narrowed_network_keeps_its_classes():
    config = narrowed(load_config(DIGITS), 8)
    assert [layer.channels for layer in config.layers] == [4, 4, 10]
    assert getattr(with_weights(config, Variant(density=0.2)).weights, "density", None) == 0.2
    assert with_weights(config, Variant()) == config
    coats = with_weights(config, Variant(density=0.5, coats=3)).weights
    assert coats.model_dump() == config.weights.model_dump() | {
        "kind": "multicoat",
        "coats": 3,
        "density": 0.5,
    }


def test_what_is_finished_is_not_trained_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert study("--only", "float") == 0  # and the one that it teaches
    record = json.loads(Path("out.json").read_text())
    assert set(record["runs"]) == {FLOAT, "taught by the float network"}
    assert len(record["sources"]) == len(record["images"]) == 64
    for runs in record["runs"].values():
        assert runs["1"]["count"] == 206 and 0 <= runs["1"]["correct"] <= 206
    capsys.readouterr()
    monkeypatch.setattr(hidden_training, "train_one", lambda *_: pytest.fail("it trains"))
    assert study("--only", "float") == 0
    assert json.loads(Path("out.json").read_text()) == record
    assert capsys.readouterr().out == f"{table(record)}\nout.json\n"
    assert main(["study", "hidden-training", str(DIGITS), *SHORT, "--epochs", "2"]) == 2
    assert "out.json: recipe: must be that of this study; move" in capsys.readouterr().err


def test_mistakes_are_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert study("--only", "nothing") == 2
    assert capsys.readouterr().err.startswith("error: --only: must be part of one of float")
    assert study("--only", "taught") == 2
    assert (
        "must include 'float weights, same activations', which teaches" in capsys.readouterr().err
    )
    with pytest.raises(SystemExit):
        study("--batch-size", "1")
    assert "argument --batch-size: must be a whole number of at least 2" in capsys.readouterr().err
    Path("out.json").write_text("{")
    assert study() == 2
    assert "out.json: is no record of this study; move the file away" in capsys.readouterr().err


def test_the_table_shows_each_seed_and_their_mean():
    def one(correct: int) -> dict:
        return {"correct": correct, "count": 200, "loss": 1.5}

    text = table({"runs": {FLOAT: {"1": one(150), "2": one(160)}}})
    assert text.splitlines()[2:] == [f"| {FLOAT} | **0.7750** | 0.7500, 0.8000 | 1.500 |"]
