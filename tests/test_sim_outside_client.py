"""The accelerator driven by an AXI client that is not ours."""

import json
import shutil
from pathlib import Path

import pytest

from kakure.hdl.emission.artifacts import top_name
from kakure.sim import bench
from kakure.sim.generation.generate import BENCH_FILES, generate
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulator import build, run
from tests.test_sim_generation_generate import TINY

FOLDER = Path(bench.__file__).parent


@pytest.mark.xdist_group("tiny_rtl")
def test_an_outside_client_sees_what_the_vectors_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY))
    project = open_project(path)
    folder, top = generate(project), top_name(project.config)
    sources = sorted((folder / "verilog").glob("*.v"))
    work = build(sources, top, tmp_path / "work")
    shutil.copyfile(FOLDER / "outside_client.py", folder / "bench" / "outside_client.py")
    vectors = str((folder / "bench" / "vectors.json").resolve())
    tests, failed = run(
        work, top, "outside_client", folder / "bench", parameters={"vectors": vectors}
    )
    assert (tests, failed) == (2, 0), (work / "run.log").read_text()[-3000:]


def test_a_generated_bench_does_not_need_that_client():
    for name in BENCH_FILES:
        assert "cocotbext" not in (FOLDER / name).read_text()
