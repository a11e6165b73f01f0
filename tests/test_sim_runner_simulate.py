"""``make sim``: the emitted Verilog against the reference, and what a fault in it leads to."""

import json
import os
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.model.config.config import load_config
from kakure.search.commands.kakure import main
from kakure.sim.generation.generate import BENCH_PACKAGES, generate
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulate import run_bench, simulate
from tests.test_search_commands_kakure import KAKURE
from tests.test_sim_generation_generate import TINY

ROOT = Path(__file__).resolve().parent.parent
COCOTB = '@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")\n@OUTCOME.counted\n'


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.json"
    path.write_text(json.dumps(TINY))
    share_cache(path.parent)
    return path


def share_cache(folder: Path) -> None:
    """Let a folder use the compiled simulators of the project's own build folder."""
    (ROOT / "build" / "cache").mkdir(parents=True, exist_ok=True)
    (folder / "build").mkdir()
    (folder / "build" / "cache").symlink_to(ROOT / "build" / "cache")


def runs_left(folder: Path) -> list[str]:
    return sorted(run.name for run in (folder / "build" / "sim").glob("*/*"))


@pytest.mark.full
@pytest.mark.xdist_group("tiny_rtl")
def test_an_untrained_network_is_simulated_on_random_images(tiny, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    assert main(["sim", str(tiny), "--images", "5"]) == 0
    cycles = image_timing(load_config(tiny), 5).results[-1]
    assert re.search(
        rf"^PASS 5 random images: .*\(20 logits, {cycles} cycles, 11 tests; \d+ s\)$",
        capsys.readouterr().out,
    )
    assert runs_left(tiny.parent) == []


@pytest.mark.xdist_group("tiny_rtl")
def test_runs_beside_each_other_print_their_own_truth(tiny, monkeypatch):
    """The one that was started first with many images, then one of a single image."""
    monkeypatch.chdir(tiny.parent)
    generate(open_project(tiny))
    environment = os.environ
    started = []
    for images in (60, 1, 7):
        command = [*KAKURE, "sim", str(tiny), "--images", str(images)]
        started.append((
            images,
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True),
        ))
        time.sleep(1.5 if images == 60 else 0)
    for images, process in started:
        said = process.communicate(timeout=250)[0]
        cycles = image_timing(load_config(tiny), images).results[-1]
        assert said.startswith(f"PASS {images} random images: "), said
        assert f"({4 * images} logits, {cycles} cycles, 11 tests; " in said
        assert process.returncode == 0
    assert runs_left(tiny.parent) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "device.py",
            "for n, image in enumerate(images):",
            "for n, image in enumerate(images[:1]):",
            "all_images_at_full_rate: images: must be 8, not 1",
        ),
        (
            "test_accelerator.py",
            "@OUTCOME.counted\nasync def back_pressure",
            "async def back_pressure",
            "11 tests ran, but 10 say what they compared",
        ),
        (
            "test_accelerator.py",
            'timeout_unit="ns")\n@OUTCOME.counted\nasync def classes',
            'timeout_unit="ns", skip=True)\n@OUTCOME.counted\nasync def classes',
            "did not run to its end: classes_instead_of_logits",
        ),
        (
            "test_accelerator.py",
            COCOTB + "async def back_pressure",
            None,
            "the bench has lost tests: back_pressure_on_both_sides, classes_instead_of_logits, ",
        ),
        (
            "outcome.py",
            "            self._write()\n",
            "",
            "the bench left no outcome: nothing was compared",
        ),
        (
            "run.py",
            'print(f"FAIL {failure}")',
            "return 0",
            "the bench left no outcome: nothing was compared",
        ),
    ],
)
@pytest.mark.xdist_group("tiny_rtl")
def test_what_was_not_compared_is_no_pass(tiny, monkeypatch, file, old, new, said):
    """A bench that skips images, or a test, or its result, or has lost all but two tests."""
    monkeypatch.chdir(tiny.parent)
    folder = generate(open_project(tiny))
    bench = folder / "bench"
    changes = {file: (old, new)}
    if file == "run.py":
        changes["outcome.py"] = ("            self._write()\n", "")
    for name, (before, after) in changes.items():
        text = (bench / name).read_text()
        assert before in text
        cut = text[: text.index(before)] if after is None else text.replace(before, after)
        (bench / name).write_text(cut)
    failures, compared = run_bench(folder, bench / "vectors.json", tiny.parent / "cut", 1)
    assert compared.tests == {}
    assert failures[0].startswith(said)


