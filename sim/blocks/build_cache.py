"""Simulators that are compiled once for each Verilog text."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

from hdl.artifacts import BUILD
from hdl.design import Design
from sim import simulator

__all__ = ["compiled"]

CACHE = BUILD / "cache" / "sim"

RUNTIME = ("verilated", "verilated_vpi", "verilated_threads", "verilated_vcd_c")
"""What Verilator compiles into every simulator, the same each time: three quarters of the work."""


AHEAD = 3600
"""Age of the objects above, from the future: make remakes what is older than its makefile [s]."""


def compiled(design: Design, *, waves: bool = False) -> Path:
    """Compile ``design`` unless that was done before; return the executable.

    Parameters
    ----------
    waves : bool
        Whether a run can leave a waveform, of all signals.
    """
    text = "\n".join(module.verilog for module in design.modules.values())
    digest = hashlib.sha256(f"{_tools()}\n{waves}\n{text}".encode()).hexdigest()[:24]
    executable = CACHE / digest / design.top
    if executable.exists():
        return executable
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".build.") as name:
        folder = Path(name)
        sources = []
        for module in design.modules.values():
            sources.append(folder / f"{module.name}.v")
            sources[-1].write_text(module.verilog)
        runtime = CACHE / f"runtime-{_tools()}{'-waves' if waves else ''}"
        work = folder / "work"
        work.mkdir()
        for item in runtime.glob("*.o"):
            seed = Path(shutil.copy(item, work))
            later = time.time() + AHEAD
            os.utime(seed, (later, later))
        try:
            simulator.build(sources, design.top, work, internals=waves, waves=waves)
        except RuntimeError as error:
            log = Path(shutil.copy(work / "build.log", CACHE / f"{digest}.log"))
            raise RuntimeError(f"Verilator cannot build {design.top}; see {log}") from error
        if not runtime.exists():
            kept = folder / "runtime"
            kept.mkdir()
            for stem in RUNTIME:
                if (work / f"{stem}.o").exists():
                    shutil.copy(work / f"{stem}.o", kept)
            _publish(kept, runtime)
        kept = folder / "kept"
        kept.mkdir()
        shutil.move(work / design.top, kept)
        _publish(kept, executable.parent)
    return executable


def _publish(folder: Path, target: Path) -> None:
    """Give a finished folder its name, unless another process was faster."""
    try:
        folder.rename(target)
    except OSError:
        if not target.exists():
            raise


@cache
def _tools() -> str:
    """Digest of what compiles."""
    compiler = os.environ.get("CXX", "c++")
    parts = [
        subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout,
        version("verilator"),
        version("cocotb"),
        Path(simulator.__file__).read_text(),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
