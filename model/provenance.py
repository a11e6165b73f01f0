"""What decides a result: arguments, seeds, data, sources and tools, under one digest."""

import ast
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import UserError

__all__ = ["Provenance", "array_digest", "read_sources", "sources", "tools"]

ROOT = Path(__file__).resolve().parent.parent
"""Where the packages lie: the folder that is imported as :data:`NAME`."""

NAME = "kakure"
PACKAGES = ("model", "hdl", "sim", "search")

_PARSING = Lock()
"""Python 3.11 raises SystemError where two threads parse at once."""


@dataclass(frozen=True)
class Provenance:
    """Everything that decides a result, as keys of caches and stores, and as records in results.

    Attributes
    ----------
    kind : str
        Of the result.
    facts : mapping
        What JSON can hold, by name: the configuration or its digest, digests of data, the recipe,
        seeds, :func:`sources`, :func:`tools`.
    """

    kind: str
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Canonical JSON: equal facts give equal text, in whatever order they were named."""
        return json.dumps([self.kind, dict(self.facts)], sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()


def array_digest(*arrays: NDArray[Any]) -> str:
    """SHA-256 of arrays: their types, shapes and numbers."""
    found = sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


@cache
def sources(*names: str) -> str:
    """:func:`read_sources`, read once by a process: those that it runs."""
    with _PARSING:
        return read_sources(*names)


def read_sources(*names: str) -> str:
    """SHA-256 of the sources that decide what some code does, as they are now.

    Parameters
    ----------
    names : str
        Of a package: every file in it. Of a module: the module, what it imports of ours, what that
        imports, and so on, with the packages above them, and the data files beside a module that
        its text names.

    Raises
    ------
    UserError
        If a source cannot be read.
    ValueError
        If there is none of that name.
    """
    found = sha256()
    try:
        for path in sorted(_files(names)):
            text = path.read_bytes()
            found.update(f"{path.relative_to(ROOT).as_posix()}\0{len(text)}\0".encode() + text)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=error.filename) from None
    return found.hexdigest()


@cache
def tools(*packages: str) -> dict[str, str]:
    """Versions of Python and of installed packages; a build's local label is left out."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in packages:
        found[name] = metadata.version(name).partition("+")[0]
    return found


def _files(names: tuple[str, ...]) -> set[Path]:
    found: set[Path] = set()
    waiting: list[str] = []
    for name in names:
        folder = _place(name)
        if folder is not None and folder.is_dir():
            found |= {
                path
                for path in folder.rglob("*")
                if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
            }
        elif _module(name) is None:
            raise ValueError(f"names must be of packages or modules of ours, not {name!r}")
        else:
            waiting += _and_above(name)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = _module(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        tree = ast.parse(path.read_bytes(), str(path))
        found |= {path, *_data(tree, path.parent)}
        waiting += _imported(tree, name, is_package=path.name == "__init__.py")
    return found


def _module(name: str) -> Path | None:
    """The file of a module or package of ours."""
    path = _place(name)
    if path is None:
        return None
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _place(name: str) -> Path | None:
    """Where a package of ours lies, or a module but for its ending."""
    first, *parts = name.split(".")
    return ROOT.joinpath(*parts) if first == NAME and parts and parts[0] in PACKAGES else None


def _data(tree: ast.AST, folder: Path) -> Iterator[Path]:
    """Files beside a module that its text names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
            if 0 < len(name) < 100 and "." in name[1:-1] and name.isprintable():
                path = folder / name
                if "/" not in name and path.is_file():
                    yield path


def _imported(tree: ast.AST, name: str, *, is_package: bool) -> Iterator[str]:
    """Names of modules that a module may import, anywhere in its text, and of those above them."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = parts[: len(parts) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            targets = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for target in targets:
            yield from _and_above(target)


def _and_above(name: str) -> list[str]:
    """A module and the packages that it is in: importing it runs them."""
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
