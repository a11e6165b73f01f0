"""Sizes of the spatial core: what there is once, and its layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.accelerators.frame_gate_shape import FrameGateShape
from kakure.hdl.accelerators.pixel_unpacker_shape import BYTES, PixelUnpackerShape
from kakure.hdl.accelerators.result_sender_shape import ResultSenderShape
from kakure.hdl.bus.stream_register_shape import StreamRegisterShape
from kakure.hdl.engines.table import weights_wait
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number, ceil_div
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator_shape import WeightGeneratorShape
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

from .layer_shape import LayerShape

__all__ = ["SpatialCoreShape"]


@dataclass(frozen=True)
class SpatialCoreShape(BlockShape):
    """A core for images of ``pixels``, each ``channels`` values of ``bits``, into ``classes``.

    ``weights`` is the shape of the weight generator. ``layer_shapes`` are those of the layers,
    or none, where only what there is once is looked at.
    """

    pixels: Number
    channels: Number
    bits: Number
    classes: Number
    weights: WeightGeneratorShape
    layer_shapes: tuple[LayerShape, ...] = ()

    kind = "spatial_core"
    parameters = ("layers",)
    repeated = frozenset(parameters)

    @classmethod
    def of(cls, config: Config, *, has_layers: bool = True) -> "SpatialCoreShape":
        """The core of a configuration with hidden weights, with its layers or without."""
        height, width, channels = config.shape
        layers = [LayerWeights(g.in_channels, g.window, g.outputs) for g in config.geometry]
        count = len(layers) if has_layers else 0
        generator = HiddenWeights.of(config.weights).generator
        return cls(
            pixels=height * width,
            channels=channels,
            bits=config.image_bits,
            classes=config.geometry[-1].outputs,
            weights=WeightGeneratorShape.of(generator, layers, waits=weights_wait(config)),
            layer_shapes=tuple(LayerShape.of(config, index) for index in range(count)),
        )

    @property
    def layers(self) -> Number:
        """Layers of the network."""
        return self.weights.layers

    @property
    def image_words(self) -> Number:
        """Words of an image."""
        return ceil_div(self.pixels * self.channels, BYTES)

    @cached_property
    def terms(self) -> Terms:
        """Glue of each layer."""
        return {"layer": 1.0 * self.layers, "one": np.ones(np.shape(self.layers))}

    def children(self) -> Iterator[Child]:
        """What is in front of the layers, what is behind them, and they."""
        yield Child("front", StreamRegisterShape())
        yield Child("gate", FrameGateShape(self.image_words))
        yield Child("unpacker", PixelUnpackerShape(self.pixels, self.channels, self.bits))
        yield Child("sender", ResultSenderShape(self.classes))
        yield Child("generator", self.weights)
        for layer in self.layer_shapes:
            yield Child("layer", layer)
