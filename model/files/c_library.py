"""C that is compiled where it runs, and kept."""

import ctypes
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kakure.model.errors import Damaged, UserError
from kakure.model.provenance import Provenance

from .atomic import write_atomically
from .seal import read_sealed, sealed

__all__ = ["c_library"]


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
        Where libraries are kept. Where it cannot be written, nothing is.

    Raises
    ------
    UserError
        If there is no C compiler, or it refuses.
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
    with tempfile.TemporaryDirectory() as place:
        source, made = Path(place, "library.c"), Path(place, "library.so")
        source.write_text(text)
        _run([*command, "-o", str(made), str(source)], name)
        try:
            write_atomically(built, sealed(made.read_bytes()))
        except OSError:  # a folder that cannot be written, or a full disk
            return ctypes.CDLL(str(made))
    return ctypes.CDLL(str(built.resolve()))


def _run(command: Sequence[str], name: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{command[0]} cannot compile {name}: {done.stderr.strip()[:200]}")
    return done.stdout
