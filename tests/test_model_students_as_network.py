"""A linear student is a network: the same scores, at every number of planes, in hardware too."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.reference.network import classify, network
from kakure.model.students.as_network import affine_of, linear_network
from kakure.model.students.distillation import pixels
from kakure.model.students.linear import LINEAR
from kakure.model.students.student import one_hot
from kakure.search.commands.kakure import main
from kakure.search.studies import student as student_study
from kakure.sim.drivers.core import run_core

ROOT = Path(__file__).parents[1]


def teacher(shape=(3, 4, 2), classes=4):
    """Only its images, classes and name count."""
    layer = {"kind": "linear", "channels": classes, "engine": "pe_array", "input_bits": 4}
    return parse_config(
        json.dumps({
            "name": "t",
            "dataset": "images",
            "input_shape": shape,
            "weights": {"kind": "hidden"},
            "layers": [layer],
        })
    )


def drawn(config, count=60):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (count, *config.shape)).astype(np.uint8)
    return LabelledImages(images, rng.integers(0, 4, count))


def test_scores_are_those_of_the_student():
    config, data = teacher(), drawn(teacher())
    rng = np.random.default_rng(2)
    weights, bias = rng.normal(size=(4, 24)) * [[1], [0.01], [5], [0]], rng.normal(size=4)
    made, parameters = linear_network(weights, bias, config, data)
    assert made.name == "t-student" and made.shape == config.shape
    scores = pixels(data.images) @ weights.T + bias
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    for planes, most in ((8, 0.02), (4, 0.3), (1, 3.0)):
        there, used = made.at(planes), parameters.at(planes)
        logits = network(there, used, data.images) / scale
        error = np.abs(logits - scores)
        assert error.max() < most * np.abs(weights).max() and error[:, 3].max() < 1e-3
    # Each class has a reach of its own: rows are (channel, y, x).
    rows = weights.reshape(4, 3, 4, 2).transpose(3, 1, 2, 0).reshape(24, 4)[:, :3]
    reach = np.abs(rows).max(0)
    found = parameters.layers[0].weights(made, made.geometry[0])[:, :3] * reach / 256
    assert (np.abs(found - rows) <= reach / 255).all()


def test_its_hardware_gives_the_same_logits():
    config, data = teacher((2, 2, 1), 3), drawn(teacher((2, 2, 1), 3), 5)
    weights = np.random.default_rng(3).normal(size=(3, 4))
    made, parameters = linear_network(weights, np.zeros(3), config, data, bits=3)
    architecture = architecture_of(made)
    deadline = 500 + architecture.loading_cycles(parameters) + architecture.timing(5).results[-1]
    for planes in (1, 3):
        run = run_core(
            made, parameters, data.images, tried=1 << (planes - 1), deadline=4 * deadline
        )
        expected = network(made.at(planes), parameters.at(planes), data.images)
        assert (run.logits == expected).all()


def test_a_student_is_probed_for_what_it_is():
    data = drawn(teacher())
    x, targets = pixels(data.images), one_hot(data.labels, 4)
    weights, bias = affine_of(LINEAR.regress(x, targets, 1.0, 1), 24)
    assert np.allclose(x @ weights.T + bias, LINEAR.regress(x, targets, 1.0, 1)(x), atol=1e-5)
    tree = DecisionTreeRegressor(random_state=1).fit(x, targets)
    with pytest.raises(UserError, match="student: must be linear in the pixels"):
        affine_of(tree.predict, 24)


def test_what_is_written_gets_right_what_is_said(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- student digits -->\n<!-- end student digits -->\n")
    command = ["study", "student", str(ROOT / "configs" / "digits.json"), "--page", str(page)]
    assert main([*command, "--output", str(tmp_path / "out")]) == 0
    config = load_config(tmp_path / "out" / "digits-student.json")
    parameters = load_parameters(tmp_path / "out" / "digits-student.safetensors", config)
    data = load_images(config, tmp_path, "test")
    for planes in (2, 8):
        logits = network(config.at(planes), parameters.at(planes), data.images)
        right = int((classify(logits) == data.labels).sum())
        interval = architecture_of(config.at(planes)).timing(3).interval
        assert f"planes | {planes} | {right / 3.6:.2f} | {interval} |" in page.read_text()
    assert right > 330
    assert parameters.metadata["config"] == config.digest
    assert parameters.metadata["student of"] == load_config(ROOT / "configs" / "digits.json").digest


def test_the_best_on_held_out_images_is_taken(tmp_path, monkeypatch, capsys):
    asked = []

    def judged(student, data):
        asked.append(len(data))
        return float(len(asked) == 4)

    monkeypatch.setattr(student_study, "accuracy", judged)
    path = ROOT / "configs" / "digits.json"
    assert main(["study", "student", str(path), "--output", str(tmp_path)]) == 0
    assert "learnt from temperature 4, 1." in capsys.readouterr().out
    assert asked == [206] * 15 + [360]  # held-out images, and at the end the test images


def test_what_is_not_trained_teaches_nothing(tmp_path, capsys):
    path = tmp_path / "t.json"
    path.write_text(teacher().model_dump_json(exclude_none=True))
    assert main(["study", "student", str(path)]) == 2
    assert "parameters: is required" in capsys.readouterr().err
