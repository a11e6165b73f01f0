"""The measurements of ``make bench``."""

import time
from collections.abc import Callable, Iterable, Iterator
from unittest.mock import patch

from kakure.hdl.emission.artifacts import BUILD, design_of
from kakure.hdl.emission.verilog import verilog_texts
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.synthesis.plain import plain_flow
from kakure.model.files.work_folder import fresh_folder
from kakure.model.reference.network import network
from kakure.sim.generation.generate import generate
from kakure.sim.generation.project import Project

from .figure import Figure
from .integers import rates
from .module_at_a_time import module_at_a_time
from .naive_reference import naive_network
from .simulators import simulation

__all__ = ["FIGURES", "figures"]


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


FIGURES: dict[str, Callable[[Project], Iterable[Figure]]] = {
    "reference": lambda project: [reference(project)],
    "integers": lambda project: [judged(project)],
    "generation": lambda project: [generation(project)],
    "simulation": simulation,
    "synthesis": lambda project: [synthesis(project)],
}
"""What can be measured of a configuration, in this order."""


def figures(project: Project, names: Iterable[str] = FIGURES) -> Iterator[Figure]:
    """Measurements by their names, as they finish."""
    BUILD.mkdir(exist_ok=True)
    for name in names:
        yield from FIGURES[name](project)
