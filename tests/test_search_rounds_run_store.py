"""A search that was interrupted, or finds a store from before, gives the same result."""

import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.config import load_config
from kakure.model.datasets.images import load_images
from tests.small_search import result, run, space, stored
from tests.test_search_commands_kakure import KAKURE


def test_a_second_search_evaluates_nothing_and_finds_the_same(searched, tmp_path, capsys):
    shutil.copy(searched / "store.sqlite", tmp_path)
    assert run(tmp_path, searched / "space.json") == 0
    assert "new evaluations 0," in capsys.readouterr().out
    assert result(tmp_path) == result(searched)
    for name in ("best.json", "best.safetensors"):
        first = (searched / "result" / name).read_bytes()
        assert (tmp_path / "result" / name).read_bytes() == first


@pytest.mark.full
def test_killed_at_any_moment_it_goes_on_to_the_same_result(searched, tmp_path):
    command = [
        *(*KAKURE, "search", str(searched / "space.json")),
        *("--rounds", "0", "--jobs", "2"),
        *("--store", str(tmp_path / "store.sqlite"), "--output", str(tmp_path / "result")),
    ]
    kept = 0
    for wanted in (1, 3, 5):
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while process.poll() is None and stored(tmp_path) < wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert stored(tmp_path) >= max(wanted, kept)
        assert not (tmp_path / "result").exists()
        kept = stored(tmp_path)
    assert run(tmp_path, searched / "space.json", "--jobs", "2") == 0
    assert result(tmp_path) == result(searched)


def test_a_damaged_store_gives_the_same_result_or_says_what_is_made_anew(
    searched, tmp_path, capsys
):
    whole = (searched / "store.sqlite").read_bytes()
    draw = random.Random(1)
    for number in range(3):
        damaged = bytearray(whole)
        for _ in range(4):
            place = draw.randrange(len(whole) if number else 4096)
            damaged[place] ^= draw.randrange(1, 256)
        (tmp_path / "store.sqlite").write_bytes(damaged)
        assert run(tmp_path, searched / "space.json") == 0
        assert result(tmp_path) == result(searched)
        done = capsys.readouterr()
        new = int(done.out.partition("new evaluations ")[2].partition(",")[0])
        said = [line for line in done.err.splitlines() if "made anew" in line]
        assert bool(said) or new == 0


def test_a_store_from_before_is_renewed_and_said(searched, tmp_path, capsys):
    shutil.copy(searched / "store.sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "store.sqlite") as old:
        old.execute("PRAGMA user_version = 1")
    old.close()
    assert run(tmp_path, searched / "space.json") == 0
    done = capsys.readouterr()
    assert "store.sqlite: is of an earlier version" in done.err
    assert "new evaluations 0," not in done.out
    assert result(tmp_path) == result(searched)


def test_a_store_in_the_folder_that_is_replaced_is_refused(tmp_path, capsys):
    inside = tmp_path / "result" / "store.sqlite"
    assert run(tmp_path, space(tmp_path), "--store", str(inside)) == 2
    assert "--store: must lie outside" in capsys.readouterr().err


def test_other_images_are_another_evaluation(tmp_path):
    folder = tmp_path / "idx"
    folder.mkdir()
    rng = np.random.default_rng(1)
    write_idx(folder, "train", rng, 60)
    write_idx(folder, "t10k", rng, 20)
    path = space(tmp_path, dataset="idx", input_shape=[8, 8, 1])
    assert run(tmp_path, path) == 0
    before = stored(tmp_path)
    assert run(tmp_path, path) == 0
    assert stored(tmp_path) == before
    write_idx(folder, "train", rng, 60)
    assert run(tmp_path, path) == 0
    assert stored(tmp_path) > before + 2
    config = load_config(tmp_path / "result" / "best.json")
    assert len(load_images(config, tmp_path / "result", "test")) == 20


def test_a_folder_of_a_known_data_sets_name_is_not_taken_for_it(searched, tmp_path):
    (tmp_path / "digits").mkdir()
    shutil.copy(searched / "store.sqlite", tmp_path)
    assert run(tmp_path, space(tmp_path)) == 0
    assert load_config(tmp_path / "result" / "best.json").dataset == "digits"


def write_idx(folder: Path, name: str, rng: np.random.Generator, count: int) -> None:
    images = rng.integers(0, 256, (count, 8, 8), np.uint8)
    labels = np.arange(count, dtype=np.uint8) % 10
    head = struct.pack(">IIII", 0x803, count, 8, 8)
    (folder / f"{name}-images-idx3-ubyte").write_bytes(head + images.tobytes())
    head = struct.pack(">II", 0x801, count)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())


def test_a_broken_store_is_left_alone(tmp_path, capsys):
    (tmp_path / "store.sqlite").write_bytes(b"no database at all" * 10)
    assert run(tmp_path, space(tmp_path)) == 2
    assert "store.sqlite: is no store of evaluations" in capsys.readouterr().err
    assert (tmp_path / "store.sqlite").read_bytes() == b"no database at all" * 10
