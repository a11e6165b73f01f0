"""How fast the RTL of a whole accelerator is simulated, by cocotb and by a compiled program."""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import top_name
from kakure.model.files.work_folder import keep
from kakure.sim import bench
from kakure.sim.generation.project import Project
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.model_build import compiled_model
from kakure.sim.runner.model_tasks import FULL_RATE, Program, Task
from kakure.sim.runner.run_folder import CACHE, copied_folder
from kakure.sim.runner.simulator import run
from kakure.sim.runner.simulator_cache import compiled, placed
from kakure.sim.runner.vector_file import VectorWriter

from .figure import Figure

__all__ = ["simulation"]

CYCLES = 500_000
"""About how many are simulated."""


def simulation(project: Project) -> Iterator[Figure]:
    """Clock cycles per second at full rate, every logit compared; loading is in the time.

    cocotb as the benches of Kakure use it, woken by handshakes; cocotb as most benches are written,
    woken in every cycle; a compiled program alone, and one for each processor.
    """
    interval = architecture_of(project.config).timing(3).interval
    jobs = len(os.sched_getaffinity(0))
    images, _ = project.images(max(4 * jobs, CYCLES // interval))
    with copied_folder(project) as work:
        modules = {
            file.stem: file.read_text(encoding="utf-8") for file in (work / "verilog").glob("*.v")
        }
        by_handshakes, in_every_cycle = _cocotb(project, images, modules, work)
        yield _figure("RTL, cocotb", by_handshakes, "every cycle", in_every_cycle)
        program = _program(project, modules, work)
        alone, together = _compiled(program, images, 1), _compiled(program, images, jobs)
    yield _figure("RTL, compiled", alone, "cocotb", by_handshakes)
    at_once = f"compiled, {jobs} at once"
    yield _figure(at_once, together, "cocotb", by_handshakes)
    yield _figure(at_once, together, "cocotb, every cycle", in_every_cycle)


def _figure(what: str, kakure: float, way: str, other: float) -> Figure:
    return Figure(what, "cycles/s", kakure, way, other, kakure / other)


def _cocotb(
    project: Project, images: NDArray[np.uint8], modules: dict[str, str], work: Path
) -> tuple[float, float]:
    """Cycles per second of a bench that waits for handshakes, and of one that looks at each."""
    vectors = golden_vectors(project.config, project.parameters, images)
    vectors.save(work / "vectors.json")
    top = top_name(project.config)
    placed(compiled(modules, top, CACHE, quiet=True), work)
    where = work / "bench"
    shutil.copyfile(Path(bench.__file__).parent / "driving.py", where / "driving.py")
    given = {"vectors": str((work / "vectors.json").resolve())}
    tests, failed = run(work, top, "driving", where, parameters=given)
    if failed or tests != 2:
        keep(work)
        raise RuntimeError(f"the benchmark's bench fails; see {work / 'run.log'}")
    rates = {}
    for case in ElementTree.parse(work / "results-driving.xml").iter("testcase"):
        rates[case.get("name")] = vectors.cycles[-1] / float(case.get("time", "nan"))
    return rates["waiting_for_handshakes"], rates["looking_at_every_cycle"]


def _program(project: Project, modules: dict[str, str], work: Path) -> Program:
    header = (work / "kakure.h").read_text(encoding="utf-8")
    executable = compiled_model(modules, top_name(project.config), header, CACHE, quiet=True)
    return Program(executable, VectorWriter(project.config, project.parameters), 1, work)


def _compiled(program: Program, images: NDArray[np.uint8], jobs: int) -> float:
    """Cycles per second of as many processes at once, each with its share of the images."""
    share = -(-len(images) // jobs)
    tasks = [
        Task(FULL_RATE, at, min(share, len(images) - at)) for at in range(0, len(images), share)
    ]
    checksums = [program.prepare(task, images[task.images]) for task in tasks]
    with ThreadPoolExecutor(jobs) as workers:
        begin = time.perf_counter()
        done = list(workers.map(program.simulate, tasks, checksums, [lambda: None] * len(tasks)))
        seconds = time.perf_counter() - begin
    return sum(counts["cycles"] for counts in done) / seconds
