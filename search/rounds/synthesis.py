"""Synthesis as an evaluation: a configuration's accelerator, measured once for each generator."""

import json

from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.yosys import find_engine
from kakure.model.config.config import Config
from kakure.model.provenance import sources, tools
from kakure.search.cost.digital.feedback import sample_of
from kakure.search.cost.digital.measured import SOURCES, TOOLS, Measurement, measure_config
from kakure.search.store.task import Outcome, Task

__all__ = ["generator_versions", "measurement_of", "synthesis_task"]


def synthesis_task(config: Config) -> Task:
    """Synthesizing a configuration; its name, data set and parameters do not matter."""
    sample = sample_of(config)
    arguments = {
        "config": json.dumps(sample.parameters, sort_keys=True),
        "library": library().sha256,
        "yosys": find_engine().version,
    }
    return Task("synthesis", measure_config, arguments, SOURCES, TOOLS)


def measurement_of(outcome: Outcome) -> Measurement:
    """What :func:`~kakure.search.cost.digital.measured.measure_config` found."""
    return Measurement.from_json(outcome.values["measurement"])


def generator_versions() -> dict[str, str]:
    """What a synthesis depends on besides the configuration: sources, Yosys, library, packages."""
    return {
        "synthesis": sources(*SOURCES),
        "yosys": find_engine().version,
        "library": library().sha256,
        **tools(*TOOLS),
    }
