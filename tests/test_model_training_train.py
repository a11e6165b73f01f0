import dataclasses
import errno
import json
import random

import numpy as np
import pytest
import torch
from tqdm import tqdm

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import METHODS, RIVALS
from kakure.model.errors import Damaged, UserError
from kakure.model.provenance import array_digest, sources, tools
from kakure.model.reference import network as network_reference
from kakure.model.training.device import pick_device
from kakure.model.training.recipe import Recipe
from kakure.model.training.teacher import Teacher, load_teacher, save_teacher
from kakure.model.training.train import train
from kakure.model.training.trainer import Trainer

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch_size=16, shift=0.5, validation=4)
FAST = dataclasses.replace(
    RECIPE,
    shift=0.0,
    crop=1,
    cutout=2,
    mirror=True,
    method="agreeing",
    optimizer="muon",
    learning_rate=0.25,
    weight_decay=0.0,
    warm_up=0.2,
    norm_rate=0.02,
    gamma=2.0,
    codes=2.0,
    average=0.5,
    precision="auto",
)
"""Everything that a recipe can choose, at once."""


def config():
    data = json.loads(preset_json("digits"))
    data["layers"] = [data["layers"][0], data["layers"][2]]
    data["layers"][0]["channels"] = 8
    return parse_config(json.dumps(data))


def bars(count=120):
    """Images of one bright row each; the row says the class."""
    labels = np.arange(count) % 8
    images = np.random.default_rng(1).integers(0, 60, (count, 8, 8, 1)).astype(np.uint8)
    images[np.arange(count), labels] += 180
    return LabelledImages(images, labels.astype(np.int64))


def run(checkpoint=None, recipe=RECIPE, seed=1, fresh=False):
    return train(
        config(), bars(), recipe, seed=seed, device=CPU, checkpoint=checkpoint, fresh=fresh
    )


def same(a, b):
    return all(
        (p.mask == q.mask).all()
        and (p.multiplier == q.multiplier).all()
        and (p.offset == q.offset).all()
        and (p.shift == q.shift).all()
        for p, q in zip(a.parameters.layers, b.parameters.layers, strict=True)
    )


def test_training_learns_and_reports_the_integer_model():
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    result = run(recipe=dataclasses.replace(RECIPE, epochs=8))
    assert result.count == 30 and result.correct >= 27
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    logits = network_reference.network(config(), result.parameters, images)
    right = (network_reference.classify(logits) == trainer.held_labels.numpy()).sum()
    assert right == result.correct


def test_every_choice_together_learns(monkeypatch):
    """In bfloat16 where the processor has it; judged by the integers of the average."""
    result = run(recipe=dataclasses.replace(FAST, epochs=8, mirror=False, crop=0, cutout=0))
    assert result.count == 30 and result.correct >= 27
    trainer = Trainer(config(), bars(), FAST, seed=1, device=CPU)
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    logits = network_reference.network(config(), result.parameters, images)
    right = (network_reference.classify(logits) == trainer.held_labels.numpy()).sum()
    assert right == result.correct


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_methods_and_optimizers_learn(method, optimizer):
    rate = {"sgd": 0.1, "muon": 0.25}[optimizer]
    if method == "agreeing" and optimizer == "sgd":
        rate = 1.0
    recipe = dataclasses.replace(RECIPE, epochs=12, shift=0.0, method=method)
    recipe = dataclasses.replace(recipe, optimizer=optimizer, learning_rate=rate, norm_rate=0.02)
    assert run(recipe=recipe).correct >= 24  # of 30


def test_without_held_out_images_the_last_epoch_is_exported(tmp_path):
    recipe = dataclasses.replace(RECIPE, validation=0)
    result = run(recipe=recipe)
    assert (result.epoch, result.correct, result.count, result.warnings) == (3, 0, 0, ())
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    assert len(trainer.labels) == 120
    with tqdm(disable=True) as bar:
        for _ in range(3):
            trainer.descend(bar)
    trainer.reestimate()
    assert all(
        (layer.mask == trained.weights.masks[0].numpy()).all()
        for layer, trained in zip(result.parameters.layers, trainer.network.layers, strict=True)
    )


def test_density_is_kept():
    for layer in run().parameters.layers:
        assert layer.mask.sum() == round(layer.mask.size * 0.5)


