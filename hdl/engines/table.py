"""Every engine that has hardware, by the name that a layer gives it."""

from kakure.hdl.engines.crossbar.hardware import CrossbarHardware
from kakure.hdl.engines.engine import Engine
from kakure.hdl.engines.pe_array.hardware import PeHardware
from kakure.model.config.config import Config
from kakure.model.errors import UserError

__all__ = ["ENGINES", "engine_of", "weights_wait"]

ENGINES: dict[str, type[Engine]] = {
    "crossbar": CrossbarHardware,
    "pe_array": PeHardware,
}
"""The layers themselves are in :mod:`kakure.model.config.engines.table`."""


def engine_of(config: Config, index: int) -> Engine:
    """The engine of a layer.

    Raises
    ------
    UserError
        If the layer's engine has no hardware.
    """
    name = config.layers[index].engine
    if name not in ENGINES:
        known = ", ".join(map(repr, ENGINES))
        raise UserError(
            f"must have hardware, as {known}", where=("layers", index, "engine"), value=repr(name)
        )
    return ENGINES[name](config, index)


def weights_wait(config: Config) -> bool:
    """Whether some words of weights take more than the cycle in which they come."""
    engines = (engine_of(config, index) for index in range(len(config.layers)))
    return any(engine.write_cycles is not None for engine in engines)
