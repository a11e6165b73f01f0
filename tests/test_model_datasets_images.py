import gzip
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset, preset_json
from kakure.model.datasets import idx as idx_files
from kakure.model.datasets.idx import IDX_FILES, read_idx
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import Split, systematic
from kakure.model.errors import UserError


def idx(array):
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def folder_config(folder, shape=(6, 5, 1), classes=10):
    data = json.loads(preset_json("digits"))
    data |= {"dataset": folder, "input_shape": shape}
    data["layers"] = [
        {"kind": "linear", "channels": classes, "engine": "pe_array", "input_bits": 4}
    ]
    return parse_config(json.dumps(data))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "mine"
    path.mkdir()
    for (images, labels), count in zip(IDX_FILES.values(), (7, 4), strict=True):
        (path / images).write_bytes(idx(rng.integers(0, 256, (count, 6, 5)).astype(np.uint8)))
        (path / labels).write_bytes(idx((np.arange(count) % 10).astype(np.uint8)))
    return path


def fails(folder, split: Split = "test", **changes):
    with pytest.raises(UserError) as error:
        load_images(folder_config("mine", **changes), folder.parent, split)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_digits_split():
    config = preset("digits")
    train, test = (load_images(config, Path(), split) for split in ("train", "test"))
    assert (len(train), len(test)) == (1437, 360)
    assert train.images.dtype == np.uint8 and train.images.shape[1:] == (8, 8, 1)
    assert train.images.max() == 255 and set(np.unique(train.images)) <= {*range(0, 256, 16), 255}
    counts = np.bincount(test.labels)
    assert counts.min() >= 34 and counts.max() <= 37
    # Reported accuracies belong to these 360 images.
    assert hashlib.sha256(test.images.tobytes()).hexdigest().startswith("eed24edd0ebe4afb")


def test_systematic_is_stratified_and_seeded():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    chosen = systematic(labels, 10, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [5, 3, 2]
    assert (chosen == systematic(labels, 10, seed=1)).all()
    assert (chosen != systematic(labels, 10, seed=2)).any()


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files(folder, packed):
    if packed:
        for path in list(folder.iterdir()):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    data = load_images(folder_config("mine"), folder.parent, "train")
    assert data.images.shape == (7, 6, 5, 1)
    first = np.random.default_rng(1).integers(0, 256, (7, 6, 5)).astype(np.uint8)
    assert (data.images[..., 0] == first).all()
    assert data.labels.tolist() == list(range(7)) and data.labels.dtype == np.int64
    data.images[0] = 0  # torch wants arrays that can be written


def test_a_folder_of_colour_images(folder):
    colour = np.arange(4 * 6 * 5 * 3, dtype=np.uint8).reshape(4, 6, 5, 3)
    (folder / IDX_FILES["test"][0]).write_bytes(idx(colour))
    data = load_images(folder_config("mine", shape=(6, 5, 3)), folder.parent, "test")
    assert (data.images == colour).all()


@pytest.mark.parametrize("packed", [False, True])
def test_colour_images_under_their_natural_name(folder, packed):
    colour = np.arange(4 * 6 * 5 * 3, dtype=np.uint8).reshape(4, 6, 5, 3)
    natural = folder / ("t10k-images-idx4-ubyte" + (".gz" if packed else ""))
    natural.write_bytes(gzip.compress(idx(colour)) if packed else idx(colour))
    assert fails(folder, shape=(6, 5, 3)) == (
        f"{folder}: must hold t10k-images-idx3-ubyte or t10k-images-idx4-ubyte, not both"
    )
    (folder / IDX_FILES["test"][0]).unlink()
    data = load_images(folder_config("mine", shape=(6, 5, 3)), folder.parent, "test")
    assert (data.images == colour).all()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_little_endian_headers_are_named(folder, whole, packed):
    path = folder / "t10k-images-idx3-ubyte"
    data = path.read_bytes()
    magic = bytes([3, 8, 0, 0]) if whole else data[:4]
    swapped = magic + b"".join(data[at : at + 4][::-1] for at in (4, 8, 12)) + data[16:]
    path.write_bytes(swapped)
    if packed:
        path.unlink()
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress(swapped))
    assert fails(folder) == (
        f"{path}: must have its header in big-endian byte order, not little-endian, 03 08 00 00"
        if whole
        else f"{path}: must have its shape 4 x 6 x 5 in big-endian byte order, not little-endian"
    )


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"])
def test_images_from_a_pipe_are_refused_at_once(folder, name):
    (folder / name.removesuffix(".gz")).unlink()
    os.mkfifo(folder / name)
    assert fails(folder) == f"{folder / name}: cannot be read: must be an ordinary file, not a pipe"


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_images_to_train(folder, count):
    images, labels = (folder / name for name in IDX_FILES["train"])
    images.write_bytes(idx(np.zeros((count, 6, 5), np.uint8)))
    labels.write_bytes(idx(np.zeros(count, np.uint8)))
    assert fails(folder, "train") == (
        f"{folder}: must hold at least 3 training images, not {count}"
    )