def test_a_seed_repeats_a_run():
    assert same(run(), run())
    assert not same(run(), run(seed=2))


def interrupted(path, monkeypatch, after, recipe=RECIPE):
    """A run that is stopped right after the checkpoint of epoch ``after``."""
    save = Trainer.save

    def save_then_stop(self, path):
        save(self, path)
        if self.epoch == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            run(path, recipe)


@pytest.mark.parametrize("recipe", [RECIPE, FAST], ids=["plain", "fast"])
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_run_resumes_exactly(tmp_path, monkeypatch, after, recipe):
    path = tmp_path / "deep" / "run.pt"
    interrupted(path, monkeypatch, after, recipe)
    assert [p.name for p in path.parent.iterdir()] == ["run.pt"]
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    trainer.load(path)
    assert trainer.epoch == after == len(trainer.history)
    resumed, whole = run(path, recipe), run(recipe=recipe)
    assert same(resumed, whole)
    assert (resumed.epoch, resumed.correct, resumed.loss) == (
        whole.epoch,
        whole.correct,
        whole.loss,
    )


def test_interrupting_within_an_epoch_loses_only_that_epoch(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    interrupted(path, monkeypatch, 1)
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.load(path)
    trainer.run_epoch(tqdm(disable=True))  # not saved
    assert same(run(path), run())


def test_a_checkpoint_of_another_run(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    interrupted(path, monkeypatch, 1)
    with pytest.raises(UserError, match="seed must be 2 to resume, not 1; remove it, or train"):
        run(path, seed=2)
    assert same(run(path, seed=2, fresh=True), run(seed=2))


@pytest.mark.parametrize("size", [0, 10, 2000])
def test_a_checkpoint_that_was_cut_off_is_named_and_not_used(tmp_path, monkeypatch, capsys, size):
    path = tmp_path / "run.pt"
    interrupted(path, monkeypatch, 1)
    path.write_bytes(path.read_bytes()[:size])
    assert same(run(path), run())
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: is damaged") and line.endswith("the training starts anew")


def test_no_flipped_byte_of_a_checkpoint_is_used(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    interrupted(path, monkeypatch, 1)
    whole = path.read_bytes()
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.load(path)
    draw = random.Random(1)
    for place in [0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(200))]:
        damaged = bytearray(whole)
        damaged[place] ^= draw.randrange(1, 256)
        path.write_bytes(damaged)
        with pytest.raises(Damaged, match="is damaged: its checksum"):
            trainer.load(path)


@pytest.mark.parametrize("name", ["sources", "tools", "images"])
def test_a_checkpoint_of_other_sources_tools_or_images_is_not_used(tmp_path, monkeypatch, name):
    path = tmp_path / "run.pt"
    with monkeypatch.context() as other:
        made = Trainer.__init__

        def changed(self, *args, **options):
            made(self, *args, **options)
            self.options[name] = "others"

        other.setattr(Trainer, "__init__", changed)
        interrupted(path, other, 1)
    with pytest.raises(UserError, match=f"{name} must be .* to resume, not 'others'"):
        run(path)


def test_parameters_say_what_made_them():
    metadata = run().parameters.metadata
    assert metadata["sources"] == sources("kakure.model.training.trainer")
    assert json.loads(metadata["tools"]) == tools("numpy", "torch")
    assert metadata["images"] == array_digest(bars().images, bars().labels)


def test_too_few_images():
    with pytest.raises(UserError, match="must hold at least 3 images, not 2"):
        train(config(), bars(2), RECIPE, seed=1, device=CPU)


def test_a_training_that_learned_has_no_warnings():
    assert run(recipe=dataclasses.replace(RECIPE, epochs=8)).warnings == ()


def test_a_training_at_chance_says_so(monkeypatch):
    monkeypatch.setattr(Trainer, "validate", lambda self: (4, 2.3))
    (warning,) = run().warnings
    assert warning == ("at chance: 4 of 30 validation images right cannot be told from guessing")


@pytest.mark.parametrize("rate", [1e30, 1e38])
def test_a_training_that_diverges_at_once_keeps_what_was_before_it(rate):
    result = run(recipe=dataclasses.replace(RECIPE, learning_rate=rate))
    first = result.warnings[0]
    assert first.startswith("diverged in epoch 1; epoch 0 is kept; try a learning rate below 1e+3")
    assert result.epoch == 0 and np.isfinite(result.loss)
    for layer, before in zip(
        result.parameters.layers,
        Trainer(config(), bars(), RECIPE, seed=1, device=CPU).network.layers,
        strict=True,
    ):
        assert (layer.mask == before.weights.masks[0].numpy()).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_training_that_diverges_later_keeps_the_best_epoch_before(tmp_path, monkeypatch, value):
    path = tmp_path / "run.pt"
    run_epoch = Trainer.run_epoch

    def spoilt(self, bar):
        if self.epoch == 2:
            with torch.no_grad():
                self.network.layers[0].norm.weight[0] = value
        run_epoch(self, bar)

    monkeypatch.setattr(Trainer, "run_epoch", spoilt)
    result = run(path)
    assert result.epoch in (1, 2) and result.warnings[0].startswith("diverged in epoch 3; epoch ")
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.load(path)
    assert trainer.epoch == 2  # what diverged is not what a later command goes on from


def test_a_training_on_all_images_that_diverges_estimates_what_it_keeps():
    recipe = dataclasses.replace(RECIPE, validation=0)
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    masks = [layer.weights.masks[0] for layer in trainer.network.layers]
    with torch.no_grad():
        trainer.network.layers[0].norm.weight[0] = float("nan")
    trainer.run_epoch(tqdm(disable=True))
    assert trainer.is_diverged and trainer.best["epoch"] == 1
    kept = trainer.best["state"]
    trainer.network.load_state_dict(kept)
    assert all(
        (layer.weights.masks[0] == mask).all()
        for layer, mask in zip(trainer.network.layers, masks, strict=True)
    )
    trainer.reestimate()  # of the same masks: nothing changes
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, kept[name]), name


def test_a_loss_that_rises_is_called_divergence(monkeypatch):
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    trainer.history.append(trainer.history[0] | {"train_loss": 50.0})
    assert trainer.result().warnings[0].startswith("diverged: the loss rose from ")
    trainer.history[-1]["train_loss"] = 0.5
    assert not [line for line in trainer.result().warnings if "diverged" in line]


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    interrupted(path, monkeypatch, 1)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "write_bytes", full)
        with pytest.raises(UserError) as error:
            run(path)
    assert str(error.value) == (
        f"{path}: cannot be written: No space left on device; the same command goes on after the "
        "last epoch"
    )
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    assert same(run(path), run())


