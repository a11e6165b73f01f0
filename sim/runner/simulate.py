"""``kakure sim``: images through the whole accelerator's RTL, compared bit for bit."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from tqdm import tqdm

from kakure.model.files.work_folder import keep
from kakure.sim.bench.outcome import Outcome, progress, read_outcome, run_name
from kakure.sim.bench.vectors import Vectors
from kakure.sim.generation.project import Project

from .golden import golden_vectors
from .run_folder import CACHE, copied_folder, edited_note, wanted_images

__all__ = ["CACHE", "FULL_RATE", "Simulation", "run_bench", "simulate"]

FULL_RATE = "all_images_at_full_rate"
"""The test of the bench that compares every image, and every cycle count."""


@dataclass(frozen=True)
class Simulation:
    """What a simulation showed. All numbers are what the bench counted as it compared.

    Attributes
    ----------
    failures : list of str
        Empty where everything is equal, and as much was compared as was asked for.
    images : str
        How many images were compared, and what they are.
    logits : int
        How many logits were compared.
    cycles : int
        Clock cycles from the first word of the first image to the last result, at full rate.
    tests : int
        Tests of the bench that ended without a difference.
    seconds : float
        Wall time, compilation included.
    note : str
        What else the user must know; empty, or whole lines.
    """

    failures: list[str]
    images: str
    logits: int
    cycles: int
    tests: int
    seconds: float
    note: str


def simulate(
    project: Project,
    count: int | None,
    seed: int,
    *,
    or_fewer: bool = False,
    planes: int | None = None,
) -> Simulation:
    """Simulate ``count`` test images (None: all) on the accelerator, and compare.

    It is generated first where it is not there, or is from other parameters or sources. Then
    Verilog and bench are copied into a folder of this run in ``build/sim/``, which no other run
    uses. It stays if something differs. Compiled simulators are shared: :data:`CACHE`.

    Parameters
    ----------
    project : Project
    count : int or None
    seed : int
        Of random pauses and corruptions.
    or_fewer : bool
        Whether fewer images will do, where there are not as many.
    planes : int or None
        Planes of bitwise weights that are used; None: all.

    Raises
    ------
    UserError
        If there are fewer images than ``count``.
    """
    begin = time.monotonic()
    images, what = wanted_images(project, count, or_fewer=or_fewer)
    with copied_folder(project) as run:
        note = edited_note(run)
        vectors = golden_vectors(project.config, project.parameters, images, planes)
        vectors.save(run / "vectors.json")
        failures, outcome = run_bench(run, run / "vectors.json", run / "work", seed)
        compared = outcome.count("images", FULL_RATE)
        logits = outcome.count("logits", FULL_RATE)
        cycles = outcome.count("cycles", FULL_RATE)
        classes = project.config.geometry[-1].outputs
        wanted = (len(images), len(images) * classes, vectors.cycles[-1])
        if not failures and (compared, logits, cycles) != wanted:
            asked = f"{wanted[0]} images, {wanted[1]} logits and {wanted[2]} cycles"
            failures = [f"must compare {asked}, not {compared}, {logits} and {cycles}"]
        if failures:
            keep(run)
    return Simulation(
        failures,
        f"{compared} {what}",
        logits,
        cycles,
        len(outcome.tests),
        time.monotonic() - begin,
        note,
    )


def run_bench(folder: Path, vectors: Path, work: Path, seed: int) -> tuple[list[str], Outcome]:
    """Run the bench of ``folder`` as a user would, on other vectors.

    Returns
    -------
    list of str
        What failed.
    Outcome
        What was compared; empty if anything failed.
    """
    command = [sys.executable, str(folder / "bench" / "run.py"), "--quiet", "--with-parent"]
    command += ["--vectors", str(vectors), "--work", str(work), "--seed", str(seed)]
    command += ["--cache", str(CACHE)]
    nothing = Outcome(run="", seed=seed, vectors="")
    with counter(work / "outcome.json"):
        bench = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"},
        )
    failures = [
        line.removeprefix("FAIL ") for line in bench.stdout.splitlines() if line.startswith("FAIL ")
    ]
    if failures:
        return failures, nothing
    if bench.returncode:
        return [f"the bench ended with code {bench.returncode}"], nothing
    try:
        found = read_outcome(work / "outcome.json", run=run_name(work), seed=seed, vectors=vectors)
    except ValueError as error:
        return [str(error)], nothing
    lost = Vectors.load(vectors).lost(found.declared)
    return ([lost], nothing) if lost else ([], found)


@contextmanager
def counter(outcome: Path) -> Iterator[None]:
    """Show a bar of the results that came, where stderr is a terminal, while the bench runs."""
    ended = Event()

    def show(bar: tqdm) -> None:
        while not ended.wait(0.2):
            state = progress(outcome)
            if state is not None:
                bar.n, bar.total = state[:2]
                bar.refresh()

    with tqdm(unit="image", desc="simulation", leave=False, disable=not sys.stderr.isatty()) as bar:
        shower = Thread(target=show, args=(bar,), daemon=True)
        if not bar.disable:
            shower.start()
        try:
            yield
        finally:
            ended.set()
            if not bar.disable:
                shower.join()
