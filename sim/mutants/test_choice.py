"""Which tests look at a module: those that import it, the nearest first."""

import ast
from collections.abc import Iterator, Set
from pathlib import Path

__all__ = ["nearest_tests"]

PACKAGES = ("model", "hdl", "sim")
TESTS = ("test_model_", "test_hdl_", "test_sim_", "test_search_cost_digital_tree")
"""Tests of the search are left out, but for those of shapes: they are of other things, and slow."""


def nearest_tests(root: Path, most: int) -> dict[str, list[str]]:
    """For every source file of :data:`PACKAGES`, at most ``most`` test files that reach it.

    First the file's namesakes, whether or not imports lead from them to it (a command is found by
    its name), then those from which the fewest do. A test named after a file and what of it is
    looked at is a namesake too: ``test_hdl_block_errors.py`` of ``hdl/block.py``, if there is no
    ``hdl/block/errors.py`` or ``hdl/block_errors.py``. What several tests share, a file beside them
    that is no test, is as if each of them held it.
    """
    modules = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            parts = ("kakure", *(parts[:-1] if parts[-1] == "__init__" else parts))
            modules[".".join(parts)] = path
    graph = {name: set(_imports(name, path, modules)) for name, path in modules.items()}
    ranked: dict[str, list[tuple[int, str]]] = {name: [] for name in modules}
    stems = {name.replace(".", "_").replace("kakure", "test", 1) for name in modules}
    beside = {}
    for path in sorted((root / "tests").glob("*.py")):
        if not path.stem.startswith("test_"):
            beside |= {path.stem: path, f"tests.{path.stem}": path}
    for test in sorted((root / "tests").glob("test_*.py")):
        if not test.name.startswith(TESTS):
            continue
        stem = _namesake(test.stem, stems)
        distances = _distances(set(_held(test, modules, beside)), graph)
        for name in modules:
            is_namesake = stem == name.replace(".", "_").replace("kakure", "test", 1)
            if is_namesake or name in distances:
                distance = -1 if is_namesake else distances[name]
                ranked[name].append((distance, f"tests/{test.name}"))
    return {
        modules[name].relative_to(root).as_posix(): [test for _, test in sorted(found)[:most]]
        for name, found in ranked.items()
    }


def _namesake(stem: str, stems: Set[str]) -> str:
    """The longest of ``stems`` that a test's name is, or begins with; "" if there is none."""
    fits = (one for one in stems if stem == one or stem.startswith(f"{one}_"))
    return max(fits, key=len, default="")


def _held(test: Path, modules: dict[str, Path], beside: dict[str, Path]) -> Iterator[str]:
    """Modules of ours that a test imports, or what it shares with others."""
    seen, waiting = {test}, [test]
    for path in waiting:
        yield from _imports("", path, modules)
        shared = {beside[name] for name in _imports("", path, beside)} - seen
        seen |= shared
        waiting += sorted(shared)


def _distances(start: set[str], graph: dict[str, set[str]]) -> dict[str, int]:
    """Modules reached from ``start``, and over how many imports."""
    reached = dict.fromkeys(start, 1)
    queue = sorted(start)
    for name in queue:
        for target in sorted(graph[name]):
            if target not in reached:
                reached[target] = reached[name] + 1
                queue.append(target)
    return reached


def _imports(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Modules of ours that a file imports."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for full in (base, *(f"{base}.{alias.name}" for alias in node.names)):
                if full in modules:
                    yield full
