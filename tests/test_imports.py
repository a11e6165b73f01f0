"""Imports point left: model <- hdl <- sim <- search, and hdl never meets torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("model", "hdl", "sim", "search")
PLAIN = (
    "commands",
    "config",
    "errors",
    "files",
    "link",
    "parameters",
    "provenance",
    "reference",
    "shown",
)
"""Rooms of model that hdl may import: plain integers and numpy, no torch."""
ALLOWED = [[room] for room in PLAIN]


def sources(root: Path) -> dict[str, Path]:
    """Every module of the four packages under ``root``, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            parts = ("kakure", *(parts[:-1] if parts[-1] == "__init__" else parts))
            found[".".join(parts)] = path
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
        rank = PACKAGES.index(name.split(".")[1])
        for target in sorted(targets):
            first, *rooms = target.split(".")
            if first in PACKAGES:
                wrong.append(f"{name} imports {target}, not kakure.{first}")
            if first != "kakure" or rooms[:1] == [] or rooms[0] not in PACKAGES:
                continue
            if PACKAGES.index(rooms[0]) > rank:
                wrong.append(f"{name} imports {target}, to its right")
            elif PACKAGES[rank] == "hdl" and rooms[0] == "model" and rooms[1:2] not in ALLOWED:
                wrong.append(f"{name} imports {target}, not one of {', '.join(PLAIN)}")
            is_study = target.startswith("kakure.search.studies.")
            if is_study and not name.startswith((
                "kakure.search.studies",
                "kakure.search.commands",
            )):
                wrong.append(f"{name} imports {target}, a study")
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
    names = [n for n in sources(ROOT) if n.startswith("kakure.hdl")]
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
            "model/config/__init__.py": "",
            "model/config/config.py": "import json\nfrom kakure.model.errors import UserError\n",
            "model/errors.py": "",
            "model/training/layers.py": "import torch\nfrom kakure.model.config import config\n",
            "hdl/__init__.py": "",
            "hdl/array.py": "from kakure.model.config import config\n",
            "sim/run.py": "from kakure.hdl.array import Array\nfrom . import bench\n",
            "sim/bench.py": "import kakure.model.training.layers\n",
            "search/loop.py": "import kakure.sim.run, kakure.hdl.array\n",
            "search/studies/paper.py": "import kakure.search.loop\n",
        },
    )
    assert violations(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("model/net.py", "import kakure.hdl.array\n", "model.net imports kakure.hdl.array, to"),
        ("model/net.py", "def f():\n    from kakure.sim import run\n", "imports kakure.sim, to"),
        ("hdl/top.py", "from kakure.sim import run\n", "hdl.top imports kakure.sim, to"),
        ("hdl/top.py", "from hdl import array\n", "hdl.top imports hdl, not kakure.hdl"),
        ("sim/run.py", "import model.layers\n", "imports model.layers, not kakure.model"),
        (
            "sim/run.py",
            "from kakure.search.space import Space\n",
            "imports kakure.search.space, to",
        ),
        (
            "hdl/top.py",
            "from kakure.model import layers\n",
            "imports kakure.model.layers, not one of",
        ),
        ("hdl/top.py", "import kakure.model\n", "hdl.top imports kakure.model, not one of"),
        ("hdl/top.py", "import torch.nn\n", "hdl.top reaches torch: kakure.hdl.top -> torch"),
        (
            "search/loop.py",
            "from .studies import paper\n",
            "imports kakure.search.studies.paper, a",
        ),
        (
            "model/config.py",
            "from .layers import Layer\n",
            "array reaches torch: kakure.hdl.array -> kakure.model.config -> kakure.model.layers ",
        ),
        (
            "model/__init__.py",
            "from . import layers\n",
            "array reaches torch: kakure.hdl.array -> kakure.model -> kakure.model.layers -> torch",
        ),
        ("hdl/sub/leaf.py", "from ..top import T\nimport kakure.search\n", "kakure.search, to its"),
    ],
)
def test_each_broken_rule_is_found(tmp_path, name, text, said):
    tree = {
        "model/__init__.py": "",
        "model/config.py": "",
        "model/layers.py": "import torch\n",
        "hdl/__init__.py": "",
        "hdl/array.py": "from kakure.model.config import Config\n",
        "search/__init__.py": "",
        "search/studies/__init__.py": "",
        "search/studies/paper.py": "",
    }
    write_tree(tmp_path, tree | {name: text})
    assert said in "\n".join(violations(tmp_path))
