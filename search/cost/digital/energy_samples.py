"""Small accelerators whose energy is measured: drawn over the knobs, on images of digits."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kakure.hdl.engines.crossbar.grid_shape import LEAST_WORDS
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config, load_config, parse_config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.engines.pe_array import PeArrayLayer

__all__ = [
    "LARGE",
    "energy_samples",
    "is_held_out",
    "is_in_memory",
    "is_large",
    "is_summed",
    "is_validation",
    "large_samples",
]

SEED = 20240607
COUNT = 24
VALIDATED = 6
"""How many more were drawn after the closed forms were first settled, all of them held out."""
RESIDUAL = 28
"""How many more were drawn to have a shortcut: those of three layers are taken."""
LATEST = 8
"""How many were drawn after the last change of a form, all held out; with shortcuts likewise."""
SUMMED = 10
"""How many came later, with strides and a summed map: they decide on sum pools, nothing else."""
IN_MEMORY = 20
"""How many came later, with cells in memories: they decide on those, nothing else. Those are taken
that have a layer whose cells are enough words."""
TEMPORAL = 21
"""How many are temporal, which decide on the roles of such accelerators; of up to so many lanes."""
TEMPORAL_LANES = 1024
LARGE = Path(__file__).parents[3] / "configs" / "cifar10-temporal.json"
SHAPE = ("inputs", "outputs", "pixels", "batches", "rows")
LARGE_SHAPES = (
    (128, 16, 2, 32, 8), (128, 16, 2, 32, 4), (64, 16, 4, 32, 4), (256, 16, 1, 64, 8),
    (128, 32, 1, 64, 8), (64, 32, 2, 32, 4),
)  # fmt: skip
"""Arrays for a network of real size, all held out."""


def is_held_out(digest: str) -> bool:
    """Whether the fit may not see a configuration; by a hash, so that new ones move no old ones."""
    by_hash = hashlib.sha256(f"{SEED} {digest}".encode()).digest()[0] % 3 == 0
    earlier = digest in {config.digest for config in _drawn("validation", VALIDATED)}
    return by_hash or earlier or is_validation(digest) or is_large(digest)


def is_large(digest: str) -> bool:
    """Whether a configuration is a network of real size, which shows how far the fit reaches."""
    return digest in {config.digest for config in large_samples()}


def is_validation(digest: str) -> bool:
    """Whether a configuration was drawn after the closed forms were settled."""
    late = (*_latest(), *_in_memory("in memory validation", VALIDATED))
    return digest in {config.digest for config in late}


def is_summed(digest: str) -> bool:
    """Whether a configuration was drawn for its sum pool."""
    return digest in {config.digest for config in _summed()}


def is_in_memory(digest: str) -> bool:
    """Whether a configuration was drawn for its cells in memories."""
    return digest in {config.digest for config in _all_in_memory()}


class _Draw:
    """Values that each sample takes, every list walked evenly in an order of its own."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self.columns: dict[str, np.ndarray] = {}
        self.sample = 0

    def __call__(self, name: str, values: Sequence[Any]) -> Any:
        if name not in self.columns:
            seed = hashlib.sha256(f"{SEED} {self.name}{name}".encode()).digest()[:8]
            rng = np.random.default_rng(int.from_bytes(seed))
            self.columns[name] = (rng.permutation(self.count) + rng.random(self.count)) / self.count
        return values[int(self.columns[name][self.sample] * len(values))]


def _engine(draw: _Draw, columns: int, n: int) -> dict[str, Any]:
    if draw(f"engine_{n}", ["crossbar", "crossbar", "pe_array"]) == "pe_array":
        return {"engine": "pe_array"}
    return {
        "engine": "crossbar",
        "column_sharing": draw(f"sharing_{n}", [s for s in (1, 2, 4, 8, 16) if s <= columns]),
        "adc_type": draw(f"adc_type_{n}", ["flash", "sar"]),
        "adc_bits": draw(f"adc_bits_{n}", [3, 4, 5, 6]),
        "copies": draw(f"copies_{n}", [1, 1, 1, 2]),
    }


def _sample(draw: _Draw) -> Config:
    columns = draw("columns", [8, 16, 32])
    layers: list[dict[str, Any]] = []
    for n in range(draw("layers", [1, 2])):
        layers.append({
            "kind": "conv",
            "kernel": 3,
            "pool": draw(f"pool_{n}", [1, 2]),
            "channels": draw(f"channels_{n}", [8, 12, 16, 24, 32]),
            "input_bits": draw(f"input_bits_{n}", [2, 3, 4, 5, 6]),
            **_engine(draw, columns, n),
        })
    layers.append({
        "kind": "linear",
        "channels": 10,
        "input_bits": draw("input_bits", [2, 3, 4, 5]),
        **_engine(draw, columns, 9),
    })
    sizes = {"inputs": [8, 16], "outputs": [4, 8, 16], "pixels": [1, 4, 8]}
    values = {
        "name": "energy",
        "dataset": "digits",
        "weights": {"kind": "hidden", "seed": 1, "density": 0.5},
        "crossbar": {"rows": draw("rows", [16, 32, 64]), "columns": columns},
        "pe_array": {name: draw(f"pe_{name}", choice) for name, choice in sizes.items()},
        "layers": layers,
    }
    return parse_config(json.dumps(values), "energy sample")


