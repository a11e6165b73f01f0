"""Every kind of accelerator that has hardware, by the name that a configuration gives it."""

from kakure.hdl.accelerators.architecture import Architecture
from kakure.hdl.accelerators.spatial.architecture import Spatial
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.model.config.config import Config
from kakure.model.errors import UserError

__all__ = ["ARCHITECTURES", "architecture_of"]

ARCHITECTURES: dict[str, type[Architecture]] = {
    "spatial": Spatial,
    "temporal": Temporal,
}
"""Their sizes are in :mod:`kakure.model.config.accelerators.table`."""


def architecture_of(config: Config) -> Architecture:
    """The accelerator of a configuration.

    Raises
    ------
    UserError
        If its kind has no hardware.
    """
    kind = config.accelerator.kind
    if kind not in ARCHITECTURES:
        known = ", ".join(map(repr, ARCHITECTURES))
        raise UserError(
            f"must have hardware, as {known}", where=("accelerator", "kind"), value=repr(kind)
        )
    return ARCHITECTURES[kind](config)
