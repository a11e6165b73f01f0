"""Which tests look at a module: those that import it, the nearest first."""

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["nearest_tests"]

PACKAGES = ("model", "hdl", "sim")
TESTS = ("test_model_", "test_hdl_", "test_sim_")
"""Tests of the search are left out: they are of other things, and slow."""


def nearest_tests(root: Path, most: int) -> dict[str, list[str]]:
    """For every source file of :data:`PACKAGES`, at most ``most`` test files that reach it.

    First the file's namesake, then those from which the fewest imports lead to it.
    """
    modules = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            parts = ("kakure", *(parts[:-1] if parts[-1] == "__init__" else parts))
            modules[".".join(parts)] = path
    graph = {name: set(_imports(name, path, modules)) for name, path in modules.items()}
    ranked: dict[str, list[tuple[int, str]]] = {name: [] for name in modules}
    for test in sorted((root / "tests").glob("test_*.py")):
        if not test.name.startswith(TESTS):
            continue
        for name, distance in _distances(set(_imports("", test, modules)), graph).items():
            is_namesake = test.stem == name.replace(".", "_").replace("kakure", "test", 1)
            ranked[name].append((-1 if is_namesake else distance, f"tests/{test.name}"))
    return {
        modules[name].relative_to(root).as_posix(): [test for _, test in sorted(found)[:most]]
        for name, found in ranked.items()
    }


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
