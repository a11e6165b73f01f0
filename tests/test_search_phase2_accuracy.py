from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import kakure.search.phase2.accuracy
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.reference.network import classify, network
from kakure.model.training.network import IntegerNetwork, as_tensor
from kakure.model.training.recipe import recipe_for
from kakure.model.training.trainer import Trainer
from kakure.search.phase2.accuracy import Measured, Tuning, accuracy_task, measure, trainer_at
from kakure.search.phase2.start import Start, train_start

HERE = Path(__file__).resolve().parent
RECIPE = replace(recipe_for("digits"), epochs=2)
SHORT = Tuning(epochs=1, images=128, held=100)


def config(*bits: tuple[int, int], channels: int = 6) -> Config:
    """A small network for the digits, its layers at these (adc_bits, input_bits)."""
    tile = {"engine": "crossbar", "column_sharing": 2, "adc_type": "flash"}
    conv = {"kind": "conv", "kernel": 3, "pool": 2, "channels": channels}
    layers = [{**conv, **tile}, {"kind": "linear", "channels": 10, **tile}]
    for layer, (adc_bits, input_bits) in zip(layers, bits, strict=True):
        layer |= {"adc_bits": adc_bits, "input_bits": input_bits}
    crossbar = {"rows": 32, "columns": 16}
    weights = {"kind": "hidden"}
    data = {"name": "small", "dataset": "digits", "weights": weights, "crossbar": crossbar}
    return Config.model_validate({**data, "layers": layers})


FIRST = config((5, 4), (5, 4))


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "seed1.pt"
    return train_start(FIRST, HERE, RECIPE, seed=1, checkpoint=path)


@pytest.mark.parametrize("bits", [((5, 4), (5, 4)), ((2, 3), (3, 2)), ((1, 1), (2, 1))])
def test_what_is_counted_is_what_the_reference_says(start, bits):
    chosen = config(*bits)
    found = measure(chosen, start, Tuning(epochs=1, images=128), seed=1)
    trainer = trainer_at(chosen, start, Tuning(), 1)
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    parameters = found.parameters(chosen)
    logits = network(chosen, parameters, images)
    assert found.count == len(images) == 206
    assert found.correct == int((classify(logits) == trainer.held_labels.numpy()).sum())
    fast = IntegerNetwork(chosen, parameters)(as_tensor(images))
    assert (fast.numpy() == logits).all()


def test_the_start_itself_loses_nothing(start):
    trainer = trainer_at(FIRST, start, Tuning(), 1)
    correct, entropy = trainer.network.eval() and trainer.validate()
    found = measure(FIRST, start, Tuning(epochs=0), seed=1)
    assert (found.correct, found.entropy, found.epoch) == (correct, entropy, 0)
    tuned = measure(FIRST, start, SHORT, seed=1)
    at_first = measure(FIRST, start, replace(SHORT, epochs=0), seed=1)
    assert tuned.correct >= at_first.correct


def test_the_network_before_tuning_is_the_trained_one_with_new_statistics(start, tmp_path):
    path = tmp_path / "seed1.pt"
    train_start(FIRST, HERE, RECIPE, seed=1, checkpoint=path)
    best = torch.load(path, weights_only=True)["best"]
    found = measure(FIRST, start, Tuning(epochs=0), seed=1)
    assert (found.correct, found.entropy) == (best["correct"], best["loss"])
    coarse = config((2, 2), (2, 2))
    data = Trainer(coarse, start.images, RECIPE, seed=5, device=torch.device("cpu"))
    data.network.load_state_dict(best["state"])
    data.network.eval()
    stale = data.validate()
    data.network.reestimate(data.images.split(RECIPE.batch_size))
    found = measure(coarse, start, Tuning(epochs=0), seed=1)
    assert (found.correct, found.entropy) == data.validate() != stale


def test_fine_tuning_stays_where_it_helps_and_only_there(start):
    bare = measure(FIRST, start, Tuning(epochs=0), seed=1)
    tuned = measure(FIRST, start, Tuning(epochs=3, learning_rate=0.1), seed=1)
    assert tuned.epoch == 3 and tuned.correct > bare.correct
    spoilt = measure(FIRST, start, Tuning(epochs=1, learning_rate=1e4), seed=1)
    assert (spoilt.epoch, spoilt.correct, spoilt.entropy) == (0, bare.correct, bare.entropy)


