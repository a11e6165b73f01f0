"""Digits are read from scikit-learn without importing it."""

import gzip
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from kakure.model.datasets import digits
from kakure.model.datasets.digits import DIGITS
from kakure.model.errors import UserError


def test_they_are_those_that_scikit_learn_loads():
    splits = [DIGITS.load(Path(), "train"), DIGITS.load(Path(), "test")]
    assert [len(split) for split in splits] == [1437, 360]
    images = np.concatenate([split.images for split in splits]).reshape(-1, 64)
    labels = np.concatenate([split.labels for split in splits])
    pixels, classes = load_digits(return_X_y=True)
    theirs = np.minimum(16 * pixels, 255)
    ours = sorted(map(bytes, np.c_[images, labels].astype(np.uint8)))
    assert ours == sorted(map(bytes, np.c_[theirs, classes].astype(np.uint8)))


@pytest.mark.parametrize("spec", [None, ModuleSpec("sklearn", None)])
def test_without_the_package_one_line_says_so(spec, monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda _: spec)
    with pytest.raises(UserError) as refusal:
        DIGITS.load(Path(), "train")
    assert str(refusal.value) == ("digits: needs the package scikit-learn, which is not installed")


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "short", "no gzip", "no numbers"])
def test_a_damaged_package_is_named(damage, tmp_path, monkeypatch):
    spec = ModuleSpec("sklearn", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(digits, "find_spec", lambda _: spec)
    file = tmp_path / digits.FILE
    file.parent.mkdir(parents=True)
    package = find_spec("sklearn")
    assert package is not None and package.origin is not None
    packed = (Path(package.origin).parent / digits.FILE).read_bytes()
    data = {
        "cut": packed[:-9],
        "flipped": packed[:1000] + bytes([packed[1000] ^ 64]) + packed[1001:],
        "short": gzip.compress(gzip.decompress(packed)[: -len("0,1,2\n") - 200]),
        "no gzip": b"1,2\n",
        "no numbers": gzip.compress(b"a,b\n"),
    }
    if damage in data:
        file.write_bytes(data[damage])
    with pytest.raises(UserError, match=r"digits.csv.gz: must be scikit-learn's digits, 1797 r"):
        DIGITS.load(Path(), "train")
