"""The spatial accelerator, which has no sizes but those of its layers."""

from typing import Literal

from .accelerator import AcceleratorConfig

__all__ = ["SpatialConfig"]


class SpatialConfig(AcceleratorConfig):
    """A pipeline of all layers, each with an engine of its own."""

    kind: Literal["spatial"] = "spatial"
