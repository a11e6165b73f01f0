"""What one simulation works on: its images, and a copy of the generated folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.emission.artifacts import BUILD, build_folder, locked_folder
from kakure.model.commands.command import say
from kakure.model.errors import Damaged, UserError
from kakure.model.files.work_folder import fresh_folder
from kakure.sim.generation.generate import facts_of, generate
from kakure.sim.generation.origin import NAME, Origin
from kakure.sim.generation.project import Project

__all__ = ["CACHE", "copied_folder", "edited_note", "wanted_images"]

CACHE = BUILD / "cache" / "sim"
"""Compiled simulators."""

PARTS = ("verilog", "bench", "kakure.h")
"""What of a generated folder decides a simulation."""


def wanted_images(
    project: Project, count: int | None, *, or_fewer: bool
) -> tuple[NDArray[np.uint8], str]:
    """Return the first ``count`` test images (None: all), and what they are, without their number.

    Raises
    ------
    UserError
        If there are fewer, unless ``or_fewer``.
    """
    images, description = project.images(count)
    what = description.partition(" ")[2]
    if count is not None and len(images) < count and not or_fewer:
        raise UserError(
            f"must be at most {len(images)}, all {what}", where=("--images",), value=count
        )
    return images, what


@contextmanager
def copied_folder(project: Project) -> Iterator[Path]:
    """Yield a folder in ``build/sim/`` that no other run uses, with Verilog, bench and header.

    The accelerator is generated first where it is missing, or of other parameters or sources, and
    anew, with a line that says so, where a file of it is damaged. Verilog that somebody has edited
    is no damage.
    """
    folder = build_folder(project.config)
    with fresh_folder(BUILD / "sim" / folder.name) as run:
        while not _copied(project, folder, run):
            generate(project)
        yield run


def edited_note(run: Path) -> str:
    """Return a line that names what was edited by hand; empty where nothing was."""
    edited = Origin.read(run).edited(run)
    return f"simulated as it is, edited by hand: {', '.join(edited)}\n" if edited else ""


def _copied(project: Project, folder: Path, run: Path) -> bool:
    """Copy into ``run``, unless something is missing, damaged, or of other sources."""
    with locked_folder(folder):
        if not folder.exists():
            return False
        try:
            origin = Origin.read(folder)
            if origin.facts != facts_of(project):
                return False
            damaged = origin.damaged(folder, PARTS)
            if damaged:
                raise Damaged(f"damaged or missing: {', '.join(damaged)}", file=folder)
        except Damaged as error:
            say(f"{error}; generated anew")
            return False
        edited = (f"verilog/{name}" for name in origin.edited(folder))
        for name in {NAME, *origin.within(PARTS), *edited}:
            (run / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(folder / name, run / name)
    return True
