"""Accelerators as programs: Verilog and the tests of ``model_tests.h``, compiled by Verilator."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile

from kakure.model.commands.lifetime import tied

from .executables import Recipe, compiled
from .simulator import CannotBuild, wheel_on_path

__all__ = ["compiled_model"]

HERE = Path(__file__).parent
PROGRAM = (
    "model_main.cpp",
    "model_tests.h",
    "model_bench.h",
    "model_driver.h",
    "model_vectors.h",
)
"""The program around the model, in C++."""

VERILATE = [
    "--cc",
    "--exe",
    "--prefix",
    "Vaccelerator",
    "-Wno-fatal",  # Amaranth's Verilog leaves widths to be extended
    "-Wno-lint",
    "--output-split",
    "20000",  # one huge file would take the C++ compiler fifteen times as long
    "--output-split-cfuncs",
    "2000",  # a fifth less to compile, and no slower
    "-fdfg-synthesize-all",  # a sixth faster where columns are many
    "--assert",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "--no-timing",
    "-O3",
]

MAKE = ["OPT_FAST=-Os", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"]
"""The model as small as can be: -O3 makes it no faster, and takes longer to compile."""


def compiled_model(
    modules: Mapping[str, str], top: str, header: str, cache: Path, *, quiet: bool = False
) -> Path:
    """Compile an accelerator and its tests as :func:`.executables.compiled` does.

    Parameters
    ----------
    modules : mapping of str to str
        Verilog text of each file, by the file's name without ``.v``.
    top : str
        The accelerator.
    header : str
        Text of its ``kakure.h``: addresses, fields and codes.
    cache : Path
        Folder of the executables.

    Raises
    ------
    RuntimeError
        If the sources do not compile; the message names the log.
    OSError
        If the file system refuses.
    """

    def make(sources: Sequence[Path], top: str, folder: Path) -> None:
        _build(sources, top, header, folder)

    texts = [
        Path(__file__).read_text(encoding="utf-8"),
        header,
        *((HERE / name).read_text(encoding="utf-8") for name in PROGRAM),
    ]
    recipe = Recipe(runtime="model", identity="\n".join(texts), build=make)
    return compiled(recipe, modules, top, cache, quiet=quiet)


def _build(sources: Sequence[Path], top: str, header: str, folder: Path) -> None:
    """Verilate and compile into ``folder``, whose path has no blank."""
    for name in PROGRAM:
        copyfile(HERE / name, folder / name)
    (folder / "kakure.h").write_text(header, encoding="utf-8")
    log = folder / "build.log"
    with wheel_on_path(), log.open("wb") as output:
        os.environ["TMPDIR"] = str(folder.resolve())  # what a killed compiler leaves goes with it
        binary = Path(os.environ["VERILATOR_ROOT"]) / "bin" / "verilator_bin"
        verilate = [str(binary), *VERILATE, "--top-module", top, "-o", top, "-Mdir", "."]
        verilate += ["-CFLAGS", "-std=c++20", *(str(source.resolve()) for source in sources)]
        make = ["make", "-j", str(os.cpu_count() or 1), "-f", "Vaccelerator.mk", *MAKE]
        for command in ([*verilate, "model_main.cpp"], make):
            done = subprocess.run(
                tied(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode:
                raise CannotBuild(top, log, f"{Path(command[0]).name} ended {done.returncode}")
