"""From a trained network to integers: BatchNorm folded into M, B and S of the requantizer."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import (
    MULTIPLIER_BITS,
    OFFSET_BITS,
    SHIFT_BITS,
    LayerParameters,
    Parameters,
    Scales,
)

from .layers import HiddenLayer
from .network import Network

__all__ = ["fold", "fold_logits", "fold_scale", "share_scale"]

MOST_MULTIPLIER = (1 << (MULTIPLIER_BITS - 1)) - 1
MOST_OFFSET = (1 << (OFFSET_BITS - 1)) - 1
MOST_SHIFT = (1 << SHIFT_BITS) - 1
LEAST_SHIFT = -1100
"""Below it, what the largest number in float64 is scaled down to fits."""

Floats = NDArray[np.float64]


def _scaled(slope: Floats, level: Floats, mean: Floats, shift: int) -> tuple[Floats, Floats]:
    """M and B of slope·(acc − mean) + level times 2^shift; exact to half a step at the mean."""
    multiplier = np.rint(np.ldexp(slope, shift))
    return multiplier, np.rint(np.ldexp(level, shift) - multiplier * mean)


@np.errstate(over="ignore", invalid="ignore")  # what is beyond float64 does not fit
def fold_scale(slope: Floats, intercept: Floats, mean: ArrayLike = 0.0) -> Scales:
    """Integers with (acc·M + B) >> S ≈ slope·acc + intercept, each channel by itself.

    S is the largest of 0 .. 31 with which M fits ``MULTIPLIER_BITS`` and B fits ``OFFSET_BITS``.
    Where not even S = 0 fits, M and B are halved together until they do: the accumulator at which
    the result changes its sign stays, and what is clamped on both sides of it stays clamped.
    M·2^−S is up to 2^(−S−1) off; B makes up for that at ``mean``, so the result is off by no
    more than (|acc − mean| + 1)·2^(−S−1), and a channel that does not move is exact.

    Parameters
    ----------
    slope, intercept : float64 array, (outputs,)
        Finite. The intercept includes the rounding half.
    mean : float64 array, (outputs,), or a number
        Where the accumulators lie.
    """
    mean = np.broadcast_to(np.asarray(mean, np.float64), slope.shape)
    level = intercept + slope * mean
    multiplier, offset = np.zeros(slope.shape), np.zeros(slope.shape)
    shift = np.zeros(slope.shape, np.int64)
    open_ = np.ones(slope.shape, bool)
    for power in range(MOST_SHIFT, LEAST_SHIFT, -1):
        m, b = _scaled(slope, level, mean, power)
        fits = open_ & (np.abs(m) <= MOST_MULTIPLIER) & (np.abs(b) <= MOST_OFFSET)
        multiplier, offset = np.where(fits, m, multiplier), np.where(fits, b, offset)
        shift = np.where(fits, max(power, 0), shift)
        open_ &= ~fits
        if not open_.any():
            break
    return Scales(multiplier.astype(np.int64), offset.astype(np.int64), shift)


@np.errstate(over="ignore", invalid="ignore")
def fold_logits(
    slope: Floats,
    intercept: Floats,
    peaks: NDArray[np.int64],
    *,
    mean: Floats,
    deviation: Floats,
    most: int = MOST_SHIFT,
) -> Scales:
    """Integers with acc·M + B ≈ (slope·acc + intercept)·2^S, with one S, so that logits compare.

    A channel that never moves (slope, peak or deviation is 0) has M = 0 and its constant in B.
    It has no say in S: a constant beyond what B holds is cut to the end of B's range, the largest
    of several such constants above the others. S is theirs only where no channel moves.

    S is the largest, up to ``most``, with which all other channels fit; but if a channel moves so
    little that with M at its end it errs by less than the others do by rounding, M is cut. What
    counts is Σ (deviation·|M·2^−S − slope|)², of all S of which |acc|·|M| + |B| stays below 2^31.

    Parameters
    ----------
    slope, intercept : float64 array, (outputs,)
        Finite.
    peaks : int64 array, (outputs,)
        Largest magnitude of each accumulator.
    mean, deviation : float64 array, (outputs,)
        Where the accumulators lie, and their standard deviation.

    Returns
    -------
    Scales
        ``shift`` is the same in all channels, and may be below 0.
    """
    moves = (slope != 0) & (peaks > 0) & (deviation > 0)
    level = intercept + np.where(peaks > 0, slope * mean, 0.0)
    slope = np.where(moves, slope, 0.0)
    counts = moves if moves.any() else ~moves  # whose B must fit
    best, least = None, np.inf
    for power in range(most, LEAST_SHIFT, -1):
        wanted = np.rint(np.ldexp(slope, power))
        m = np.clip(wanted, -MOST_MULTIPLIER, MOST_MULTIPLIER)
        b = np.rint(np.ldexp(level, power) - m * mean)
        if (np.abs(m) * peaks + np.abs(b))[counts].max() > MOST_OFFSET:
            continue
        error = float(np.sum((deviation * (np.ldexp(m, -power) - slope)) ** 2))
        if best is None or error < least:
            best, least = (m, b, power), error
        if (m == wanted).all():
            break
    assert best is not None
    m, b, power = best
    above = ~counts & (b > MOST_OFFSET)
    if above.any():
        b = np.where(above, np.where(level == level[above].max(), MOST_OFFSET, MOST_OFFSET - 1), b)
    b = np.maximum(b, -MOST_OFFSET)
    shift = np.full(slope.shape, power, np.int64)
    return Scales(m.astype(np.int64), b.astype(np.int64), shift)


def _line(layer: HiddenLayer, width: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Slope and intercept from sums to codes; the sums' mean and standard deviation."""
    norm = layer.norms[width - 1]
    assert norm.running_mean is not None and norm.running_var is not None
    gamma, beta, mean, variance = (
        tensor.detach().double().cpu().numpy()
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    for name, values in {"gamma": gamma, "beta": beta, "mean": mean, "variance": variance}.items():
        if not np.isfinite(values).all():
            raise UserError(
                f"the {name} of BatchNorm must be finite, not "
                f"{values[~np.isfinite(values)][0]}: training diverged",
                where=("layers", layer.geometry.index),
            )
    slope = gamma / np.sqrt(variance + norm.eps) * layer.scale
    return slope, beta * layer.scale - slope * mean, mean, np.sqrt(variance)


def _fold_width(layer: HiddenLayer, width: int, peaks: NDArray[np.int64], most: int) -> Scales:
    """Scales of a precision; those of logits have one shift, of at most ``most``."""
    slope, intercept, mean, deviation = _line(layer, width)
    if layer.geometry.output_bits is None:
        return fold_logits(slope, intercept, peaks, mean=mean, deviation=deviation, most=most)
    # An accumulator that is always 0 needs no M, whatever its statistics say.
    return fold_scale(np.where(peaks > 0, slope, 0.0), intercept + 0.5, mean)


def share_scale(fold_all: Callable[[int], list[Scales]]) -> tuple[list[Scales], int]:
    """Scales of logits at each precision, which compare: by one power of two, which is returned.

    ``fold_all`` gives them with powers of at most the one that it is called with.
    """
    found = fold_all(MOST_SHIFT)
    powers = {int(scales.shift[0]) for scales in found}
    while len(powers) > 1:
        found = fold_all(min(powers))
        powers = {int(scales.shift[0]) for scales in found}
    (power,) = powers
    return [dataclasses.replace(one, shift=np.zeros_like(one.shift)) for one in found], power


def _fold_layer(config: Config, layer: HiddenLayer) -> tuple[LayerParameters, int]:
    """The integers of a layer, and the power of two by which its logits are scaled up."""
    masks = [mask.cpu().numpy() for mask in layer.weights.masks]
    peaks = []
    for width in range(1, layer.widths + 1):
        there = config.at(width)
        used = masks if width == layer.widths else masks[:width]
        geometry = there.geometry[layer.geometry.index]
        weights = there.weights_of(geometry.index)
        peaks.append(weights.channel_peaks(layer.engine, geometry, used))

    def fold_all(most: int) -> list[Scales]:
        return [_fold_width(layer, width, peak, most) for width, peak in enumerate(peaks, 1)]

    if layer.geometry.output_bits is None:
        found, power = share_scale(fold_all)
    else:
        found, power = fold_all(MOST_SHIFT), 0
    *coarser, full = found
    first, *others = masks
    return LayerParameters(first, *full.parts, tuple(others), tuple(coarser)), power


@torch.no_grad()
def fold(network: Network) -> Parameters:
    """The integers of a network, from its running statistics.

    The metadata's ``logit_shift`` says by which power of two the logits are scaled up.

    Raises
    ------
    UserError
        If a statistic is not finite, as after a training that diverged.
    """
    folded = [_fold_layer(network.config, layer) for layer in network.layers]
    layers = tuple(parameters for parameters, _ in folded)
    return Parameters(layers, {"logit_shift": str(folded[-1][1])})
