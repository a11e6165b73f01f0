"""Every engine that a layer can name."""

from kakure.model.config.kinds import Kinds

from .crossbar import CrossbarLayer
from .layer import LayerConfig
from .pe_array import PeArrayLayer

__all__ = ["LAYERS"]

LAYERS = Kinds[LayerConfig](
    "engine",
    LayerConfig,
    {
        "crossbar": CrossbarLayer,
        "pe_array": PeArrayLayer,
    },
    is_flat=True,
)
"""A layer with an engine is a subclass of :class:`.layer.LayerConfig` in this folder, and a line
here; its hardware is a folder and a line in :mod:`kakure.hdl.engines.table`."""
