"""Trainings and scores are known by everything that decides them."""

import dataclasses
import json
import random
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import kakure.model.training.recipe
import kakure.search.rounds.training
from kakure.model.datasets.table import DATASETS
from kakure.model.provenance import sources, tools
from kakure.model.training.recipe import Recipe
from kakure.model.training.trainer import Trainer
from kakure.search.rounds.training import score_task, start_of
from kakure.search.space.layer_space import Option
from kakure.search.space.space import Space
from kakure.search.space.space_file import parse_space
from kakure.search.store.store import Store, key_of

SPACE: dict[str, Any] = {
    "name": "tiny",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.5},
    "crossbar": {"rows": [32], "columns": [16]},
    "objective": "interval",
    "effort": {"candidates": 1, "score_epochs": 1, "epochs": 2},
    "layers": [
        {
            "kind": "conv",
            "kernel": 3,
            "pool": 4,
            "channels": [4],
            "column_sharing": [2, 4],
            "adc_type": ["flash"],
            "adc_bits": [4],
            "input_bits": [4],
        },
        {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [4]},
    ],
}


def space(**effort: Any) -> Space:
    return parse_space(json.dumps(SPACE | {"effort": SPACE["effort"] | effort}))


def key(tmp_path, seed: int = 1, **effort: Any) -> str:
    chosen = space(**effort)
    task = score_task(chosen, next(iter(chosen.points())), tmp_path, seed)
    return key_of(task.kind, task.decides)


def test_a_score_is_known_by_all_that_decides_it(tmp_path, monkeypatch):
    keys = [key(tmp_path), key(tmp_path, seed=2), key(tmp_path, score_epochs=2)]
    keys.append(key(tmp_path, score="naswot"))
    assert key(tmp_path) == keys[0]
    with monkeypatch.context() as other:
        other.setitem(
            DATASETS,
            "digits",
            dataclasses.replace(
                DATASETS["digits"],
                recipe=dataclasses.replace(DATASETS["digits"].recipe, learning_rate=0.2),
            ),
        )
        keys.append(key(tmp_path))
    for name in ("sources", "tools"):
        with monkeypatch.context() as other:
            other.setattr(f"kakure.search.store.task.{name}", lambda *names: "others")
            keys.append(key(tmp_path))
    assert len(set(keys)) == len(keys) == 7
    assert key(tmp_path) == keys[0]
    chosen = space()
    task = score_task(chosen, next(iter(chosen.points())), tmp_path, 1)
    assert task.decides["sources"] == sources("kakure.search.rounds.scores")
    assert task.decides["tools"] == tools("numpy", "torch")


def test_points_of_one_network_are_scored_once():
    chosen = space()
    first, second = (point for point in chosen.points())
    assert first.layers[0].option == Option("crossbar", "flash", 2)
    assert first != second
    keys = {
        key_of(task.kind, task.decides)
        for task in (
            score_task(chosen, point, kakure.search.rounds.training.Path(), 1)
            for point in (first, second)
        )
    }
    assert len(keys) == 1


@pytest.fixture
def trained(monkeypatch) -> list[int]:
    """Epochs that were run."""
    epochs: list[int] = []
    run = Trainer.run_epoch

    def counted(self, bar):
        run(self, bar)
        epochs.append(self.epoch)

    monkeypatch.setattr(Trainer, "run_epoch", counted)
    return epochs


def test_a_training_is_done_again_for_other_sources(tmp_path, monkeypatch, trained):
    chosen = space()
    point = next(iter(chosen.points()))
    store = Store(tmp_path / "store.sqlite")
    first = start_of(chosen, point, tmp_path, store, seed=1)
    assert trained == [1, 2]
    assert start_of(chosen, point, tmp_path, store, seed=1).digest == first.digest
    assert trained == [1, 2]
    monkeypatch.setattr(kakure.search.rounds.training, "sources", lambda *names: "others")
    assert start_of(chosen, point, tmp_path, store, seed=1).digest == first.digest
    assert trained == [1, 2, 1, 2]
    assert store.count("start") == 2