def test_no_lucky_epoch_is_looked_for(start, monkeypatch):
    seen = []

    def validated(self):
        seen.append(self.epoch)
        return Trainer.validate(self)

    class Watched(Trainer):
        validate = validated

    monkeypatch.setattr(kakure.search.phase2.accuracy, "Trainer", Watched)
    measure(config((4, 4), (4, 4)), start, replace(SHORT, epochs=3), seed=1)
    assert seen == [0, 3]  # before the fine-tuning, and after it


def test_a_seed_decides_everything_whatever_the_threads(start, monkeypatch):
    coarse = config((3, 2), (3, 3))
    threads, seen = torch.get_num_threads(), []

    def recorded(*args):
        seen.append(torch.get_num_threads())
        return trainer_at(*args)

    monkeypatch.setattr(kakure.search.phase2.accuracy, "trainer_at", recorded)
    found = measure(coarse, start, SHORT, seed=1)
    try:
        torch.set_num_threads(2)
        assert measure(coarse, start, SHORT, seed=1) == found
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert seen == [1, 1]
    assert measure(coarse, start, SHORT, seed=2).data != found.data


def test_no_held_out_image_is_trained_on(start):
    trainer = trainer_at(FIRST, start, Tuning(images=200, held=50), 1)
    assert (len(trainer.labels), len(trainer.held_labels)) == (200, 50)
    data = start.images
    first = trainer_at(FIRST, start, Tuning(), 7)  # another seed, the same split
    kept = {image.tobytes() for image in first.held_images.numpy()}
    assert {image.tobytes() for image in trainer.held_images.numpy()} <= kept
    assert len(first.labels) + len(first.held_labels) == len(data)
    both = np.concatenate([first.images.numpy(), first.held_images.numpy()])
    rows = sorted(image.tobytes() for image in both)
    assert rows == sorted(image.tobytes() for image in as_tensor(data.images).numpy())
    unique = {image.tobytes() for image in trainer.images.numpy()}
    assert not unique & kept


def test_the_task_names_what_decides_its_outcome(start):
    task = accuracy_task(FIRST, start, SHORT, seed=1)
    outcome = task.function(**task.arguments)
    assert Measured.of(outcome) == measure(FIRST, start, SHORT, seed=1)
    others = [
        accuracy_task(config((4, 4), (5, 4)), start, SHORT, seed=1),
        accuracy_task(FIRST, start, replace(SHORT, epochs=2), seed=1),
        accuracy_task(FIRST, start, SHORT, seed=2),
        accuracy_task(FIRST, replace(start, recipe=replace(RECIPE, shift=0.0)), SHORT, seed=1),
    ]
    assert all(other.arguments != task.arguments for other in others)
    renamed = FIRST.model_copy(update={"name": "other"})
    assert accuracy_task(renamed, start, SHORT, seed=1).arguments == task.arguments
    data = FIRST.model_dump(mode="json")
    data["layers"][0] |= {"copies": 2, "column_sharing": 1, "adc_type": "flash"}
    assert data["layers"][0] != FIRST.model_dump(mode="json")["layers"][0]
    slower = FIRST.model_validate(data)
    assert accuracy_task(slower, start, SHORT, seed=1).arguments == task.arguments
    assert measure(slower, start, SHORT, seed=1) == Measured.of(outcome)


def test_a_finished_training_is_not_repeated(start, tmp_path):
    path = tmp_path / "seed1.pt"
    whole = train_start(FIRST, HERE, RECIPE, seed=1, checkpoint=path)
    before = path.stat().st_mtime_ns
    again = train_start(FIRST, HERE, RECIPE, seed=1, checkpoint=path)
    assert path.stat().st_mtime_ns == before
    assert whole.digest == again.digest == start.digest


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "seed1.pt"
    train_start(FIRST, HERE, replace(RECIPE, epochs=1), seed=1, checkpoint=path)
    with pytest.raises(UserError, match=r"must be of the configuration .*, not "):
        Start.of_checkpoint(path, config((4, 4), (5, 4)), HERE, RECIPE)
    path.write_bytes(b"nonsense")
    with pytest.raises(UserError, match="is no checkpoint of a training"):
        Start.of_checkpoint(path, FIRST, HERE, RECIPE)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"epochs": -1}, "tuning epochs: must be at least 0, not -1"),
        ({"images": 1}, "tuning images: must be at least 2, not 1"),
        ({"held": 0}, "tuning held: must be at least 2, not 0"),
    ],
)
def test_a_tuning_that_cannot_be_is_refused(values, line):
    with pytest.raises(UserError, match=line):
        Tuning(**values)
