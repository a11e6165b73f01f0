"""Probes in a copy of the sources: one at the beginning of every function, which notes that it ran.

Lines cost too much: a tracer is called in every line of a simulation, and triples its time.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["put_probes"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

NOTE = "__note__"
"""The function that ``noting.py``, a plugin of pytest, puts among the built-in ones."""

IMPORT = f"{NOTE} = getattr(__import__('builtins'), {NOTE!r}, len)\n"
"""Where there is no plugin, as in processes that a test starts, nothing is noted."""


def put_probes(root: Path, file: str) -> None:
    """Write a Python file anew, with a probe in every function.

    A function is called ``file:Class.method``, so that it may move within its file.
    """
    path = root / file
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, node in list(_functions(tree)):
        probe = ast.parse(f"{NOTE}({f'{file}:{name}'!r})").body
        node.body[_begin(node) : _begin(node)] = probe
    at = _begin(tree)
    while at < len(tree.body) and _is_future(tree.body[at]):
        at += 1
    tree.body[at:at] = ast.parse(IMPORT).body
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n", encoding="utf-8")


def _functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Every function below a node, by its name and those of what it lies in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield f"{within}{child.name}", child
        is_named = isinstance(child, Function | ast.ClassDef)
        yield from _functions(child, f"{within}{child.name}." if is_named else within)


def _begin(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Which statement comes after the docstring."""
    return int(ast.get_docstring(node, clean=False) is not None)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