def test_a_training_is_known_by_all_that_decides_it(tmp_path, monkeypatch):
    """Nothing is trained here: what would be is told apart by its key."""
    monkeypatch.setattr(kakure.search.rounds.training, "train_start", _no_training)
    chosen = space()
    recipe = DATASETS["digits"].recipe
    changes = {
        "nothing": lambda _: None,
        "recipe": lambda patch: patch.setattr(
            kakure.search.rounds.training,
            "recipe_for",
            lambda _: dataclasses.replace(recipe, learning_rate=2 * recipe.learning_rate),
        ),
        "tools": lambda patch: patch.setattr(
            kakure.search.rounds.training, "tools", lambda *_: {"torch": "another"}
        ),
        "images": lambda patch: patch.setattr(
            kakure.search.rounds.training, "images_digest", lambda *_: "others"
        ),
    }
    keys = {name: _start_key(chosen, tmp_path, change) for name, change in changes.items()}
    keys["seed"] = _start_key(chosen, tmp_path, lambda _: None, seed=2)
    keys["epochs"] = _start_key(space(epochs=3), tmp_path, lambda _: None)
    keys["parts"] = _start_key(space(parts=1), tmp_path, lambda _: None)
    wider = json.loads(json.dumps(SPACE))
    wider["layers"][0]["channels"] = [5]
    keys["network"] = _start_key(parse_space(json.dumps(wider)), tmp_path, lambda _: None)
    assert len(set(keys.values())) == len(keys) == 8
    assert _start_key(chosen, tmp_path, lambda _: None) == keys["nothing"]


def test_a_search_says_that_another_one_trains_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(kakure.search.rounds.training, "train_start", _no_training)
    waited = []

    @contextmanager
    def noted(lock: Path, what: str):
        waited.append((lock.parent.name, lock.suffix, what))
        yield

    monkeypatch.setattr(kakure.search.rounds.training, "held", noted)
    key = _start_key(space(), tmp_path, lambda _: None)
    assert waited == [("trainings", ".lock", f"it trains {key[:16]}")]


class _NoTraining(Exception):
    """A training would begin here."""


def _no_training(*_: Any, **__: Any) -> None:
    raise _NoTraining


def _start_key(chosen: Space, folder: Path, change: Callable[..., None], seed: int = 1) -> str:
    """The key that a training is looked for by."""
    asked: list[Mapping[str, Any]] = []

    class Asked(Store):
        def get(self, kind, arguments):
            asked.append(arguments)
            return super().get(kind, arguments)

    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        with pytest.raises(_NoTraining):
            point = next(iter(chosen.points()))
            start_of(chosen, point, folder, Asked(folder / "keys.sqlite"), seed=seed)
    return key_of("start", asked[0])


def test_a_damaged_checkpoint_is_named_and_trained_anew(tmp_path, monkeypatch, trained, capsys):
    chosen = space()
    point = next(iter(chosen.points()))
    whole = start_of(chosen, point, tmp_path, Store(tmp_path / "whole.sqlite"), seed=1)
    store = Store(tmp_path / "store.sqlite")
    save = Trainer.save

    def stopped(self, path):
        save(self, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", stopped)
        with pytest.raises(KeyboardInterrupt):
            start_of(chosen, point, tmp_path, store, seed=1)
    (path,) = (tmp_path / "trainings").glob("*.pt")
    data = bytearray(path.read_bytes())
    data[random.Random(1).randrange(len(data))] ^= 4
    path.write_bytes(data)
    trained.clear()
    capsys.readouterr()
    assert start_of(chosen, point, tmp_path, store, seed=1).digest == whole.digest
    assert trained == [1, 2]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: is damaged") and line.endswith("the training starts anew")
    assert not path.exists()


def test_the_recipe_of_a_score_is_the_data_sets(tmp_path):
    chosen = space()
    task = score_task(chosen, next(iter(chosen.points())), tmp_path, 1)
    assert Recipe(**task.arguments["recipe"]) == kakure.model.training.recipe.recipe_for("digits")
