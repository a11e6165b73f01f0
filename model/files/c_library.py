"""C that is compiled where it runs, and kept."""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kakure.model.errors import Damaged, UserError
from kakure.model.provenance import Provenance
from kakure.model.shown import cut, printable

from .atomic import write_atomically
from .seal import read_sealed, sealed
from .work_folder import fresh_folder

__all__ = ["c_library"]

LONGEST_REASON = 200
"""Characters of what a compiler says."""


def c_library(name: str, text: str, options: Sequence[str], folder: Path) -> ctypes.CDLL:
    """Compile C, or take what was compiled before from a folder; a damaged file is made anew.

    A library is used again only for the same text, options, compiler and processor: for all that
    the compiler defines before it reads the text.

    Parameters
    ----------
    name : str
        What it is for, in errors.
    text : str
        C of one library.
    options : sequence of str
        For the compiler, beside those that make a library of position-independent code.
    folder : Path
        Where libraries are kept. Where it cannot be written, by Python or by the compiler, nothing
        is kept, and the system's folder for temporary files takes what is compiled.

    Raises
    ------
    UserError
        If there is no C compiler, or it refuses, or neither folder can be written.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise UserError(f"{name} needs a C compiler: install gcc or clang")
    command = [compiler, *options, "-shared", "-fPIC"]
    defined = _run([*command, "-dM", "-E", "-x", "c", "/dev/null"], name)
    facts = {"text": text, "command": command, "defined": defined}
    built = folder / f"{Provenance(name, facts).digest[:16]}.so"
    if built.exists():
        try:
            read_sealed(built)
        except Damaged as error:
            print(f"{error}: it is compiled anew", file=sys.stderr, flush=True)
            built.unlink()
    if built.exists():
        return ctypes.CDLL(str(built.resolve()))
    try:
        with fresh_folder(folder, "work.") as place:
            content = sealed(_compiled(command, text, place, name).read_bytes())
        write_atomically(built, content)
    except (OSError, UserError):  # a folder that cannot be written, a full disk, or wrong C
        return _kept_nowhere(command, text, name)
    return ctypes.CDLL(str(built.resolve()))


def _kept_nowhere(command: Sequence[str], text: str, name: str) -> ctypes.CDLL:
    """The library of a text, of which no file stays."""
    try:
        with tempfile.TemporaryDirectory() as place:
            return ctypes.CDLL(str(_compiled(command, text, Path(place), name)))
    except OSError as error:
        raise UserError(f"{command[0]} cannot compile {name}: {error.strerror or error}") from None


def _compiled(command: Sequence[str], text: str, place: Path, name: str) -> Path:
    """The library of a text, in a folder that takes what the compiler writes meanwhile, too."""
    source, made = place / "library.c", place / "library.so"
    source.write_text(text, encoding="utf-8")
    _run([*command, "-o", str(made.resolve()), str(source.resolve())], name, place)
    return made


def _run(command: Sequence[str], name: str, temporary: Path | None = None) -> str:
    place = {} if temporary is None else {"TMPDIR": str(temporary.resolve())}
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=os.environ | place | {"LC_ALL": "C"},
    )
    if done.returncode:
        raise UserError(f"{command[0]} cannot compile {name}: {_reason(done.stderr)}")
    return done.stdout


def _reason(said: str) -> str:
    """The line of a compiler's that tells why it ended."""
    lines = said.splitlines()
    for sign in (os.strerror(errno.ENOSPC), "error"):
        for line in lines:
            if sign in line:
                return cut(printable(line.strip()), LONGEST_REASON)
    return cut(printable(lines[-1].strip()), LONGEST_REASON) if lines else "it says nothing"
