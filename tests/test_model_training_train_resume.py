"""A training that was ended goes on as if it had not been."""

import errno
import random

import pytest
from tqdm import tqdm

from kakure.model.errors import Damaged, UserError
from kakure.model.training.trainer import Trainer
from tests.small_training import CPU, FAST, RECIPE, bars, config, run, same


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
