"""What a composite block depends on: equal blocks of different configurations are one module."""

import json
from dataclasses import asdict

from kakure.model.config.config import Config

__all__ = ["core_identity", "layer_identity"]


def layer_identity(config: Config, index: int) -> dict[str, int | str | None]:
    """Everything that decides the hardware of a layer, and nothing else of the configuration."""
    geometry = asdict(config.geometry[index])
    geometry.pop("index")
    geometry.pop("residual")  # where it is true, the layer says it
    geometry["groups"] = "+".join(map(str, geometry["groups"]))
    identity: dict[str, int | str | None] = {**geometry}
    layer = config.layers[index]
    identity |= layer.model_dump(
        exclude={"kind", "channels", "kernel", "padding"}, exclude_none=True
    )
    if layer.engine == "crossbar":
        identity["crossbar_rows"] = config.crossbar.rows
        identity["crossbar_columns"] = config.crossbar.columns
        return identity
    assert config.weights.kind == "hidden"
    array = config.pe_array
    return identity | {
        "layer": index,  # its signs are made on the spot
        "seed": config.weights.seed,
        "generator": config.weights.generator,
        "pe_inputs": array.inputs,
        "pe_outputs": array.outputs,
        "pe_pixels": array.pixels,
    }


def core_identity(config: Config) -> dict[str, int | str | None]:
    """Everything that decides the hardware of a whole network."""
    decides = config.model_dump(
        mode="json",
        include={"weights", "crossbar", "pe_array", "layers"},
        exclude={"weights": {"density"}},
    )
    return {
        "image": "x".join(map(str, config.shape)),
        **{key: json.dumps(value, sort_keys=True) for key, value in decides.items()},
    }
