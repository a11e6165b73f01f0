"""Rivals, and networks that are taught by them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import RIVALS
from kakure.model.errors import UserError
from kakure.model.training.teacher import Teacher, load_teacher, save_teacher
from kakure.model.training.trainer import Trainer
from tests.small_training import CPU, FAST, RECIPE, bars, config, run

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@pytest.mark.parametrize("method", RIVALS)
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_rivals_learn_and_are_not_exported(method, precision):
    recipe = dataclasses.replace(FAST, epochs=8, mirror=False, crop=0, cutout=0, method=method)
    recipe = dataclasses.replace(recipe, precision=precision)
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    with tqdm(disable=True) as bar:
        for _ in range(recipe.epochs):
            trainer.run_epoch(bar)
    assert trainer.best["correct"] >= 27
    if method == "binary":
        kernel = trainer.judged.layers[0].weights.exact_kernel()
        assert set(kernel.unique().tolist()) == {-1.0, 1.0}
    with pytest.raises(UserError, match="method: must be one that finds a supermask"):
        trainer.result()


def test_a_teacher_is_followed():
    """Labels say nothing here: only the teacher knows."""
    whole = bars()
    taught = Trainer(config(), whole, dataclasses.replace(RECIPE, epochs=8), seed=1, device=CPU)
    with tqdm(disable=True) as bar:
        for _ in range(8):
            taught.run_epoch(bar)
    images = LabelledImages(whole.images, np.zeros(len(whole), np.int64))
    recipe = dataclasses.replace(RECIPE, epochs=12, distillation=1.0, temperature=2.0)
    trainer = Trainer(
        config(),
        images,
        recipe,
        seed=2,
        device=CPU,
        teacher=Teacher(taught.network, "its digest", "all"),
    )
    with tqdm(disable=True) as bar:
        for _ in range(12):
            trainer.run_epoch(bar)
    trainer.held_images, trainer.held_labels = taught.held_images, taught.held_labels
    assert trainer.validate()[0] >= 24  # of 30


def test_a_teacher_comes_back_from_its_file(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=2, method="float", optimizer="muon")
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    with tqdm(disable=True) as bar:
        for _ in range(2):
            trainer.run_epoch(bar)
    path = tmp_path / "teacher.safetensors"
    save_teacher(path, config(), recipe, trainer.best["state"], {"validation": "29/30"})
    teacher = load_teacher(path, config(), CPU)
    assert teacher.validation == "29/30" and len(teacher.digest) == 64
    for name, value in trainer.best["state"].items():
        assert (teacher.network.state_dict()[name] == value).all()
    student = Trainer(config(), bars(), RECIPE, seed=1, device=CPU, teacher=teacher)
    student.save(tmp_path / "student.pt")
    with pytest.raises(UserError, match="teacher must be None to resume, not"):
        run(tmp_path / "student.pt")


def test_what_is_no_teacher_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none: --teacher: must be an existing file"):
        load_teacher(tmp_path / "none", config(), CPU)
    path = tmp_path / "text"
    path.write_text("{}")
    with pytest.raises(UserError, match=r"text: --teacher: must be a teacher; kakure train CONFIG"):
        load_teacher(path, config(), CPU)


def test_parameters_are_no_teacher():
    """Their metadata has a configuration as well, but only its digest."""
    path = CONFIGS / "digits.safetensors"
    with pytest.raises(UserError) as error:
        load_teacher(path, config(), CPU)
    assert str(error.value) == (
        f"{path}: --teacher: must be a teacher; kakure train CONFIG --with method=float "
        "--output FILE writes one"
    )


def test_a_teacher_of_other_classes_is_refused(tmp_path):
    recipe = dataclasses.replace(RECIPE, method="float")
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    path = tmp_path / "teacher.safetensors"
    save_teacher(path, config(), recipe, trainer.untrained, {})
    first, last = config().layers
    more = config().changed(layers=(first, last.changed(channels=12)))
    with pytest.raises(UserError) as error:
        load_teacher(path, more, CPU)
    assert str(error.value) == (
        f"{path}: --teacher: must be a teacher of 8 x 8 x 1 pixels, 12 classes, as the "
        "configuration, not 8 x 8 x 1 pixels, 10 classes"
    )


def test_a_damaged_teacher_is_refused(tmp_path):
    recipe = dataclasses.replace(RECIPE, method="float")
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    path = tmp_path / "teacher.safetensors"
    save_teacher(path, config(), recipe, trainer.untrained, {})
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="--teacher: is damaged: its checksum does not match"):
        load_teacher(path, config(), CPU)
