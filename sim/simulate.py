"""``make sim``: images through the whole accelerator's RTL, compared bit for bit."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hdl.artifacts import BUILD, build_folder

from .generate import edited_files, generate, is_current
from .golden import golden_vectors
from .project import Project

__all__ = ["Outcome", "simulate"]


@dataclass(frozen=True)
class Outcome:
    """What a simulation showed.

    Attributes
    ----------
    failures : list of str
        Empty where everything is equal.
    images : str
        What was simulated.
    cycles : int
        Clock cycles from the first word of the first image to the last result, at full rate.
    seconds : float
        Wall time, compilation included.
    note : str
        What else the user must know; empty, or whole lines.
    """

    failures: list[str]
    images: str
    cycles: int
    seconds: float
    note: str


def simulate(project: Project, count: int | None, seed: int) -> Outcome:
    """Simulate ``count`` test images (None: all) on the accelerator, and compare.

    It is generated first where it is not there, or is from other parameters or sources.

    The simulator is kept in ``build/sim/`` and compiled again only when the Verilog changes.
    """
    begin = time.monotonic()
    folder = build_folder(project.config)
    if not is_current(project, folder):
        generate(project)
    edited = edited_files(folder)
    note = f"simulated as it is, edited by hand: {', '.join(edited)}\n" if edited else ""
    images, description = project.images(count)
    work = BUILD / "sim" / build_folder(project.config).name
    work.mkdir(parents=True, exist_ok=True)
    vectors = golden_vectors(project.config, project.parameters, images)
    path = work / "vectors.json"
    vectors.save(path)
    failures = run_bench(folder, path, work, seed)
    return Outcome(failures, description, vectors.cycles[-1], time.monotonic() - begin, note)


def run_bench(folder: Path, vectors: Path, work: Path, seed: int) -> list[str]:
    """Run the generated bench as a user would, on other vectors; return what failed."""
    command = [sys.executable, str(folder / "bench" / "run.py"), "--quiet"]
    command += ["--vectors", str(vectors), "--work", str(work), "--seed", str(seed)]
    bench = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    failures = [
        line.removeprefix("FAIL ") for line in bench.stdout.splitlines() if line.startswith("FAIL ")
    ]
    if bench.returncode and not failures:
        failures = [f"the bench ended with code {bench.returncode}"]
    return failures
