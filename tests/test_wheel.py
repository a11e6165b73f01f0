"""The wheel: it claims one name, and what it installs works in any folder, without the checkout."""

import ast
import csv
import io
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.presets import preset_json

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("model", "hdl", "sim", "search", "configs", "setup.py", "pyproject.toml", "LICENSE")
BORROWED = Path(np.__file__).resolve().parents[1]
"""Where this Python has what Kakure depends on."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: setuptools writes beside the sources."""
    copy, made = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-w", str(made)]
    pip("wheel", *options, str(copy))
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def kakure(wheel, tmp_path_factory) -> Path:
    """The command of an environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    others = folder / "others"  # all but a Kakure that may be there
    others.mkdir()
    for path in BORROWED.iterdir():
        if not path.name.lower().startswith("kakure"):
            (others / path.name).symlink_to(path)
    (packages / "others.pth").write_text(f"{others}\n")
    return folder / "venv" / "bin" / "kakure"


def pip(*options: str) -> None:
    command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def run(kakure: Path, folder: Path, *given: str) -> str:
    """What the installed command prints, told nothing about this environment."""
    environment = {"HOME": str(Path.home()), "PATH": os.defpath, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [kakure, *given], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_claims_one_name_and_carries_every_file_that_the_sources_read(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith("/RECORD"))
        entries = archive.read(record.replace("RECORD", "entry_points.txt")).decode()
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
    assert {name.partition("/")[0] for name in names} == {"kakure", record.partition("/")[0]}
    assert entries.split() == [
        *"[console_scripts] kakure =".split(),
        "kakure.search.commands.start:start",
    ]
    assert len(rows) == len(names)
    packed = {name.removeprefix("kakure/") for name in names if name.startswith("kakure/")}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in SOURCES[:5]
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".md")
    }
    assert packed == wanted


def test_from_a_preset_to_an_accelerator_in_another_folder(kakure, tmp_path):
    text = run(kakure, tmp_path, "preset", "sar")
    assert text == preset_json("sar")
    (tmp_path / "mine.json").write_text(text)
    assert "cycles " in run(kakure, tmp_path, "check", "mine.json")
    run(kakure, tmp_path, "train", "mine.json", "--epochs", "1", "--batch-size", "500")
    page = run(kakure, tmp_path, "gen", "mine.json", "--no-synth")
    (made,) = (tmp_path / "build").glob("*/summary.txt")
    assert page.startswith(made.read_text(encoding="utf-8"))
    assert (made.parent / "report.html").is_file()
    assert len(list((made.parent / "verilog").glob("*.v"))) > 5
    assert (made.parent / "bench" / "run.py").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"mine.json", "sar.safetensors", "build"}


def test_its_spaces_and_version_are_at_hand(kakure, wheel, tmp_path):
    space = run(kakure, tmp_path, "preset", "search-digits")
    assert space == (ROOT / "configs" / "search-digits.json").read_text(encoding="utf-8")
    (tmp_path / "space.json").write_text(space)
    assert "points" in run(kakure, tmp_path, "space", "space.json")
    version = run(kakure, tmp_path, "--version")
    assert version == f"kakure {wheel.name.split('-')[1]}\n"


def test_mutants_ask_for_a_checkout(kakure, tmp_path):
    done = subprocess.run([kakure, "mutants"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("must be a checkout of the repository, with its tests\n")
    assert done.stderr.count("\n") == 1


OUTSIDE = {"cocotbext-axi", "cocotbext-uart"}
"""What only tests need; both are of one namespace."""

IMPORTED_IN = {"sim/bench/outside_client.py", "sim/bench/uart_host.py"}
"""And where."""


def test_every_import_is_of_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {line.partition("==")[0] for line in project["dependencies"]}
    providers = metadata.packages_distributions()
    found = set()
    for path in (path for folder in SOURCES[:4] for path in (ROOT / folder).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_bytes())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules = [node.module]
            for name in {module.partition(".")[0] for module in modules}:
                for distribution in sorted(set(providers.get(name, ()))):
                    found.add(distribution)
                    is_here = distribution in OUTSIDE and place in IMPORTED_IN
                    assert distribution in declared or is_here, f"{place}: {distribution}"
    assert {"amaranth", "numpy", "torch", "shtab", "wasmtime"} <= found
