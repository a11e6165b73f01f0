"""Simulators are compiled once, shared, and whole or not there."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.sim.runner import executables, simulator_cache
from kakure.sim.runner.executables import SUMS
from kakure.sim.runner.simulator import CannotBuild
from kakure.sim.runner.simulator_cache import compiled

ROOT = Path(__file__).resolve().parent.parent
VERILOG = """module dut(input clk, input rst, input i, output reg o);
  always @(posedge clk) o <= rst ? 1'b0 : i ^ {value};
endmodule
"""
COMPILE = """
import sys
from pathlib import Path
from kakure.sim.runner.simulator_cache import compiled
print(compiled({"dut": Path(sys.argv[1]).read_text()}, "dut", Path(sys.argv[2])))
"""


def modules(value: str = "o") -> dict[str, str]:
    return {"dut": VERILOG.format(value=value)}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    compiled(modules(), "dut", folder)
    return folder


def left(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if ".build." in path.name]


def compiler(cache: Path, tmp_path: Path, value: str) -> subprocess.Popen[str]:
    """A process of its own group that compiles."""
    source = tmp_path / "dut.v"
    source.write_text(modules(value)["dut"])
    return subprocess.Popen(
        [sys.executable, "-c", COMPILE, str(source), str(cache)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.xdist_group("cache")
def test_a_cache_may_lie_where_make_cannot_build(tmp_path, monkeypatch):
    """In a folder with signs that make, or its shell, takes for its own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    cache = tmp_path / "a b: 'c' $(d) #%"
    assert os.access(compiled(modules(), "dut", cache, quiet=True), os.X_OK)
    assert left(cache) == list((tmp_path / "temporary").iterdir()) == []
    assert {path.suffix for path in cache.glob("runtime-*/*")} == {".o", ".json"}


def test_temporary_files_where_make_cannot_build_either_are_said(tmp_path, monkeypatch):
    place = tmp_path / "a b"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with pytest.raises(RuntimeError) as refusal:
        compiled(modules(), "dut", tmp_path / "c d", quiet=True)
    assert str(refusal.value) == (
        f"TMPDIR: must be a path of letters, digits and ./+,@^-_ alone, not {place}"
    )
    assert left(tmp_path / "c d") == list(place.iterdir()) == []


@pytest.mark.xdist_group("cache")
def test_the_same_text_is_compiled_once_and_another_is_another(cache, monkeypatch, capsys):
    first = compiled(modules(), "dut", cache)
    assert os.access(first, os.X_OK)
    assert capsys.readouterr().err == ""
    other = compiled(modules("1'b1"), "dut", cache)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("compiling the simulator of dut: 1 files, 0.0 MB of Verilog, with ")
    assert said[0].endswith(f"; once, it is kept in {cache}")
    assert said[1].startswith("compiled in ")
    assert first != other
    monkeypatch.setattr(simulator_cache, "build", lambda *_, **__: pytest.fail("compiled again"))
    assert compiled(modules(), "dut", cache) == first
    assert compiled(modules("1'b1"), "dut", cache) == other
    assert left(cache) == []


