"""A network that a study has made, written as all other verbs read it."""

import dataclasses
import json
from pathlib import Path

from kakure.model.commands.command import write_file
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.search.rounds.output import shipped

__all__ = ["write_network"]


def write_network(folder: Path, config: Config, parameters: Parameters, source: Path) -> None:
    """Write ``NAME.json`` and ``NAME.safetensors``, and print the configuration's name.

    Parameters
    ----------
    folder : Path
        Exists.
    config, parameters
        The metadata get the digest of the configuration as it is written.
    source : Path
        The folder that the configuration's data set is relative to.
    """
    there = shipped(config, source, folder, f"{config.name}.safetensors")
    metadata = {**parameters.metadata, "config": there.digest}
    made = dataclasses.replace(parameters, metadata=metadata)
    save_parameters(folder / f"{config.name}.safetensors", there, made)
    text = json.dumps(there.model_dump(mode="json", exclude_none=True), indent=1)
    write_file(folder / f"{config.name}.json", text + "\n")
