"""SIGKILL at any moment of any verb: the next run ends as if nothing had been, and nothing is left.

After the kills the verb is run to its end. Every file must then be there as without kills, with the
same bytes, and no other: no temporary file, no folder of a dead run. No process may stay.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from kakure.model.config.config import load_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import save_parameters
from tests.small_search import SPACE
from tests.test_search_commands_kakure import KAKURE
from tests.test_sim_generation_generate import TINY

ROOT = Path(__file__).resolve().parent.parent
MARK = "KAKURE_KILLS"
"""Environment variable that tells the processes of a test, and all that they start."""

WINDOW = 12.0
"""Kills come within this time from the start at the latest [s]."""

GRACE = 40.0
"""Time in which the children of a killed process must have ended [s]: one run of a tool."""

DIGITS = {key: value for key, value in TINY.items() if key != "input_shape"} | {
    "dataset": "digits",
    "layers": [TINY["layers"][0], TINY["layers"][1] | {"channels": 10}],
    "parameters": "net.safetensors",
}
LOCAL = """
import hashlib, time
from kakure.model.datasets.archive import Archive
from kakure.model.datasets.dataset import Dataset
from kakure.model.datasets.fetch import fetch
from kakure.model.datasets.table import DATASETS
files = {f"{n}": bytes([n]) * 200000 for n in range(12)}
def download(work):
    (work / "tree").mkdir()
    for name, data in files.items():
        (work / "tree" / name).write_bytes(data)
        time.sleep(0.05)
    return work / "tree"
digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
archive = Archive(download, digests)
DATASETS["local"] = Dataset("local", (1, 1, 1), 2, lambda folder, split: None, archive=archive)
fetch("local")
"""


@dataclass(frozen=True)
class Verb:
    """A command, and what it is given.

    Attributes
    ----------
    command : tuple of str
        Arguments of Python.
    prepare : callable
        Writes the inputs into a folder.
    differs : str
        Pattern of files whose bytes may differ: they hold times.
    """

    command: tuple[str, ...]
    prepare: Callable[[Path], None]
    differs: str = r"stdout|build/cache/.*"


def tiny(folder: Path) -> None:
    (folder / "tiny.json").write_text(json.dumps(TINY))


def digits(folder: Path) -> None:
    (folder / "net.json").write_text(json.dumps(DIGITS))


def trained(folder: Path) -> None:
    digits(folder)
    config = load_config(folder / "net.json")
    save_parameters(folder / "net.safetensors", config, random_parameters(config, 5))


def space(folder: Path) -> None:
    (folder / "space.json").write_text(json.dumps(SPACE))


def local(folder: Path) -> None:
    (folder / "local.py").write_text(LOCAL)


def nothing(folder: Path) -> None:
    """No input."""


VERBS = {
    "check": Verb((*KAKURE, "check", "net.json"), trained, differs="none"),
    "train": Verb((*KAKURE, "train", "net.json", "--epochs", "4", "--batch-size", "256"), digits),
    "evaluate": Verb((*KAKURE, "evaluate", "net.json"), trained, differs="none"),
    "gen": Verb((*KAKURE, "gen", "tiny.json"), tiny, differs="build/cache/.*"),
    "sim": Verb((*KAKURE, "sim", "tiny.json", "--images", "3"), tiny),
    "sim-compiled": Verb(
        (*KAKURE, "sim", "tiny.json", "--images", "60", "--runner", "compiled"), tiny
    ),
    "blocks": Verb((*KAKURE, "blocks", "max_pool"), nothing),
    "synth": Verb((*KAKURE, "synth", "tiny.json"), tiny),
    "search": Verb(
        (
            *(*KAKURE, "search", "space.json", "--rounds", "0", "--jobs", "2"),
            *("--store", "store.sqlite", "--output", "result"),
        ),
        space,
        differs=r"stdout|store\.sqlite|build/.*",
    ),
    "calibrate": Verb(
        (
            *KAKURE,
            "calibrate",
            "--fit-only",
            "--coefficients",
            "coefficients.json",
        ),
        nothing,
        differs="none",
    ),
    "data": Verb((sys.executable, "local.py"), local),
    "schema": Verb((*KAKURE, "schema", "--output", "."), nothing, differs="none"),
}
FAST = ("check", "train", "data", "schema")


def start(verb: Verb, folder: Path) -> subprocess.Popen[bytes]:
    """Start a verb in its folder, as the leader of a group of its own."""
    (folder / "tmp").mkdir(exist_ok=True)
    environment = os.environ | {
        MARK: str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder / "tmp"),
        "JOBLIB_TEMP_FOLDER": str(folder / "tmp"),
    }
    environment.pop("PYTEST_CURRENT_TEST", None)
    with (folder / "stdout").open("wb") as output, (folder / "tmp" / "stderr").open("wb") as said:
        return subprocess.Popen(
            verb.command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=said,
            start_new_session=True,
        )


def finish(verb: Verb, folder: Path) -> None:
    """Run a verb to its end."""
    process = start(verb, folder)
    try:
        code = process.wait(timeout=600)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    said = folder / "tmp" / "stderr"
    assert code == 0, said.read_text()
    said.unlink()


def living(folder: Path) -> list[str]:
    """Command lines of the processes of a folder that have not ended."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append(f"{entry.name} {command[:200]}")
        except OSError:  # another's, or gone meanwhile
            continue
    return found


