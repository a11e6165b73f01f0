"""From a trained network to integers: BatchNorm folded into M, B and S of the requantizer."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .layers import HiddenLayer
from .network import Network
from .parameters import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS, LayerParameters, Parameters

__all__ = ["Scale", "fold", "fold_scale"]


@dataclass(frozen=True)
class Scale:
    """y = (acc·M + B) >> S per channel, the rounding half of S included in B."""

    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: int


def fold_scale(
    slope: NDArray[np.float64], intercept: NDArray[np.float64], peak: int | None = None
) -> Scale:
    """Integers M, B and the largest S with M ≈ slope·2^S and B ≈ intercept·2^S that fit.

    M fits ``MULTIPLIER_BITS``, B fits ``OFFSET_BITS``; with ``peak`` given, so does acc·M + B for
    every acc from −peak to peak. Where not even S = 0 fits, M and B saturate.
    """
    most = (1 << (MULTIPLIER_BITS - 1)) - 1
    bound = (1 << (OFFSET_BITS - 1)) - 1
    reach = 0 if peak is None else peak
    shift = 1 << SHIFT_BITS
    fits = False
    multiplier, offset = slope, intercept
    while shift and not fits:
        shift -= 1
        multiplier, offset = np.rint(slope * 2.0**shift), np.rint(intercept * 2.0**shift)
        largest = np.abs(offset) + np.abs(multiplier) * reach
        fits = bool(np.abs(multiplier).max() <= most and largest.max() <= bound)
    if not fits:
        most = min(most, bound // (2 * max(1, reach)))
        multiplier = np.clip(multiplier, -most, most)
        offset = np.clip(offset, -(bound // 2), bound // 2)
    return Scale(multiplier.astype(np.int64), offset.astype(np.int64), shift)


def _fold_layer(layer: HiddenLayer) -> tuple[LayerParameters, int]:
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    gamma, beta, mean, variance = (
        tensor.detach().double().cpu().numpy()
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    slope = gamma / np.sqrt(variance + norm.eps) * layer.scale
    intercept = beta * layer.scale - slope * mean
    mask = layer.weights.mask.cpu().numpy()
    if layer.geometry.output_bits is None:
        scale = fold_scale(slope, intercept, layer.geometry.peak)
        return LayerParameters(mask, scale.multiplier, scale.offset, 0), scale.shift
    scale = fold_scale(slope, intercept + 0.5)
    return LayerParameters(mask, scale.multiplier, scale.offset, scale.shift), scale.shift


@torch.no_grad()
def fold(network: Network) -> Parameters:
    """The integers of a network, from its running statistics.

    The metadata's ``logit_shift`` says by which power of two the logits are scaled up.
    """
    folded = [_fold_layer(layer) for layer in network.layers]
    layers = tuple(parameters for parameters, _ in folded)
    return Parameters(layers, {"logit_shift": str(folded[-1][1])})
