"""What a composite block depends on: equal blocks of different configurations are one module."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from kakure.model.config.config import Config

__all__ = ["core_identity", "layer_identity"]


def layer_identity(
    config: Config, index: int, engine: Mapping[str, int | str | None]
) -> dict[str, int | str | None]:
    """Everything that decides the hardware of a layer, and nothing else of the configuration.

    ``engine`` is what its engine adds, the ``identity`` of an
    :class:`~kakure.hdl.engines.engine.Engine`.
    """
    geometry = asdict(config.geometry[index])
    for name in ("index", "stride", "reads", "adds", "added_bits"):  # or the layer says it
        geometry.pop(name)
    summed = geometry.pop("summed")
    if summed is not None:
        geometry |= {f"summed_{name}": value for name, value in summed.items()}
    geometry["groups"] = "+".join(map(str, geometry["groups"]))
    identity: dict[str, int | str | None] = {**geometry}
    layer = config.layers[index]
    written = layer.model_dump(exclude={"kind", "channels", "kernel", "padding"})
    identity |= {name: value for name, value in written.items() if value is not None}
    return identity | dict(engine)


def core_identity(config: Config) -> dict[str, int | str | None]:
    """Everything that decides the hardware of a whole network."""
    decides = config.model_dump(
        mode="json",
        include={"weights", "crossbar", "pe_array", "layers", "accelerator"},
        exclude={"weights": {"density"}},
    )
    return {
        "image": "x".join(map(str, config.shape)),
        **{key: json.dumps(value, sort_keys=True) for key, value in decides.items()},
    }