def timeless(path: str, data: bytes) -> bytes:
    """What a file holds, without how long a search took, which its page says."""
    took = rb"\b(\d+ min )?\d+ s\b"
    return re.sub(took, b"a while", data) if path == "result/index.html" else data


def all_gone(folder: Path, seconds: float) -> None:
    """Wait until no process of a folder lives; AssertionError if that takes too long."""
    deadline = time.monotonic() + seconds
    while found := living(folder):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def kill(verb: Verb, folder: Path, seconds: float, *, is_group: bool) -> bool:
    """Start a verb and kill it after a time; return whether it had not ended by then."""
    process = start(verb, folder)
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        if is_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    try:
        all_gone(folder, 5 if is_group else GRACE)
    finally:
        if living(folder):
            os.killpg(process.pid, signal.SIGKILL)
    return True


def contents(folder: Path) -> dict[str, bytes]:
    """All files by their names, but for what Yosys and its ABC keep in the temporary folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"folder"
        for path in folder.rglob("*")
        if not str(path.relative_to(folder)).startswith("tmp/yosys-")
    }


def survives(name: str, folder: Path, kills: int, *, leaders: bool) -> None:
    """Kill a verb ``kills`` times, every third time only its first process if ``leaders``."""
    verb = VERBS[name]
    whole, killed = folder / "whole", folder / "killed"
    for place in (whole, killed):
        place.mkdir()
        verb.prepare(place)
    begin = time.monotonic()
    finish(verb, whole)
    took = time.monotonic() - begin
    rng = Random(name)
    count = 0
    for _ in range(5 * kills):
        is_group = not leaders or count % 3 != 2
        seconds = rng.random() * min(took, WINDOW)
        if not kill(verb, killed, seconds, is_group=is_group):
            took = seconds  # it had ended: sooner next time, and from nothing
            shutil.rmtree(killed)
            killed.mkdir()
            verb.prepare(killed)
            continue
        count += 1
        if count == kills:
            break
        if (killed / "stdout").stat().st_size and rng.random() < 0.3:
            shutil.rmtree(killed / "build", ignore_errors=True)  # begin once more from nothing
    assert count == kills
    finish(verb, killed)
    expected, got = contents(whole), contents(killed)
    assert sorted(got) == sorted(expected)
    for path, data in expected.items():
        if not re.fullmatch(verb.differs, path):
            assert timeless(path, got[path]) == timeless(path, data), path
    all_gone(killed, 5)


@pytest.mark.parametrize("name", FAST)
def test_two_kills_leave_nothing(name, tmp_path):
    survives(name, tmp_path, 2, leaders=False)


@pytest.mark.full
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", VERBS)
def test_twenty_kills_leave_nothing(name, tmp_path):
    survives(name, tmp_path, 20, leaders=True)
