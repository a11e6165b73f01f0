"""Synthesis as an evaluation: a configuration's accelerator, measured once for each generator."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from model.config import Config, parse_config

from .digital.feedback import sample_of
from .digital.measured import Measurement, measure
from .parallel import Task
from .store import Outcome

__all__ = ["measurement_of", "synthesis_task"]


def synthesis_task(config: Config) -> Task:
    """Synthesizing a configuration; its name, data set and parameters do not matter."""
    sample = sample_of(config)
    assert sample.config is not None
    arguments = {"config": sample.config.model_dump_json(), "versions": generator_versions()}
    return Task("synthesis", synthesize_config, arguments)


def synthesize_config(config: str, versions: dict[str, str]) -> Outcome:
    """Emit and synthesize."""
    found = measure(sample_of(parse_config(config, "configuration")))
    return Outcome({"measurement": found.to_json()})


def measurement_of(outcome: Outcome) -> Measurement:
    """What :func:`synthesize_config` found."""
    return Measurement.from_json(outcome.values["measurement"])


@cache
def generator_versions() -> dict[str, str]:
    """What a synthesis depends on besides the configuration: generators, flow, Yosys."""
    from hdl.synthesis.yosys import find_engine

    spec = find_spec("hdl")
    assert spec is not None and spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0])
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".v", ".csv", ".json"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {"hdl": digest.hexdigest()[:16], "yosys": find_engine().version}
