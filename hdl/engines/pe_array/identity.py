"""What of a configuration decides the PE array of a layer."""

from kakure.hdl.engines.ports import planes_of
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

__all__ = ["pe_identity"]


def pe_identity(config: Config, index: int) -> dict[str, int | str | None]:
    """What decides a layer's array, but for the layer."""
    array = config.pe_array
    planes = planes_of(config, index)
    if planes:
        weights: dict[str, int | str | None] = {"planes": planes}
    else:
        hidden = HiddenWeights.of(config.weights)
        weights = {
            "layer": index,  # its signs are made on the spot
            "seed": hidden.seed,
            "generator": hidden.generator,
        }
    return {
        **weights,
        "pe_inputs": array.inputs,
        "pe_outputs": array.outputs,
        "pe_pixels": array.pixels,
    }
