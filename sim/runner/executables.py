"""Executables that are compiled once for each Verilog text, tool and flag, and shared.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache as once
from importlib.metadata import version
from pathlib import Path

from kakure.model.files.work_folder import LOCK, fresh_folder, held, temporary_folder

from .simulator import CannotBuild

__all__ = ["LIMIT_BYTES", "Recipe", "compiled"]

LIMIT_BYTES = 512 << 20
"""What is not used any more goes, the longest unused first, where all is larger [byte]."""

FRESH_SECONDS = 3600
"""What was used in this time stays in any case [s]."""

SUMS = "sha256.json"
"""File of an entry that tells its other files' digests: without it, or with others, it is damaged.
Its time is that of the last use."""

LEAST_BYTES = 1 << 20
"""With less space than this a compilation fails because of that [byte]."""

RUNTIME = ("verilated", "verilated_vpi", "verilated_threads", "verilated_vcd_c")
"""What Verilator compiles into every simulator, the same each time: three quarters of the work."""

AHEAD = 3600
"""Age of the objects above, from the future: make remakes what is older than its makefile [s]."""


BUILDABLE = re.compile(r"[\w./+,@^-]+")
"""Paths that neither make nor its shell takes apart, without a blank, a colon, a quote, a sign."""


@dataclass(frozen=True)
class Recipe:
    """How Verilog becomes an executable.

    Attributes
    ----------
    runtime : str
        What Verilator's own objects are compiled for: recipes of one name share them.
    identity : str
        All that decides what becomes of the Verilog, but for Verilator and the C++ compiler.
    build : callable
        Given the Verilog files, the top module and a folder, leaves the executable in the folder,
        named as the top module. Raises :class:`.CannotBuild`.
    """

    runtime: str
    identity: str
    build: Callable[[Sequence[Path], str, Path], object]


def compiled(
    recipe: Recipe,
    modules: Mapping[str, str],
    top: str,
    cache: Path,
    *,
    quiet: bool = False,
) -> Path:
    """Compile Verilog unless that was done before; return the executable, in the cache.

    It is compiled in a folder of its own and renamed when it is whole: a kill at any moment leaves
    nothing that is used, and what it leaves is removed by the next who compiles. That folder is in
    the cache, or, where make could not build there, among the system's temporary files. Of two
    processes that want the same simulator the second waits, and says so. A damaged entry is named
    and made anew.

    Parameters
    ----------
    recipe : Recipe
    modules : mapping of str to str
        Verilog text of each file, by the file's name without ``.v``.
    top : str
        Module under test.
    cache : Path
        Folder of the executables; made when it is missing.
    quiet : bool
        Whether nothing is said of the compilation; else what it takes, on stderr.

    Raises
    ------
    RuntimeError
        If the sources do not compile; the message names the log.
    OSError
        If the file system refuses.
    """
    text = "\n".join(f"{name}\n{modules[name]}" for name in sorted(modules))
    facts = f"{_tools()}\n{recipe.identity}\n{top}\n{text}"
    digest = hashlib.sha256(facts.encode()).hexdigest()[:24]
    entry = cache / digest
    if _is_used(entry):
        return entry / top
    (cache / "locks").mkdir(parents=True, exist_ok=True)
    with held(cache / "locks" / digest[:2], f"it compiles a simulator into {cache}"):
        if not _is_used(entry):
            if entry.exists():
                print(f"{entry}: is damaged, compiled anew", file=sys.stderr, flush=True)
            if not quiet:
                _announce(modules, top, cache)
            begin = time.monotonic()
            _compile(recipe, modules, top, entry)
            if not quiet:
                print(f"compiled in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
            _prune(cache)
    return entry / top


def _announce(modules: Mapping[str, str], top: str, cache: Path) -> None:
    size = sum(map(len, modules.values())) / 1e6
    print(
        f"compiling the simulator of {top}: {len(modules)} files, {size:.1f} MB of Verilog, with "
        f"verilator {version('verilator')} and {_compiler()}; once, it is kept in {cache}",
        file=sys.stderr,
        flush=True,
    )


def _compile(recipe: Recipe, modules: Mapping[str, str], top: str, entry: Path) -> None:
    cache = entry.parent
    with fresh_folder(cache, ".build.") as folder, _place(folder) as place:
        sources = []
        for name, text in modules.items():
            sources.append(place / f"{name}.v")
            sources[-1].write_text(text, encoding="utf-8")
        work = place / "work"
        work.mkdir()
        runtime = cache / f"runtime-{_tools()}-{recipe.runtime}"
        with held(cache / LOCK, f"it copies from {cache}"):
            is_runtime_there = _is_used(runtime)
            for item in runtime.glob("*.o") if is_runtime_there else ():
                seed = Path(shutil.copy(item, work))
                later = time.time() + AHEAD
                os.utime(seed, (later, later))
        log = cache / f"{entry.name}.log"
        try:
            recipe.build(sources, top, work)
        except CannotBuild as error:
            raise RuntimeError(_failure(work / "build.log", log, error)) from error
        log.unlink(missing_ok=True)
        if not is_runtime_there:
            _publish([work / f"{stem}.o" for stem in RUNTIME], folder / "runtime", runtime)
        _publish([work / top], folder / "kept", entry)


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """Yield ``folder``, or where make cannot build in its path one for temporary files."""
    if BUILDABLE.fullmatch(str(folder.resolve())):
        yield folder
        return
    with temporary_folder("build") as place:
        if not BUILDABLE.fullmatch(str(place.resolve())):
            rule = "must be a path of letters, digits and ./+,@^-_ alone"
            raise RuntimeError(f"TMPDIR: {rule}, not {place.parent}")
        yield place


def _failure(log: Path, kept: Path, error: CannotBuild) -> str:
    """One line on why nothing was compiled; the log is kept as ``kept`` where that can be."""
    text = log.read_text(errors="replace", encoding="utf-8") if log.exists() else ""
    if "No space left on device" in text or shutil.disk_usage(kept.parent).free < LEAST_BYTES:
        return f"{kept.parent}: No space left on device"
    if not text:
        return str(error)
    try:
        kept.write_text(text, encoding="utf-8")
    except OSError:
        return str(error)
    lines = [line.strip() for line in text.splitlines() if "rror" in line] or ["no message"]
    return f"{error.what}: {lines[0]} (log: {kept})"


def _publish(files: list[Path], folder: Path, target: Path) -> None:
    """Give files their digests and a folder, and that its name when it is whole."""
    folder.mkdir()
    sums = {}
    for file in files:
        if file.exists():
            shutil.copy2(file, folder)
            sums[file.name] = _sha256(file)
    (folder / SUMS).write_text(json.dumps(sums, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    with held(target.parent / LOCK, f"it writes into {target.parent}"):
        if not _is_used(target):
            shutil.rmtree(target, ignore_errors=True)
            folder.rename(target)


def _is_used(entry: Path) -> bool:
    """Whether an entry is there and whole; if so it counts as used now."""
    try:
        sums = json.loads((entry / SUMS).read_text(encoding="utf-8"))
        is_whole = bool(sums) and all(_sha256(entry / name) == sums[name] for name in sums)
        if is_whole:
            (entry / SUMS).touch()
    except (OSError, ValueError, AttributeError):
        return False
    return is_whole


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _prune(cache: Path) -> None:
    """Remove what has not been used for the longest time, where all together is too large."""
    with held(cache / LOCK, f"it tidies {cache}"):
        entries = []
        total = 0
        for path in cache.iterdir():
            if path.name in (LOCK, "locks") or path.name.startswith("."):
                continue
            stamp = path / SUMS if (path / SUMS).exists() else path
            with suppress(FileNotFoundError):  # removed meanwhile
                size = sum(file.stat().st_size for file in [path, *path.glob("*")])
                entries.append((stamp.stat().st_mtime, size, path))
                total += size
        for used, size, path in sorted(entries):
            if total <= LIMIT_BYTES or used > time.time() - FRESH_SECONDS:
                break
            total -= size
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _compiler() -> str:
    return os.environ.get("CXX", "c++")


@once
def _tools() -> str:
    """Digest of what compiles."""
    try:
        asked = subprocess.run(
            [_compiler(), "--version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    except FileNotFoundError:
        raise RuntimeError(f"{_compiler()}: a C++ compiler must be installed") from None
    parts = [asked.stdout, version("verilator"), Path(__file__).read_text(encoding="utf-8")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
