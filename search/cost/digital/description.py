"""From a measured module to the parameters that its block's closed form reads."""

from collections.abc import Mapping

import numpy as np

from kakure.model.config.weights.hidden import HiddenWeights
from kakure.search.cost.metrics import LayerBatch

from .measured import Measurement, Module
from .tree import Part, generator_parts, layer_parts, shared_parts

__all__ = ["describe"]

FROM_CONFIG = ("crossbar_grid", "crossbar_engine", "pe_engine", "layer")
ONCE = ("weight_generator", "image_reader", "masked_signs", "spatial_core", "accelerator")


def describe(measurement: Measurement, module: Module) -> dict[str, float]:
    """Parameters of the module's block, as :attr:`.parameters` names.

    Where a sample is built from a configuration, those of its layers come from the closed form
    of the instance tree: the emitted module does not say them.
    """
    if module.kind in FROM_CONFIG or module.kind in ONCE:
        return _from_tree(measurement, module)
    values = {k: v for k, v in module.parameters.items() if k != "layer"}
    result: dict[str, float] = {"one": 1, "shortcut_bits": 0}
    for name, value in values.items():
        if isinstance(value, int):
            result[name] = value
    if "adc_type" in values:
        result["is_sar"] = int(values["adc_type"] == "sar")
    if "write_groups" in values:
        result["write_groups"] = str(values["write_groups"]).count("x") + 1
    if "peak" in values:
        result["sum_bits"] = int(values["peak"]).bit_length() + 1
    for name in ("cap_bits", "output_bits"):
        if values.get(name) == "all":
            result[name] = 0
    if "generator" in values:
        result["is_16"] = int(values["generator"] == "xorshift16")
    if "windows" in values:
        windows = [int(text) for text in str(values["windows"]).split("x")]
        result["max_window"] = max(windows)
        result["windows"] = len(set(windows))
    return result


def _from_tree(measurement: Measurement, module: Module) -> dict[str, float]:
    sample = measurement.sample
    index = 0
    if sample.block == "weight_generator":
        layers = [tuple(layer) for layer in sample.parameters["layers"]]
        parts = list(generator_parts(sample.parameters["generator"], layers))
    else:
        config = sample.config
        assert config is not None and isinstance(config.weights, HiddenWeights)
        if module.kind in ONCE:
            parts = list(shared_parts(config))
        else:
            index = int(module.parameters.get("layer", 0))
            parts = list(layer_parts(LayerBatch.of(config), config.weights.generator))
    for part in parts:
        if part.kind == module.kind and index in part.where:
            return _row(part, int(np.flatnonzero(part.where == index)[0]))
    raise AssertionError(f"{sample.key} has no {module.kind} of layer {index}")


def _row(part: Part, place: int) -> dict[str, float]:
    values: Mapping[str, np.ndarray] = part.parameters
    return {name: float(value[place]) for name, value in values.items()}