def test_the_best_epoch_is_exported(monkeypatch):
    scores = iter([(20, 0.5), (25, 0.9), (25, 0.7)])
    monkeypatch.setattr(Trainer, "validate", lambda self: next(scores))
    result = run()
    assert (result.epoch, result.correct, result.loss) == (3, 25, 0.7)
    scores = iter([(25, 0.5), (25, 0.9), (20, 0.1)])
    assert run().epoch == 1


def test_statistics_are_those_of_the_masks_that_are_exported():
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    found = {name: value.clone() for name, value in trainer.network.named_buffers()}
    trainer.network.reestimate(trainer.images.split(RECIPE.batch_size))
    for name, value in trainer.network.named_buffers():
        assert torch.equal(found[name], value)


def test_a_device_that_is_not_there():
    assert pick_device("cpu") == CPU
    for name in ("tape", "meta", "cuda:99", "vulkan", "", "a\x1b" * 999):
        with pytest.raises(UserError, match="--device: must be usable here, not '") as error:
            pick_device(name)
        assert str(error.value).isprintable() and len(str(error.value)) < 350


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
    teacher = load_teacher(path, CPU)
    assert teacher.validation == "29/30" and len(teacher.digest) == 64
    for name, value in trainer.best["state"].items():
        assert (teacher.network.state_dict()[name] == value).all()
    student = Trainer(config(), bars(), RECIPE, seed=1, device=CPU, teacher=teacher)
    student.save(tmp_path / "student.pt")
    with pytest.raises(UserError, match="teacher must be None to resume, not"):
        run(tmp_path / "student.pt")


def test_what_is_no_teacher_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none: --teacher: must be an existing file"):
        load_teacher(tmp_path / "none", CPU)
    path = tmp_path / "text"
    path.write_text("{}")
    with pytest.raises(UserError, match=r"text: --teacher: must be a teacher; kakure train CONFIG"):
        load_teacher(path, CPU)