@lru_cache
def _drawn(name: str, count: int) -> tuple[Config, ...]:
    draw = _Draw(name, count)
    samples = []
    for draw.sample in range(count):
        samples.append(_sample(draw))
    return tuple(samples)


def _with_shortcut(config: Config) -> Config:
    """The same with a shortcut around the second convolution; as it is where there is none."""
    first, *others = config.layers
    if len(others) < 2:
        return config
    second = others[0].changed(channels=first.channels, pool=1, residual=True)
    return config.changed(layers=(first, second, *others[1:]))


@lru_cache
def _residual() -> tuple[Config, ...]:
    drawn = (config for config in _drawn("residual", RESIDUAL) if len(config.layers) > 2)
    return tuple(map(_with_shortcut, drawn))


@lru_cache
def _latest() -> tuple[Config, ...]:
    return tuple(map(_with_shortcut, _drawn("validation 2", LATEST)))


@lru_cache
def _summed() -> tuple[Config, ...]:
    """Accelerators whose last map is summed; the first convolution of two in three strides."""
    draw = _Draw("summed sizes", SUMMED)
    samples = []
    for draw.sample, config in enumerate(_drawn("summed", SUMMED)):
        first, *others, last = config.layers
        if draw("strides", [True, True, False]):
            first = first.changed(stride=2, pool=1)
        last = last.changed(
            sum_pool=True,
            map_bits=draw("map_bits", [2, 3, 4, 5, 6]),
            input_bits=draw("sum_bits", [3, 4, 5, 6, 7, 8]),
        )
        samples.append(config.changed(layers=(first, *others, last)))
    return tuple(samples)


def _all_in_memory() -> tuple[Config, ...]:
    validation = _in_memory("in memory validation", VALIDATED)
    return (*_in_memory("in memory", IN_MEMORY), *validation)


@lru_cache
def _in_memory(name: str, count: int) -> tuple[Config, ...]:
    """Accelerators with cells in memories, wherever a layer has a crossbar."""
    draw = _Draw(f"sizes {name}", count)
    samples = []
    for draw.sample, config in enumerate(_drawn(name, count)):
        columns = config.crossbar.columns
        layers = []
        for n, layer in enumerate(config.layers):
            if isinstance(layer, CrossbarLayer):
                sharing = min(columns, draw(f"columns_{n}", [8, 8, 16, 32]))
                adc_bits = max(layer.adc_bits, LEAST_WORDS // sharing)
                adc_type = "sar" if sharing < LEAST_WORDS else layer.adc_type
                layer = layer.changed(column_sharing=sharing, adc_bits=adc_bits, adc_type=adc_type)
            layers.append(layer)
        crossbar = config.crossbar.changed(cells="memory")
        config = config.changed(layers=tuple(layers), crossbar=crossbar)
        if any(isinstance(layer, CrossbarLayer) for layer in layers):
            samples.append(config)
    return tuple(samples)


@lru_cache
def _temporal() -> tuple[Config, ...]:
    """Temporal accelerators for networks like those, some of them with shortcuts or sums."""
    draw = _Draw("temporal sizes", TEMPORAL)
    samples = []
    networks = [*_drawn("temporal", TEMPORAL - TEMPORAL // 3), *_summed()[: TEMPORAL // 3]]
    for draw.sample, config in enumerate(networks):
        if draw("has_shortcut", [True, False]) and not config.geometry[-1].summed:
            config = _with_shortcut(config)
        outputs = draw("outputs", [4, 8, 16, 16, 32])
        inputs = max(outputs, draw("inputs", [16, 32, 64, 128]))
        pixels = draw("pixels", [1, 2, 4])
        array = TemporalConfig.model_validate({
            "inputs": inputs,
            "outputs": outputs,
            "pixels": max(1, min(pixels, TEMPORAL_LANES // (inputs * outputs))),
            "batches": draw("batches", [8, 16, 32, 32, 48]),
            "rows": draw("rows", [1, 2, 4, 8]),
            "activations": draw("activations", [4096, 2048, 1024]),
            "mask_bits": draw("mask_bits", [1 << 20, 1 << 18]),
            "channels": draw("channels", [1024, 512]) * outputs // 8,
        })
        layers = tuple(_exact(layer) for layer in config.layers)
        samples.append(config.changed(layers=layers, accelerator=array))
    return tuple(samples)


@lru_cache
def large_samples() -> tuple[Config, ...]:
    """The shipped temporal accelerator for CIFAR-10 with arrays of several shapes."""
    config = load_config(LARGE)
    arrays = (dict(zip(SHAPE, shape, strict=True)) for shape in LARGE_SHAPES)
    return tuple(
        config.changed(accelerator=TemporalConfig.model_validate(array)) for array in arrays
    )


def _exact(layer: LayerConfig) -> LayerConfig:
    """The same layer with exact sums, of a density that any reader can have."""
    data = layer.model_dump(exclude_none=True)
    for name in ("column_sharing", "adc_type", "adc_bits", "adc_shift", "copies"):
        data.pop(name, None)
    return PeArrayLayer.model_validate(data | {"engine": "pe_array"})


def energy_samples() -> list[Config]:
    """All samples, the same in every run."""
    drawn = [*_drawn("", COUNT), *_drawn("validation", VALIDATED)]
    later = [*_latest(), *_summed(), *_all_in_memory(), *_temporal(), *large_samples()]
    return [*drawn, *_residual(), *later]