@pytest.mark.parametrize("damage", ["empty", "cut", "gone", "unsummed"])
@pytest.mark.xdist_group("cache")
def test_a_damaged_entry_is_named_and_made_anew(cache, capsys, damage):
    executable = compiled(modules(), "dut", cache)
    whole = executable.read_bytes()
    if damage == "gone":
        executable.unlink()
    elif damage == "unsummed":
        (executable.parent / SUMS).write_text("{}")
    else:
        executable.write_bytes(whole[: len(whole) // 2 if damage == "cut" else 0])
    assert compiled(modules(), "dut", cache) == executable
    assert f"{executable.parent}: is damaged, compiled anew\n" in capsys.readouterr().err
    assert len(executable.read_bytes()) == len(whole)
    assert os.access(executable, os.X_OK)


@pytest.mark.xdist_group("cache")
def test_damaged_objects_of_the_runtime_are_not_used(cache):
    [runtime] = cache.glob("runtime-*")
    for item in runtime.glob("*.o"):
        item.write_bytes(b"")
    compiled(modules("rst"), "dut", cache)
    assert all(item.stat().st_size for item in runtime.glob("*.o"))


@pytest.mark.xdist_group("cache")
def test_a_kill_while_compiling_leaves_nothing_that_stops_the_next(cache, tmp_path):
    """Killed when Verilator has written C++, and when objects are there but no executable."""
    empty = tmp_path / "empty"
    for pattern in ("work/Vtop*.cpp", "work/*.o"):
        process = compiler(empty, tmp_path, "i")
        deadline = time.monotonic() + 120
        while not list(empty.glob(f".build.*/{pattern}")) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert len(left(empty)) == 1
    executable = compiled(modules("i"), "dut", empty)
    assert os.access(executable, os.X_OK)
    assert left(empty) == []


@pytest.mark.xdist_group("cache")
def test_of_two_that_want_the_same_the_second_waits_and_says_so(cache, tmp_path):
    first, second = (compiler(cache, tmp_path, "i & rst") for _ in range(2))
    said = [process.communicate(timeout=250) for process in (first, second)]
    assert first.returncode == second.returncode == 0
    assert said[0][0] == said[1][0]
    errors = [error for _, error in said]
    assert sum("compiled in" in error for error in errors) == 1
    assert sum("waiting for another process: it compiles" in error for error in errors) == 1


@pytest.mark.xdist_group("cache")
def test_what_does_not_compile_is_one_line_with_a_log(cache):
    with pytest.raises(RuntimeError, match=r"Verilator cannot build dut: .*rror.* \(log: ") as said:
        compiled({"dut": "module dut(input clk); nonsense"}, "dut", cache)
    assert "\n" not in str(said.value)
    assert Path(str(said.value).rpartition("(log: ")[2].rstrip(")")).stat().st_size
    assert left(cache) == []


@pytest.mark.xdist_group("cache")
def test_no_compiler_is_one_line(cache, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    executables._tools.cache_clear()
    with pytest.raises(RuntimeError, match=r"^no-such-compiler: a C\+\+ compiler must"):
        compiled(modules(), "dut", cache)
    executables._tools.cache_clear()


@pytest.mark.xdist_group("cache")
def test_the_longest_unused_goes_when_all_is_too_large(cache, tmp_path, monkeypatch):
    full = tmp_path / "full"
    shutil.copytree(cache, full)
    for name, age in (("a", 9000), ("b", 8000), ("c", 10)):
        (full / name).mkdir()
        (full / name / "dut").write_bytes(bytes(1000))
        (full / name / SUMS).write_text("{}")
        os.utime(full / name / SUMS, (time.time() - age, time.time() - age))
    for item in full.iterdir():
        if item.name not in "abc" and item.is_dir():
            shutil.rmtree(item)
    monkeypatch.setattr(executables, "LIMIT_BYTES", 12500)
    executables._prune(full)
    assert sorted(item.name for item in full.iterdir() if item.is_dir()) == ["b", "c"]
    monkeypatch.setattr(executables, "LIMIT_BYTES", 0)
    executables._prune(full)
    assert sorted(item.name for item in full.iterdir() if item.is_dir()) == ["c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "cc1plus: fatal error: a.o: No space left on device\nstopped.\nmake: Error 1",
            "{folder}: No space left on device",
        ),
        (
            "%Error: a.v:3: syntax\n%Error: Exiting\n",
            "Verilator cannot build top: %Error: a.v:3: syntax (log: {folder}/kept.log)",
        ),
        ("", "Verilator cannot build top; see {folder}/build.log: it ended with 1"),
    ],
)
def test_why_nothing_was_compiled_is_one_line(tmp_path, text, line):
    """A full disk by its name, not by what make said of it; else the compiler's first error."""
    log = tmp_path / "build.log"
    if text:
        log.write_text(text)
    error = CannotBuild("top", log, "it ended\nwith 1")
    said = executables._failure(log, tmp_path / "kept.log", error)
    assert said == line.format(folder=tmp_path) and "\n" not in said


def test_a_disk_that_is_nearly_full_is_said_whatever_the_compiler_said(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    error = CannotBuild("top", tmp_path / "build.log", "Segmentation fault")
    said = executables._failure(tmp_path / "build.log", tmp_path / "kept.log", error)
    assert said == f"{tmp_path}: No space left on device"
