"""The measurements of ``make bench``."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

from kakure.hdl.emission.artifacts import BUILD, design_of, top_name
from kakure.hdl.emission.verilog import verilog_texts
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.synthesis.plain import plain_flow
from kakure.model.files.work_folder import fresh_folder, keep
from kakure.model.reference.network import network
from kakure.sim import bench
from kakure.sim.generation.generate import generate
from kakure.sim.generation.project import Project
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.run_folder import CACHE, copied_folder
from kakure.sim.runner.simulator import run
from kakure.sim.runner.simulator_cache import compiled, placed

from .integers import rates
from .module_at_a_time import module_at_a_time
from .naive_reference import naive_network

__all__ = ["Figure", "figures"]


@dataclass(frozen=True)
class Figure:
    """One speed, beside another way of doing the same in the same run.

    Attributes
    ----------
    what, unit : str
    value, other : float
        Kakure's, and the other way's.
    way : str
        What the other way is.
    ratio : float
        How many times as fast Kakure is.
    """

    what: str
    unit: str
    value: float
    way: str
    other: float
    ratio: float


def simulation(project: Project, images: int = 40) -> Figure:
    """Clock cycles per second of the whole accelerator's RTL."""
    pixels, _ = project.images(images)
    vectors = golden_vectors(project.config, project.parameters, pixels)
    with copied_folder(project) as work:
        vectors.save(work / "vectors.json")
        top = top_name(project.config)
        verilog = {file.stem: file.read_text() for file in (work / "verilog").glob("*.v")}
        placed(compiled(verilog, top, CACHE, quiet=True), work)
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
    kakure, other = rates["waiting_for_handshakes"], rates["looking_at_every_cycle"]
    return Figure(
        "RTL simulation", "cycles/s", kakure, "cocotb, every cycle", other, kakure / other
    )


def generation(project: Project) -> Figure:
    """Seconds of ``kakure gen`` where everything was synthesized before: all but the synthesis."""
    generate(project, synthesis_jobs=2)
    seconds = {}
    for way in (verilog_texts, module_at_a_time):
        with patch("kakure.hdl.emission.emit.verilog_texts", way):
            begin = time.perf_counter()
            generate(project, synthesis_jobs=2)
            seconds[way] = time.perf_counter() - begin
    kakure, other = seconds[verilog_texts], seconds[module_at_a_time]
    return Figure("kakure gen, warm", "s", kakure, "Yosys per module", other, other / kakure)


def synthesis(project: Project) -> Figure:
    """Seconds of synthesis per thousand gates (of Kakure's netlist), from an empty cache."""
    design = design_of(project.config, str(project.path))
    with fresh_folder(BUILD / "bench") as cache:
        begin = time.perf_counter()
        report = synthesize(design, cache=cache / "kakure")
        kakure = (time.perf_counter() - begin) / (report.totals.gate_equivalents / 1000)
        plain = plain_flow(design, cache=cache / "plain")
    other = plain.seconds / (report.totals.gate_equivalents / 1000)
    return Figure("synthesis", "s/kGE", kakure, "plain flat Yosys", other, other / kakure)


def reference(project: Project) -> Figure:
    """Images per second of the integer reference."""
    images, _ = project.images(200)
    few = images[:2]
    begin = time.perf_counter()
    naive = [naive_network(project.config, project.parameters, image) for image in few]
    other = len(few) / (time.perf_counter() - begin)
    assert naive == network(project.config, project.parameters, few).tolist()
    begin = time.perf_counter()
    network(project.config, project.parameters, images)
    kakure = len(images) / (time.perf_counter() - begin)
    return Figure(
        "integer reference", "images/s", kakure, "loops over numbers", other, kakure / other
    )


def judged(project: Project) -> Figure:
    """Images per second of the packed integer model."""
    images, _ = project.images(200)
    found = rates(project.config, project.parameters, images, equal=len(images))
    return Figure(
        "packed integers", "images/s", found.rate, "numpy reference", found.other, found.ratio
    )


def figures(project: Project) -> Iterator[Figure]:
    """All measurements, as they finish."""
    BUILD.mkdir(exist_ok=True)
    for measure in (reference, judged, generation, simulation, synthesis):
        yield measure(project)
