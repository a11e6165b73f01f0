"""Folders of runs: their own while they live, gone when they are over, however they ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.model.files.work_folder import KEPT, LOCK, fresh_folder, held, keep, temporary_folder

ROOT = Path(__file__).resolve().parent.parent
HOLD = """
import sys, time
from pathlib import Path
from kakure.model.files.work_folder import fresh_folder, held
with {what} as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(what: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(what=what)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_new_and_goes_with_its_run(tmp_path):
    with fresh_folder(tmp_path / "a") as one, fresh_folder(tmp_path / "a") as other:
        assert one != other
        (one / "file").write_text("text")
        assert names(one) == ["file", LOCK]
    assert names(tmp_path / "a") == []
    with pytest.raises(KeyboardInterrupt), fresh_folder(tmp_path / "a"):
        raise KeyboardInterrupt
    assert names(tmp_path / "a") == []


def test_what_failed_stays_until_newer_ones_did(tmp_path):
    failed = []
    for _ in range(KEPT + 2):
        with fresh_folder(tmp_path) as folder:
            keep(folder)
        failed.append(folder.name)
        time.sleep(0.01)
    assert names(tmp_path) == sorted(failed[-KEPT:])


def test_a_living_process_keeps_its_folder_and_a_dead_one_does_not(tmp_path):
    process, name = holder(f"fresh_folder(Path({str(tmp_path)!r}))")
    with fresh_folder(tmp_path):
        assert Path(name).is_dir()
    kill(process)
    assert Path(name).is_dir()
    with fresh_folder(tmp_path) as folder:
        assert names(tmp_path) == [folder.name]


def test_an_unborn_folder_goes_after_a_while(tmp_path):
    """Its process was killed between making the folder and naming it."""
    for name, age in ((".new.run.old", 3600), (".new.run.young", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    with fresh_folder(tmp_path) as folder:
        assert names(tmp_path) == [".new.run.young", folder.name]


def test_nobody_waits_for_a_free_lock(tmp_path, capsys):
    with held(tmp_path / "a", "it is another"), held(tmp_path / "b", "it is another"):
        assert capsys.readouterr().err == ""


def test_nobody_waits_for_a_lock_that_cannot_be_made(capsys):
    with pytest.raises(FileNotFoundError), held(Path("/proc/lock"), "nobody holds it"):
        pytest.fail("it is held")
    assert capsys.readouterr().err == ""


def test_who_waits_says_so(tmp_path, capsys):
    process, _ = holder(f"held(Path({str(tmp_path / 'a')!r}), 'nothing')")
    with subprocess.Popen(["sh", "-c", f"sleep 1; kill -9 {process.pid}"]):
        with held(tmp_path / "a", "it writes a"):
            assert process.wait() == -signal.SIGKILL
    assert capsys.readouterr().err == "waiting for another process: it writes a\n"
    process.communicate()


def test_what_a_killed_process_left_among_temporary_files_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    script = HOLD.format(what="temporary_folder('it')")
    process = subprocess.Popen(
        [sys.executable, "-c", script.replace("fresh_folder, held", "temporary_folder")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with temporary_folder("it") as own:
        assert left.is_dir() and own.is_dir() and left.parent == own.parent == tmp_path
    assert left.is_dir() and not own.exists()
    kill(process)
    with temporary_folder("other"):
        assert left.is_dir()
    with temporary_folder("it"):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []
