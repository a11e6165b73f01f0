"""Golden vectors know which tests a bench must have."""

import json
import re
from dataclasses import replace
from pathlib import Path

from kakure.sim import bench
from kakure.sim.bench.vectors import CHOICE_TESTS, PRECISION_TESTS, TESTS, PrecisionVectors
from kakure.sim.generation.project import open_project
from kakure.sim.runner.golden import golden_vectors
from tests.test_sim_generation_generate import TINY


def test_every_test_of_the_bench_is_asked_for():
    source = Path(bench.__file__).with_name("test_accelerator.py").read_text(encoding="utf-8")
    names = re.findall(r"@OUTCOME.counted\n *async def (\w+)", source)
    assert names == [*TESTS, *PRECISION_TESTS, *CHOICE_TESTS]
    assert len(names) == source.count("@cocotb.test(")


def test_a_bench_without_some_of_them_is_told(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY))
    project = open_project(path)
    vectors = golden_vectors(project.config, project.parameters, project.images(1)[0])
    assert vectors.lost(TESTS) == ""
    lost = "the bench has lost tests: "
    assert vectors.lost(TESTS[:-2]) == lost + ", ".join(TESTS[-2:])
    some = [PrecisionVectors(tried=1, threshold=0, logits=[], cycles=[])]
    assert replace(vectors, precisions=some).lost(TESTS) == lost + PRECISION_TESTS[0]
    assert replace(vectors, choices=some).lost(TESTS) == lost + CHOICE_TESTS[0]
