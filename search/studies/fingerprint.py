"""What the house makes of shipped and random configurations, as digests.

A move of the code changes none of them: the outputs of two commits are compared with ``diff``.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import design_of, write_design
from kakure.model.commands.command import whole
from kakure.model.parameters.parameters import random_parameters
from kakure.search.cost.digital.model import DigitalModel
from kakure.sim.generation.project import Project, open_project
from kakure.sim.random_config import random_config
from kakure.sim.runner.golden import golden_vectors

__all__ = ["fingerprint", "options", "run"]

VECTORS = 2
"""Images of a configuration whose golden results are looked at."""


def fingerprint(project: Project, model: DigitalModel) -> dict[str, str]:
    """Digests of all that follows from a configuration, by what it is.

    ``config``: its own digest. ``design``: every generated file. ``vectors``: golden results and
    cycles. ``cost``: what the digital model estimates, to the last bit.
    """
    config = project.config
    costs = model.metrics(config, extrapolate=True)
    timing = architecture_of(config).timing()
    images, _ = project.images(VECTORS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_design(folder, config, design_of(config, config.name), project.parameters)
        golden_vectors(config, project.parameters, images).save(folder / "vectors.json")
        vectors = (folder / "vectors.json").read_bytes()
        (folder / "vectors.json").unlink()
        files = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            files.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return {
        "config": config.digest,
        "design": files.hexdigest(),
        "vectors": hashlib.sha256(vectors).hexdigest(),
        "cost": _digest({"timing": repr(timing), "cost": repr(asdict(costs))}),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def projects(paths: Sequence[Path], seeds: Sequence[int]) -> Iterator[Project]:
    """Configurations with their parameters: those of files, and random ones by seed."""
    for path in paths:
        yield open_project(path)
    for seed in seeds:
        config = random_config(seed)
        parameters = random_parameters(config, seed)
        yield Project(Path(config.name), config, parameters, is_trained=False)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "configs", nargs="+", type=Path, metavar="CONFIG", help="configurations (.json)"
    )
    parser.add_argument(
        "--random", type=whole(0, 10_000), default=40, help="random ones (%(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Print a line for each configuration."""
    model = DigitalModel()
    total = len(args.configs) + args.random
    for project in tqdm(projects(args.configs, range(args.random)), total=total, disable=None):
        found = fingerprint(project, model)
        print(project.config.name, *(f"{name} {text[:16]}" for name, text in found.items()))
