"""Trained parameters of a network: masks or planes, and the scales of its requantizers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.provenance import array_digest

__all__ = [
    "MULTIPLIER_BITS",
    "OFFSET_BITS",
    "SHIFT_BITS",
    "LayerParameters",
    "Parameters",
    "Scales",
    "identity",
    "random_parameters",
]

MULTIPLIER_BITS = 16
"""Width of M, signed [bit]."""
OFFSET_BITS = 32
"""Width of B and of a logit, signed [bit]."""
SHIFT_BITS = 5
"""Width of S, unsigned [bit]."""


@dataclass(frozen=True)
class Scales:
    """y = (acc·M + B) >> S per channel, the rounding half of S included in B.

    Attributes
    ----------
    multiplier, offset, shift : int64 array, (outputs,)
        M, B and S.
    """

    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: NDArray[np.int64]

    @property
    def parts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """M, B and S."""
        return self.multiplier, self.offset, self.shift


@dataclass(frozen=True)
class LayerParameters:
    """Parameters of one layer.

    Attributes
    ----------
    mask : bool array, (fan_in, outputs)
        Supermask, or first plane, rows in the order of
        :func:`kakure.model.reference.stages.windows`.
    inner : tuple of bool array, (fan_in, outputs)
        Of multicoat weights the further masks, each part of the one before; of bitwise weights the
        further planes, of falling significance.
    multiplier, offset : int64 array, (outputs,)
        M and B of the requantizer, the rounding half included in B.
    shift : int64 array, (outputs,)
        S, 0 .. 31; 0 in the last layer, whose logits share one scale.
    coarser : tuple of Scales
        Of bitwise weights what is used with 1, 2, … planes, but for all of them.
    """

    mask: NDArray[np.bool_]
    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: NDArray[np.int64]
    inner: tuple[NDArray[np.bool_], ...] = ()
    coarser: tuple[Scales, ...] = ()

    @property
    def masks(self) -> tuple[NDArray[np.bool_], ...]:
        """All masks, the largest first; all planes, the most significant first."""
        return (self.mask, *self.inner)

    @property
    def scales(self) -> Scales:
        """M, B and S."""
        return Scales(self.multiplier, self.offset, self.shift)

    def at(self, width: int) -> "LayerParameters":
        """Of bitwise weights the first planes, with their own scales."""
        if width > len(self.coarser):
            return self
        first, *others = self.masks[:width]
        scales = self.coarser[width - 1].parts
        return LayerParameters(first, *scales, tuple(others), self.coarser[: width - 1])

    def coats(self, config: Config, geometry: LayerGeometry) -> list[NDArray[np.integer]]:
        """Weights of the layer, (fan_in, outputs) each: the engine adds up the sums of all."""
        return config.weights_of(geometry.index).of_masks(geometry, self.masks)

    def weights(self, config: Config, geometry: LayerGeometry) -> NDArray[np.integer]:
        """All coats together: what an exact engine would multiply with, (fan_in, outputs)."""
        first, *others = self.coats(config, geometry)
        return np.stack([first, *others]).sum(axis=0, dtype=first.dtype) if others else first

    def peaks(self, config: Config, geometry: LayerGeometry) -> NDArray[np.int64]:
        """Magnitude that no sum of the layer's outputs exceeds, (outputs,)."""
        layer = config.layers[geometry.index]
        return config.weights_of(geometry.index).channel_peaks(layer, geometry, self.masks)


@dataclass(frozen=True)
class Parameters:
    """Parameters of all layers, and how they came to be (seeds, versions, accuracy)."""

    layers: tuple[LayerParameters, ...]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of all masks and scales."""
        return array_digest(
            *(
                part
                for layer in self.layers
                for part in (
                    layer.mask,
                    *layer.scales.parts,
                    *layer.inner,
                    *(part for scales in layer.coarser for part in scales.parts),
                )
            )
        )

    def at(self, width: int | Sequence[int]) -> "Parameters":
        """What a network uses at a precision of ``width`` bits, for :meth:`.Config.at`."""
        widths = [width] * len(self.layers) if isinstance(width, int) else width
        layers = (layer.at(n) for layer, n in zip(self.layers, widths, strict=True))
        return Parameters(tuple(layers), self.metadata)


def random_parameters(config: Config, seed: int) -> Parameters:
    """Untrained parameters that use the whole range of every activation, for tests."""
    rng = np.random.default_rng(seed)
    layers = []
    for geometry in config.geometry:
        shape = (geometry.fan_in, geometry.outputs)
        weights = config.weights_of(geometry.index)
        mask, *inner = weights.draw_masks(rng, shape)
        scales = _random_scales(config, geometry, rng)
        coarser = tuple(
            _random_scales(config.at(width), config.at(width).geometry[geometry.index], rng)
            for width in range(1, weights.widths)
        )
        layers.append(LayerParameters(mask, *scales.parts, tuple(inner), coarser))
    return Parameters(tuple(layers), identity(config))


def _random_scales(config: Config, geometry: LayerGeometry, rng: np.random.Generator) -> Scales:
    if geometry.output_bits is None:
        room = (1 << (OFFSET_BITS - 1)) // (2 * geometry.peak)
        limit = max(1, min(99, room))
        multiplier = rng.integers(1, limit + 1, geometry.outputs)
        offset = rng.integers(-999, 1000, geometry.outputs)
        shift = np.zeros(geometry.outputs, np.int64)
    else:
        shift = rng.integers(9, 16, geometry.outputs)
        power = config.weights_of(geometry.index).mean_square
        spread = 2 * ((1 << geometry.input_bits) - 1) * np.sqrt(geometry.fan_in * power)
        scale = (1 << geometry.output_bits) / spread * (1 << shift)
        multiplier = (scale * rng.uniform(0.5, 1.5, geometry.outputs)).astype(np.int64) + 1
        multiplier *= rng.choice([1, 1, 1, -1], geometry.outputs)
        multiplier = np.clip(multiplier, -32768, 32767)
        middle = 1 << (geometry.output_bits + shift - 1)
        offset = (rng.uniform(-0.5, 1.5, geometry.outputs) * middle).astype(np.int64)
    return Scales(multiplier.astype(np.int64), offset.astype(np.int64), shift)


def identity(config: Config) -> dict[str, str]:
    """What the masks were trained for: with other signs they are meaningless."""
    return {"weights": json.dumps(config.weights.trained_for(), sort_keys=True)}
