"""``make sim``: the emitted Verilog against the reference, and what a fault in it leads to."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sim.__main__ import main
from sim.generate import generate
from sim.project import open_project
from sim.simulate import run_bench, simulate
from tests.test_sim_generate import TINY

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.json"
    path.write_text(json.dumps(TINY))
    return path


@pytest.mark.xdist_group("tiny_rtl")
def test_an_untrained_network_is_simulated_on_random_images(tiny, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    assert main(["run", str(tiny), "--images", "5"]) == 0
    assert "PASS 5 random images" in capsys.readouterr().out
    work = next((tiny.parent / "build" / "sim").iterdir())
    cases = ElementTree.parse(work / "fast" / "results-test_accelerator.xml").iter("testcase")
    assert len(list(cases)) == 11


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
    failures = run_bench(folder, folder / "bench" / "vectors.json", work, 1)
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
    assert main(["run", str(tiny), "--images", "2"]) == 1
    printed = capsys.readouterr()
    assert f"simulated as it is, edited by hand: {file.name}" in printed.out
    assert "all_images_at_full_rate: SimTimeoutError" in printed.err
    assert "waveform: " in printed.err


def test_digits_through_the_whole_accelerator(tmp_path, monkeypatch):
    """All 360 test images of the shipped configuration, logits and cycles, on the RTL."""
    monkeypatch.chdir(tmp_path)
    outcome = simulate(open_project(ROOT / "configs" / "digits.json"), None, seed=1)
    assert outcome.failures == []
    assert outcome.images == "360 test images of digits"
