import json
from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.config import load_config, parse_config
from kakure.model.config.presets import preset
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.datasets.images import load_images
from kakure.model.evaluate import Score, evaluate, read_score, write_score
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.reference.network import classify, network
from kakure.search.commands.kakure import main

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


PLANES = {
    "name": "planes",
    "dataset": "digits",
    "weights": {"kind": "bitwise", "bits": 3},
    "layers": [{"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 4}],
    "parameters": "planes.safetensors",
}


def score(*rows) -> Score:
    return Score(np.array(rows, np.int64))


def test_score():
    some = score([3, 1, 0], [0, 0, 2], [0, 0, 0])
    assert (some.correct, some.count, some.accuracy) == (3, 6, 0.5)
    assert some.per_class == [0.75, 0.0, None]
    assert some.mistaken == [(1, 2, 2), (0, 1, 1)]
    assert json.loads(json.dumps(some.facts())) == {
        "correct": 3,
        "count": 6,
        "accuracy": 0.5,
        "per_class": [0.75, 0.0, None],
        "confusion": [[3, 1, 0], [0, 0, 2], [0, 0, 0]],
    }


def test_the_table_has_labels_in_rows_and_answers_in_columns():
    assert score([3, 1, 0], [0, 0, 12], [0, 0, 0]).table().splitlines() == [
        "rows are labels, columns answers:",
        "class  0  1   2   right",
        "    0  3  1   .  0.7500",
        "    1  .  .  12  0.0000",
        "    2  .  .   .        ",
    ]


def test_of_many_classes_the_worst_pairs_are_shown():
    many = np.diag(np.full(30, 5))
    many[7, 9], many[29, 0] = 3, 4
    lines = Score(many).table().splitlines()
    assert len(lines) == 31 + 3 and max(map(len, lines)) < 40
    assert lines[8].split() == ["7", "8", "0.6250"]
    assert lines[-3:] == ["most often confused:", "29 taken for 0: 4", "7 taken for 9: 3"]


def test_a_score_is_kept_of_its_parameters_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    assert read_score(config, parameters) is None
    kept = Score(np.arange(100).reshape(10, 10))
    write_score(kept, config, parameters)
    found = read_score(config, parameters)
    assert found is not None and (found.confusion == kept.confusion).all()
    assert read_score(config, random_parameters(config, seed=2)) is None
    write_score(score([1, 0], [0, 1]), config, parameters)  # of a network with fewer classes
    assert read_score(config, parameters) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"confusion": [[11', '"confusion": [[31'),
        lambda text: text.replace('"parameters": "', '"parameters": "0', 1),
        lambda text: "[" * 100_000,
        lambda text: "{",
        lambda text: "",
        lambda text: "\xff\0",
        lambda text: text[: text.index(',"sha256"')] + "}\n",
    ],
)
def test_a_damaged_score_is_named_and_not_used(tmp_path, monkeypatch, capsys, damage):
    monkeypatch.chdir(tmp_path)
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    path = write_score(Score(np.full((10, 10), 11)), config, parameters)
    assert json.loads(path.read_text())["correct"] == 110
    path.write_bytes(damage(path.read_text()).encode("latin-1"))
    assert read_score(config, parameters) is None
    assert capsys.readouterr().err == (
        f"{path}: is damaged, and not used; kakure evaluate makes it anew\n"
    )
    write_score(Score(np.full((10, 10), 11)), config, parameters)
    assert read_score(config, parameters) is not None


def test_chunks_do_not_change_the_score():
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    data = load_images(config, Path(), "test").take(np.arange(25))
    answers = classify(network(config, parameters, data.images))
    expected = [
        [int(((data.labels == a) & (answers == b)).sum()) for b in range(10)] for a in range(10)
    ]
    for chunk in (1, 7, 25, 100):
        found = evaluate(config, parameters, data, chunk=chunk)
        assert found.confusion.tolist() == expected and found.count == 25


def test_the_shipped_digits_are_right_often_enough(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(CONFIGS / "digits.json"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["count"] == 360
    assert result["accuracy"] >= 0.985
    assert result["accuracy"] == result["correct"] / 360
    assert sum(map(sum, result["confusion"])) == 360 and len(result["per_class"]) == 10
    config = load_config(CONFIGS / "digits.json")
    assert config.parameters is not None
    kept = read_score(config, load_parameters(CONFIGS / config.parameters, config))
    assert kept is not None and kept.facts() == {name: result[name] for name in kept.facts()}


def test_the_shipped_digits_store_one_bit_per_weight():
    config = load_config(CONFIGS / "digits.json")
    assert config.parameters is not None
    parameters = load_parameters(CONFIGS / config.parameters, config)
    assert isinstance(config.weights, HiddenWeights)
    for layer in parameters.layers:
        assert layer.mask.sum() == round(layer.mask.size * config.weights.density)
    assert parameters.metadata["config"] == config.digest


def test_a_kernel_that_is_wrong_gives_no_score(monkeypatch):
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    data = load_images(config, Path(), "test").take(np.arange(5))
    right = PackedNetwork.__call__
    monkeypatch.setattr(PackedNetwork, "__call__", lambda self, images: right(self, images) + 1)
    with pytest.raises(RuntimeError, match="kernel and the reference give an image other logits"):
        evaluate(config, parameters, data)


def test_of_bitwise_weights_the_first_planes_can_be_judged(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = parse_config(json.dumps(PLANES))
    Path("planes.json").write_text(json.dumps(PLANES))
    parameters = random_parameters(config, 1)
    save_parameters(tmp_path / "planes.safetensors", config, parameters)
    data = load_images(config, tmp_path, "test")
    right = {}
    for planes in (1, 2, 3):
        assert main(["evaluate", "planes.json", "--planes", str(planes), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        logits = network(config.at(planes), parameters.at(planes), data.images)
        assert found["correct"] == int((classify(logits) == data.labels).sum())
        assert found["planes"] == planes
        right[planes] = found["correct"]
        assert Path("build/evaluated").exists() == (planes == 3)  # the report is of all planes
    assert len(set(right.values())) > 1
    assert main(["evaluate", "planes.json", "--planes", "2"]) == 0
    assert f"{right[2]} of 360 test images right with 2 of 3 planes" in capsys.readouterr().out
    assert main(["evaluate", "planes.json", "--planes", "4"]) == 2
    rule = "--planes: must be at most 3 with these weights, not 4"
    assert rule in capsys.readouterr().err
    assert main(["evaluate", str(CONFIGS / "digits.json"), "--planes", "1"]) == 2
    rule = "--planes: must be left out with hidden weights, which have none, not 1"
    assert rule in capsys.readouterr().err