def test_more_images_than_there_are_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sim", str(ROOT / "configs" / "digits.json"), "--images", "361"]) == 2
    assert "--images: must be at most 360, all test images of digits, not 361" in (
        capsys.readouterr().err
    )


def test_what_the_file_system_refuses_is_one_line(monkeypatch, tiny, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").write_text("no folder")
    assert main(["sim", str(tiny), "--images", "1"]) == 2
    assert re.fullmatch(r"error: build\S*: [^\n]+\n", capsys.readouterr().err)


@pytest.mark.xdist_group("tiny_rtl")
def test_a_bench_runs_by_itself_and_names_what_it_needs(tiny, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    bench = generate(open_project(tiny)) / "bench"
    pins = (bench / "requirements.txt").read_text()
    assert pins == "".join(f"{name}=={version(name)}\n" for name in BENCH_PACKAGES)

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=bench, capture_output=True, text=True, check=False)

    assert "pip install -r requirements.txt" in python("run.py", "--help").stdout
    bare = python("-S", "run.py")  # without installed packages
    assert bare.returncode == 1
    assert re.fullmatch(
        r"error: No module named '\w+': pip install -r \S+/requirements\.txt\n", bare.stderr
    )
    cache = str((tiny.parent / "build" / "cache" / "sim").resolve())
    done = python("run.py", "--cache", cache)
    assert re.fullmatch(
        r"PASS 8 images: every logit and every cycle count is equal "
        r"\(32 logits, \d+ cycles, 11 tests, \d+ images in all; \d+ s\)\n",
        done.stdout,
    ), done.stdout
    assert "g++" not in done.stderr and "cocotb" not in done.stderr
    assert sorted(path.name for path in (bench / "work").iterdir()) == []


@pytest.mark.full
@pytest.mark.xdist_group("tiny_rtl")
def test_a_fault_is_located(tiny, monkeypatch):
    """Let the pool of layer 0 take a minimum: layer, position, channel and a waveform."""
    monkeypatch.chdir(tiny.parent)
    folder = generate(open_project(tiny))
    file = next((folder / "verilog").glob("max_pool_*.v"))
    text = file.read_text()
    mutated = re.sub(r"(= \$signed\(\S+\)) > ", r"\1 < ", text, count=1)
    assert mutated != text
    file.write_text(mutated)
    work = tiny.parent / "fault"
    failures, compared = run_bench(folder, folder / "bench" / "vectors.json", work, 1)
    assert compared.tests == {}
    assert any(failure.startswith("all_images_at_full_rate: MISMATCH") for failure in failures)
    located = [failure for failure in failures if "layer 0, position" in failure]
    assert located, failures
    assert re.search(
        r"image \d+, layer 0, position \(\d+, \d+\), channel \d+: expected \d+, got \d+",
        located[0],
    )
    assert f"waveform: {work / 'waves' / 'dump.vcd'}" in failures
    assert (work / "waves" / "dump.vcd").stat().st_size > 1000


@pytest.mark.full
@pytest.mark.xdist_group("tiny_rtl")
def test_a_hang_is_a_failure_with_a_waveform(tiny, monkeypatch, capsys):
    """Let no window ever be complete, in the folder that make sim uses."""
    monkeypatch.chdir(tiny.parent)
    folder = generate(open_project(tiny))
    file = next((folder / "verilog").glob("sliding_window_5_*.v"))
    text = file.read_text()
    mutated = re.sub(r"(assign \S+ +=) y >= 2'h2;", r"\1 1'h0;", text)
    assert mutated != text
    file.write_text(mutated)
    before = runs_left(tiny.parent)  # of the tests above that fail a run
    assert main(["sim", str(tiny), "--images", "2"]) == 1
    printed = capsys.readouterr()
    assert f"simulated as it is, edited by hand: {file.name}" in printed.out
    assert "all_images_at_full_rate: SimTimeoutError" in printed.err
    [waveform] = re.findall(r"waveform: (\S+)", printed.err)
    assert Path(waveform).stat().st_size > 1000
    assert len(set(runs_left(tiny.parent)) - set(before)) == 1


def test_digits_through_the_whole_accelerator(tmp_path, monkeypatch):
    """All 360 test images of the shipped configuration, logits and cycles, on the RTL."""
    monkeypatch.chdir(tmp_path)
    share_cache(tmp_path)
    outcome = simulate(open_project(ROOT / "configs" / "digits.json"), None, seed=1)
    assert outcome.failures == []
    assert outcome.images == "360 test images of digits"
    config = load_config(ROOT / "configs" / "digits.json")
    assert (outcome.logits, outcome.tests) == (3600, 11)
    assert outcome.cycles == image_timing(config, 360).results[-1]
