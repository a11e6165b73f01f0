"""Simulators for cocotb benches, compiled once and shared.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from cocotb_tools import config

from .executables import Recipe
from .executables import compiled as executable
from .simulator import build

__all__ = ["compiled", "placed"]


def compiled(
    modules: Mapping[str, str],
    top: str,
    cache: Path,
    *,
    waves: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> Path:
    """Compile a simulator as :func:`.executables.compiled` does; return it, in the cache.

    Parameters
    ----------
    waves : bool
        Whether a run can leave a waveform, of all signals, and see all signals.
    verbose : bool
        Whether the tools' lines go to the terminal instead of a log.
    """

    def make(sources: Sequence[Path], top: str, folder: Path) -> None:
        build(sources, top, folder, internals=waves, waves=waves, quiet=not verbose)

    linked = f"{version('cocotb')} {config.libs_dir}"
    how = Path(__file__).with_name("simulator.py").read_text(encoding="utf-8")
    recipe = Recipe(
        runtime="waves" if waves else "ports", identity=f"{waves}\n{linked}\n{how}", build=make
    )
    return executable(recipe, modules, top, cache, quiet=quiet)


def placed(executable: Path, folder: Path) -> None:
    """Put an executable of the cache into a folder, to stay there whatever the cache does."""
    target = folder / executable.name
    target.unlink(missing_ok=True)
    try:
        os.link(executable, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(executable, target)
