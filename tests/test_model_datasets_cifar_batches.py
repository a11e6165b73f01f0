import json
import os
import pickle

import numpy as np
import pytest

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.datasets import cifar_batches
from kakure.model.datasets.cifar_batches import BATCHES, cifar_folder, is_cifar
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError

COUNT = 20


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(cifar_batches, "COUNT", COUNT)


def drawn(name):
    """Pixels as planes, and labels, of a batch."""
    rng = np.random.default_rng(len(name) * 7 + ord(name[-1]))
    pixels = rng.integers(0, 256, (COUNT, 3072)).astype(np.uint8)
    return pixels, [int(n) for n in rng.integers(0, 10, COUNT)]


def write(folder, *, binary, protocol=2):
    folder.mkdir(exist_ok=True)
    for name in (*BATCHES["train"], *BATCHES["test"]):
        pixels, labels = drawn(name)
        if binary:
            records = np.concatenate([np.array(labels, np.uint8)[:, None], pixels], axis=1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            batch = {b"batch_label": b"one", b"labels": labels, b"data": pixels, b"filenames": []}
            (folder / name).write_bytes(pickle.dumps(batch, protocol))
    return folder


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("split", ["train", "test"])
def test_both_versions_are_the_same_images(tmp_path, binary, split):
    folder = write(tmp_path / "batches", binary=binary)
    assert is_cifar(folder)
    data = cifar_folder(folder, split)
    parts = [drawn(name) for name in BATCHES[split]]
    assert data.labels.tolist() == [label for _, labels in parts for label in labels]
    pixels = np.concatenate([pixels for pixels, _ in parts])
    assert data.images.shape == (len(pixels), 32, 32, 3)
    # A plane of red, then green, then blue, each row by row.
    assert (data.images[:, 1, 2, :] == pixels[:, [34, 34 + 1024, 34 + 2048]]).all()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_configuration_may_name_their_folder(tmp_path, protocol):
    write(tmp_path / "mine", binary=False, protocol=protocol)
    shape = {"dataset": "mine", "input_shape": [32, 32, 3]}
    config = parse_config(json.dumps(json.loads(preset_json("fashion-mnist")) | shape))
    assert len(load_images(config, tmp_path, "train")) == 5 * COUNT
    assert len(load_images(config, tmp_path, "test")) == COUNT


class Bad:
    """What a pickle must not do here."""

    def __reduce__(self):
        return os.mkdir, ("made",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps(Bad()), "it holds"),
        (b"", "must be a batch of CIFAR-10's Python version"),
        (b"\x80\x02]", "must be a batch of CIFAR-10's Python version"),
        (pickle.dumps([1]), "must be a batch of CIFAR-10's Python version"),
        (pickle.dumps({b"data": np.zeros((3, 3072), np.uint8), b"labels": [0]}), "must hold 20 im"),
        (
            pickle.dumps({b"data": np.zeros((20, 3072)), b"labels": [0] * 20}),
            "must hold 20 images of 3072 bytes with their labels, not float64",
        ),
    ],
)
def test_what_is_no_batch_is_refused_and_never_run(tmp_path, monkeypatch, content, reason):
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "batches", binary=False)
    (folder / "test_batch").write_bytes(content)
    with pytest.raises(UserError, match=reason) as caught:
        cifar_folder(folder, "test")
    assert str(caught.value).startswith(f"{folder / 'test_batch'}: ")
    assert not (tmp_path / "made").exists()


def test_a_batch_that_is_missing_is_named(tmp_path):
    folder = write(tmp_path / "batches", binary=True)
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(UserError, match=r"hold data_batch_3\.bin, or data_batch_3, of CIFAR-10"):
        cifar_folder(folder, "train")
    (folder / "test_batch.bin").write_bytes(b"123")
    with pytest.raises(UserError, match=r"test_batch.bin: must hold 61460 bytes, not 3"):
        cifar_folder(folder, "test")


def test_both_versions_of_a_batch_must_not_differ(tmp_path):
    folder = write(write(tmp_path / "mine", binary=True), binary=False)
    assert len(cifar_folder(folder, "test")) == COUNT
    path = folder / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(UserError) as error:
        cifar_folder(folder, "test")
    line = f"{folder}: must hold test_batch.bin or test_batch, not both, which differ"
    assert str(error.value) == line


def test_batches_beside_idx_files_are_refused(tmp_path):
    (write(tmp_path / "mine", binary=True) / "t10k-images-idx3-ubyte.gz").touch()
    data = json.loads(preset_json("fashion-mnist"))
    data |= {"dataset": "mine", "input_shape": [32, 32, 3]}
    with pytest.raises(UserError, match="mine: must hold batches of CIFAR-10 or idx files, not bo"):
        load_images(parse_config(json.dumps(data)), tmp_path, "test")
