"""What a command of the user works on: a configuration, its parameters, its images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config, load_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.table import DATASETS
from kakure.model.parameters.parameters import Parameters, random_parameters
from kakure.model.parameters.parameters_file import load_parameters

__all__ = ["SEED", "Project", "open_project"]

SEED = 1
"""Of random parameters and images, where there are no real ones."""


@dataclass(frozen=True)
class Project:
    """Everything that the generator and the benches need.

    Attributes
    ----------
    path : Path
        The configuration file.
    config : Config
    parameters : Parameters
    is_trained : bool
        Whether the parameters come from a file; else they are random.
    """

    path: Path
    config: Config
    parameters: Parameters
    is_trained: bool

    def images(self, count: int | None) -> tuple[NDArray[np.uint8], str]:
        """Return the first ``count`` test images (None: all), and what they are.

        For random parameters, and where a data set known by name was not fetched: random images,
        but for the first, which is all ones, and the second, all zeros.
        """
        name = self.config.dataset
        is_there = name not in DATASETS or DATASETS[name].is_there
        if self.is_trained and is_there:
            images = load_images(self.config, self.path.parent, "test").images
            images = images if count is None else images[:count]
            return images, f"{len(images)} test images of {name}"
        rng = np.random.default_rng(SEED)
        images = rng.integers(0, 256, (count or 16, *self.config.shape), dtype=np.uint8)
        images[0] = 255
        images[1:2] = 0
        why = f" (kakure data {name} fetches real ones)" if self.is_trained else ""
        return images, f"{len(images)} random images{why}"


def open_project(path: Path) -> Project:
    """Read a configuration and its parameters; without ``parameters`` they are random.

    Raises
    ------
    UserError
        If a file is missing or wrong.
    """
    config = load_config(path)
    if config.parameters is None:
        return Project(path, config, random_parameters(config, SEED), is_trained=False)
    parameters = load_parameters(path.parent / config.parameters, config)
    return Project(path, config, parameters, is_trained=True)
