"""Imports point left: model <- hdl <- sim <- search, and hdl never meets torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("model", "hdl", "sim", "search")
PLAIN = {
    "model.config",
    "model.atomic",
    "model.command",
    "model.errors",
    "model.geometry",
    "model.image",
    "model.interrupt",
    "model.lifetime",
    "model.parameters",
    "model.provenance",
    "model.reference",
    "model.regular_file",
    "model.seal",
    "model.shown",
    "model.work_folder",
}
"""What hdl may import of model: plain integers and numpy, no torch."""


def sources(root: Path) -> dict[str, Path]:
    """Every module of the four packages under ``root``, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Full names of what ``name`` imports anywhere in its text, of ours down to the module."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in modules else base


def violations(root: Path) -> list[str]:
    """One line per import that breaks the rules, in the tree under ``root``."""
    modules = sources(root)
    graph = {name: set(imports(name, path, modules)) for name, path in modules.items()}
    wrong = []
    for name, targets in graph.items():
        rank = PACKAGES.index(name.partition(".")[0])
        for target in sorted(targets):
            top = target.partition(".")[0]
            if top not in PACKAGES:
                continue
            if PACKAGES.index(top) > rank:
                wrong.append(f"{name} imports {target}, to its right")
            elif PACKAGES[rank] == "hdl" and top == "model" and target not in PLAIN:
                wrong.append(f"{name} imports {target}, not one of {', '.join(sorted(PLAIN))}")
        if PACKAGES[rank] == "hdl" and (chain := path_to_torch(name, graph)):
            wrong.append(f"{name} reaches torch: {' -> '.join(chain)}")
    return wrong


def path_to_torch(start: str, graph: dict[str, set[str]]) -> list[str]:
    """Shortest chain of imports from ``start`` to torch; empty where there is none."""
    chains, seen = [[start]], {start}
    for chain in chains:
        for target in sorted(graph[chain[-1]]):
            if target.partition(".")[0] == "torch":
                return [*chain, "torch"]
            parents = [target.rsplit(".", n)[0] for n in range(target.count(".") + 1)]
            for module in parents:  # importing a module runs the packages above it
                if module in graph and module not in seen:
                    seen.add(module)
                    chains.append([*chain, module])
    return []


def write_tree(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_imports_point_left():
    assert sources(ROOT)
    assert violations(ROOT) == []


def test_hdl_runs_without_torch():
    names = [n for n in sources(ROOT) if n.startswith("hdl") and not n.endswith("__main__")]
    code = "import importlib, sys\nfor n in sys.argv[1:]: importlib.import_module(n)\n"
    code += "sys.exit('torch' in sys.modules)"
    command = [sys.executable, "-c", code, *names]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr or "importing hdl also imported torch"


def test_a_clean_tree_passes(tmp_path):
    write_tree(
        tmp_path,
        {
            "model/__init__.py": "",
            "model/config.py": "import json\nfrom .errors import UserError\n",
            "model/errors.py": "",
            "model/layers.py": "import torch\nfrom . import config\n",
            "hdl/__init__.py": "",
            "hdl/array.py": "from model import config\nfrom model.errors import UserError\n",
            "sim/run.py": "from hdl.array import Array\nimport model.layers\nfrom . import bench\n",
            "sim/bench.py": "",
            "search/loop.py": "import sim.run, hdl.array, model.layers\n",
        },
    )
    assert violations(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("model/net.py", "import hdl.array\n", "model.net imports hdl.array"),
        ("model/net.py", "def f():\n    from sim import run\n", "model.net imports sim"),
        ("hdl/top.py", "from sim import run\n", "hdl.top imports sim"),
        ("sim/run.py", "from search.space import Space\n", "sim.run imports search.space"),
        ("hdl/top.py", "from model import layers\n", "hdl.top imports model.layers, not one of"),
        ("hdl/top.py", "import model\n", "hdl.top imports model, not one of"),
        ("hdl/top.py", "import torch.nn\n", "hdl.top reaches torch: hdl.top -> torch"),
        (
            "model/config.py",
            "from .layers import Layer\n",
            "hdl.array reaches torch: hdl.array -> model.config -> model.layers -> torch",
        ),
        (
            "model/__init__.py",
            "from . import layers\n",
            "hdl.array reaches torch: hdl.array -> model -> model.layers -> torch",
        ),
        ("hdl/sub/leaf.py", "from ..top import T\nimport search\n", "imports search, to its right"),
    ],
)
def test_each_broken_rule_is_found(tmp_path, name, text, said):
    tree = {
        "model/__init__.py": "",
        "model/config.py": "",
        "model/layers.py": "import torch\n",
        "hdl/__init__.py": "",
        "hdl/array.py": "from model.config import Config\n",
    }
    write_tree(tmp_path, tree | {name: text})
    assert said in "\n".join(violations(tmp_path))
