"""Children that end with their parent, which is killed here; said in one place."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.model.commands import lifetime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child so")

ROOT = Path(__file__).resolve().parent.parent
DEADLINE = 20
"""How long anything here may take [s]."""

CHILDREN = {
    "tied": "child = subprocess.Popen(lifetime.tied(['sleep', '300']))",
    "end_with_parent": (
        "child = subprocess.Popen([sys.executable, '-c', "
        "'import lifetime, time; lifetime.end_with_parent(); time.sleep(300)'])"
    ),
}


def state(pid: int) -> str:
    """As Linux calls it: R, S, Z …; nothing where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def until(happened) -> bool:
    end = time.monotonic() + DEADLINE
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)
    return happened()


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_ends_with_its_killed_parent(tmp_path, kind):
    """In a folder that holds the file and nothing else of Kakure, as a generated bench does."""
    (tmp_path / "lifetime.py").write_bytes(Path(lifetime.__file__).read_bytes())
    code = f"import subprocess, sys, time, lifetime; {CHILDREN[kind]}; print(child.pid, flush=True)"
    command = [sys.executable, "-c", f"{code}; child.wait()"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert until(lambda: state(child) == "S")
        time.sleep(1)  # until it has asked to end
        parent.kill()
    assert until(lambda: state(child) in ("", "Z"))


def test_a_command_whose_parent_is_gone_before_it_could_be_tied_does_not_start(tmp_path):
    begin = lifetime.tied(["touch", str(tmp_path / "started")])[3:]
    script, parent = begin[:2]
    assert (script, parent) == (lifetime.HERE, str(os.getpid()))
    base = [sys.executable, "-I", "-S", script]
    for pid, is_started in ((os.getpid() + 10**7, False), (os.getpid(), True)):
        subprocess.run([*base, str(pid), *begin[2:]], check=True)
        assert (tmp_path / "started").exists() == is_started


def test_what_linux_is_asked_for_stands_in_one_file():
    folders = [ROOT / name for name in ("model", "hdl", "sim", "search")]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert [file for file in files if "prctl(" in file.read_text()] == [Path(lifetime.HERE)]