def test_labels_that_start_at_1(folder):
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(np.array([1, 2, 3, 10], np.uint8)))
    assert fails(folder) == (
        f"{folder}: labels must be below 10, the outputs of the last layer, for labels start at 0, "
        "not 1 to 10"
    )


def test_missing_folder(folder):
    with pytest.raises(UserError, match="none: dataset: must be an existing folder of idx files"):
        load_images(folder_config("none"), folder.parent, "test")


def test_missing_file(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert fails(folder) == (
        f"{folder}: must hold t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz"
    )


def test_truncated_file(folder):
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert fails(folder) == f"{path}: must hold 136 bytes for its shape 4 x 6 x 5, not 135"
    path.write_bytes(path.read_bytes()[:10])
    assert "not 10" in fails(folder)
    path.write_bytes(b"")
    assert fails(folder).endswith("not nothing")


def test_damaged_gzip(folder):
    path = folder / "t10k-images-idx3-ubyte"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    for damage in (packed[:-20], packed[:12] + b"\xff\xff" + packed[14:], b"no gzip"):
        (folder / f"{path.name}.gz").write_bytes(damage)
        assert ".gz: cannot be read:" in fails(folder)


def test_foreign_file(folder):
    (folder / "t10k-images-idx3-ubyte").write_bytes(b"\x89PNG123")
    assert "must start with the idx header 00 00 08 of unsigned bytes, not 89 50 4e 47" in fails(
        folder
    )


def test_wrong_shape(folder):
    assert fails(folder, shape=(5, 6, 1)).endswith(
        "images must be 5 x 6 x 1 as in the configuration, not 6 x 5 x 1"
    )


def test_labels_and_images_differ_in_number(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8)))
    assert fails(folder).endswith("must hold one label for each of 4 images, not 3")


def test_a_label_without_an_output(folder):
    assert fails(folder, classes=3).endswith(
        "labels must be below 3, the outputs of the last layer, not 3"
    )


def test_no_images(folder):
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 6, 5), np.uint8)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(0, np.uint8)))
    assert fails(folder).endswith("must hold at least one test image, not 0")


def test_images_of_the_wrong_rank(folder):
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros(4, np.uint8)))
    assert fails(folder) == f"{path}: must have 3 or 4 dimensions, not 1"


def test_fashion_mnist_that_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="kakure data fashion-mnist"):
        load_images(preset("fashion-mnist"), tmp_path, "test")


def test_cifar10(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = json.loads(preset_json("fashion-mnist")) | {"dataset": "cifar10"}
    config = parse_config(json.dumps(data))
    with pytest.raises(UserError, match=r"must hold test_batch.bin, .* kakure data cifar10"):
        load_images(config, tmp_path, "test")
    path = tmp_path / "data" / "cifar10"
    path.mkdir(parents=True)
    records = np.random.default_rng(1).integers(0, 256, (10000, 3073)).astype(np.uint8)
    records[:, 0] %= 10
    records.tofile(path / "test_batch.bin")
    read = load_images(config, tmp_path, "test")
    assert read.images.shape == (10000, 32, 32, 3)
    assert (read.labels == records[:, 0]).all()
    assert read.images[7, 2, 5].tolist() == [records[7, 1 + 1024 * c + 69] for c in range(3)]
    (path / "test_batch.bin").write_bytes(b"123")
    with pytest.raises(UserError, match=r"test_batch.bin: must hold 30730000 bytes, not 3"):
        load_images(config, tmp_path, "test")


def test_a_file_and_its_gz_must_not_differ(tmp_path):
    (tmp_path / "a").write_bytes(idx(np.array([1], np.uint8)))
    (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a").read_bytes()))
    assert read_idx(tmp_path / "a").tolist() == [1]
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(np.array([2], np.uint8))))
    with pytest.raises(UserError) as error:
        read_idx(tmp_path / "a")
    assert str(error.value) == f"{tmp_path}: must hold a or a.gz, not both, which differ"
    (tmp_path / "a.gz").write_bytes(b"no gzip")
    with pytest.raises(UserError, match=r"a\.gz: cannot be read: Not a gzipped file"):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize("shape", [(0, 2**32 - 1, 2**32 - 1), (4, 2**32 - 1, 0)])
def test_a_shape_without_images_has_a_size_all_the_same(folder, shape):
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in shape))
    text = " x ".join(map(str, shape))
    assert fails(folder) == f"{path}: must have a shape of at most 2147483648 bytes, not {text}"


def test_packed_files_of_the_largest_size_are_read(folder, monkeypatch):
    raw = (folder / IDX_FILES["train"][0]).read_bytes()
    path = folder / (IDX_FILES["train"][0] + ".gz")
    path.write_bytes(gzip.compress(raw))
    (folder / IDX_FILES["train"][0]).unlink()
    monkeypatch.setattr(idx_files, "LARGEST_IDX", len(raw))
    assert len(load_images(folder_config("mine"), folder.parent, "train").images) == 7
    monkeypatch.setattr(idx_files, "LARGEST_IDX", len(raw) - 1)
    with pytest.raises(UserError, match=f"must unpack to at most {len(raw) - 1} bytes"):
        load_images(folder_config("mine"), folder.parent, "train")
