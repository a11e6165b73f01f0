"""Whole test sets through the packed integer model, beside the numpy reference in the same run."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config, load_config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError
from kakure.model.files.shipped import CONFIGS
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters, random_parameters
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.reference.network import network

__all__ = ["Rates", "cifar10_size", "figures", "rates"]

LEAST = 10_000
"""Images that the packed model works through; a smaller test set is repeated."""

SEED = 1


def cifar10_size() -> Config:
    """A network for CIFAR-10 of 3.08 million weights and 231 million products for an image."""
    tiles = {"engine": "crossbar", "column_sharing": 8, "adc_type": "sar", "adc_bits": 4}
    conv = {"kind": "conv", "kernel": 3, "input_bits": 4} | tiles
    head = {"kind": "linear", "engine": "pe_array", "input_bits": 8}
    layers = [
        conv | {"channels": 32, "input_bits": 8},
        conv | {"channels": 80, "pool": 2},
        conv | {"channels": 80, "residual": True},
        conv | {"channels": 320, "pool": 2},
        conv | {"channels": 320, "residual": True},
        conv | {"channels": 320, "pool": 2},
        conv | {"channels": 320, "residual": True},
        head | {"channels": 10, "sum_pool": True, "map_bits": 4},
    ]
    document = {
        "name": "cifar10-size",
        "dataset": "cifar10",
        "weights": {"kind": "hidden", "density": 0.35},
        "crossbar": {"rows": 64, "columns": 64},
        "layers": layers,
    }
    return parse_config(json.dumps(document))


@dataclass(frozen=True)
class Rates:
    """How fast the packed model is, and the numpy reference.

    What is done once, however many images there are, is in neither rate.

    Attributes
    ----------
    images, equal : int
        What the packed model worked through, and how many of them the reference did: their logits
        are equal.
    threads : int
        Of the packed model; numpy takes as many as it likes.
    begin, seconds : float
        Of the packed model, to begin and for all images [s].
    rate, other : float
        Of the packed model, and of the reference [images/s].
    """

    images: int
    equal: int
    threads: int
    begin: float
    seconds: float
    rate: float
    other: float

    @property
    def ratio(self) -> float:
        """How many times as fast the packed model is."""
        return self.rate / self.other


def rates(
    config: Config, parameters: Parameters, images: NDArray[np.uint8], *, equal: int
) -> Rates:
    """Measure both on (n, height, width, channels); few images are repeated for the packed model.

    Raises
    ------
    RuntimeError
        If one of the first ``equal`` images, at least 2, has other logits.
    """
    begin = time.perf_counter()
    packed = PackedNetwork(config, parameters)
    made = time.perf_counter() - begin
    repeated = np.concatenate([images] * -(-LEAST // len(images)))
    packed(images[:equal])
    begin = time.perf_counter()
    logits = packed(repeated)
    seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    network(config, parameters, images[:1])
    middle = time.perf_counter()
    expected = network(config, parameters, images[:equal])
    each = (time.perf_counter() - middle - (middle - begin)) / (equal - 1)
    if (logits[:equal] != expected).any():
        raise RuntimeError(f"{config.name}: the packed model and the reference differ")
    many = len(repeated)
    return Rates(many, equal, packed.threads, made, seconds, many / seconds, 1 / each)


def figures() -> Iterator[str]:
    """All measurements, a line each, as they finish."""
    for name, equal in (("digits", 360), ("fashion-mnist", 200)):
        config = load_config(CONFIGS / f"{name}.json")
        assert config.parameters is not None
        parameters = load_parameters(CONFIGS / config.parameters, config)
        yield _line(config, parameters, equal)
    config = cifar10_size()
    yield _line(config, random_parameters(config, SEED), 8)


def _line(config: Config, parameters: Parameters, equal: int) -> str:
    images, what = _images(config)
    found = rates(config, parameters, images, equal=equal)
    return (
        f"{config.name}: {found.images:,} {what} in {found.seconds:.2f} s, {found.begin:.2f} s to "
        f"begin: {found.rate:,.0f} images/s with {found.threads} threads; numpy reference "
        f"{found.other:,.1f} images/s: ratio {found.ratio:.0f}; {found.equal} images equal"
    )


def _images(config: Config) -> tuple[NDArray[np.uint8], str]:
    """The test images, and what they are; random ones where they were not fetched."""
    try:
        return load_images(config, Path(), "test").images, "test images"
    except UserError:
        shape = (LEAST, *config.shape)
        drawn = np.random.default_rng(SEED).integers(0, 256, shape, dtype=np.uint8)
        return drawn, "random images"
