"""The accelerator behind its UART on Verilator, driven by a UART that is not ours."""

import json
import os
from pathlib import Path

import pytest
from amaranth.back import verilog

from kakure.hdl.boards.serial_accelerator import SerialAccelerator
from kakure.model.reference.network import network
from kakure.sim import bench
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulator import build, run
from tests.test_sim_generation_generate import TINY

ROOT = Path(__file__).resolve().parent.parent
DIVISOR = 8


def logits_over_the_line(path: Path, folder: Path, *, count: int, cycles: int):
    """Logits that come back, and those of the reference."""
    project = open_project(path)
    design = SerialAccelerator(config=project.config, divisor=DIVISOR, gap=100_000)
    source = folder / "serial.v"
    source.write_text(verilog.convert(design, name="serial"), encoding="utf-8")
    work = build([source], "serial", folder / "work")
    found = folder / "found.json"
    given = {
        "config": os.fspath(path.resolve()),
        "images": count,
        "divisor": DIVISOR,
        "silence": 40_000,
        "deadline_cycles": cycles,
        "found": os.fspath(found),
    }
    where = Path(bench.__file__).parent
    tests, failed = run(work, "serial", "uart_host", where, parameters=given)
    assert (tests, failed) == (1, 0), (work / "run.log").read_text()[-3000:]
    images, _ = project.images(count)
    return json.loads(found.read_text()), network(project.config, project.parameters, images)


@pytest.mark.full
def test_logits_of_a_small_network_over_the_line(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY))
    found, expected = logits_over_the_line(path, tmp_path, count=5, cycles=1_000_000)
    assert found == expected.tolist() and len(found) == 5


@pytest.mark.full
def test_ten_images_of_digits_over_the_line(tmp_path):
    path = ROOT / "configs" / "digits.json"
    found, expected = logits_over_the_line(path, tmp_path, count=10, cycles=10_000_000)
    assert found == expected.tolist() and len(found) == 10
