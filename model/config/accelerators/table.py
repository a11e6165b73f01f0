"""Every kind of accelerator, by the name that a configuration gives it."""

from kakure.model.config.kinds import Kinds

from .accelerator import AcceleratorConfig
from .spatial import SpatialConfig
from .temporal import TemporalConfig

__all__ = ["ACCELERATORS"]

ACCELERATORS = Kinds[AcceleratorConfig](
    "kind",
    AcceleratorConfig,
    {
        "spatial": SpatialConfig,
        "temporal": TemporalConfig,
    },
)
"""A kind is a subclass of :class:`.accelerator.AcceleratorConfig` in this folder, and a line here;
its hardware is a folder and a line in :mod:`kakure.hdl.accelerators.table`."""
