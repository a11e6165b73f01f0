"""A damaged file of parameters, or of a teacher, gives no result; one without a checksum does."""

import random
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from kakure.model.config.config import load_config
from kakure.model.errors import Damaged, UserError
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.parameters.tensor_file import CHECKSUM, read_tensors, write_tensors
from kakure.search.commands.kakure import main

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
SHIPPED = sorted(path.name for path in CONFIGS.glob("*.safetensors"))
TENSORS = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.zeros(8, np.uint8)}


def metadata_of(path):
    with safe_open(str(path), framework="numpy") as file:
        return file.metadata()


def refused(path):
    with pytest.raises(Damaged) as error:
        read_tensors(path, advice="make it anew")
    line = str(error.value)
    assert line == (
        f"{path}: is damaged: its checksum does not match its tensors and metadata; make it anew, "
        "or leave sha256 out of its metadata if it was changed by hand"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_parameters_have_a_checksum(name):
    assert len(metadata_of(CONFIGS / name)[CHECKSUM]) == 64


def test_a_flipped_bit_never_changes_what_is_read(tmp_path):
    config = load_config(CONFIGS / "digits.json")
    data = (CONFIGS / "digits.safetensors").read_bytes()
    path = tmp_path / "digits.safetensors"
    path.write_bytes(data)
    key = data.index(b'"sha256":') + 1
    expected = load_parameters(path, config)
    rng = random.Random(1)
    for place in sorted(rng.sample(range(len(data)), 400)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            found = load_parameters(path, config)
        except UserError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        else:  # the checksum's own name
            assert place in range(key, key + 6) and found.digest == expected.digest


def test_damaged_parameters_give_no_accuracy(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = bytearray((CONFIGS / "digits.safetensors").read_bytes())
    data[-100] ^= 4
    Path("net.safetensors").write_bytes(data)
    command = ["evaluate", str(CONFIGS / "digits.json"), "--parameters", "net.safetensors"]
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith("error: net.safetensors: is damaged: its checksum does not match")


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, _: tensors["a"].reshape(-1).__setitem__(5, 4),
        lambda tensors, _: tensors.update(a=tensors["a"].reshape(3, 2)),
        lambda tensors, _: tensors.update(a=tensors["a"].view(np.uint32)),
        lambda tensors, _: tensors.update(c=tensors.pop("b")),
        lambda tensors, _: tensors.pop("b"),
        lambda tensors, _: tensors.update(c=tensors["b"]),
        lambda _, metadata: metadata.update(seed="2"),
        lambda _, metadata: metadata.pop("seed"),
        lambda _, metadata: metadata.update(more="1"),
        lambda _, metadata: metadata.update({CHECKSUM: ""}),
    ],
)
def test_tensors_and_metadata_are_those_that_were_written(tmp_path, change):
    path = tmp_path / "some"
    write_tensors(path, TENSORS, {"seed": "1"})
    tensors, metadata = load_file(path), metadata_of(path)
    save_file(tensors, path, metadata)  # whose order of metadata is another
    assert read_tensors(path, advice="")[1] == {"seed": "1"}
    change(tensors, metadata)
    save_file(tensors, path, metadata)
    refused(path)


def test_a_file_without_a_checksum_is_read(tmp_path):
    path = tmp_path / "some"
    for metadata in (None, {"seed": "1"}):
        save_file(TENSORS, path, metadata)
        tensors, found = read_tensors(path, advice="")
        assert found == (metadata or {}) and (tensors["a"] == TENSORS["a"]).all()


def test_a_checksum_of_before_is_replaced(tmp_path):
    path = tmp_path / "some"
    write_tensors(path, TENSORS, {"seed": "1", CHECKSUM: "0" * 64})
    assert read_tensors(path, advice="")[1] == {"seed": "1"}
