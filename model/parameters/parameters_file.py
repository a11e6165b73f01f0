"""Trained parameters in one safetensors file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError
from kakure.model.shown import cut

from .parameters import (
    MULTIPLIER_BITS,
    OFFSET_BITS,
    SHIFT_BITS,
    LayerParameters,
    Parameters,
    Scales,
    identity,
)
from .tensor_file import read_tensors, write_tensors

__all__ = ["load_parameters", "save_parameters"]

SCALES = ("multiplier", "offset", "shift")


def save_parameters(path: Path | str, config: Config, parameters: Parameters) -> None:
    """Write the file, whole or not at all; masks are packed eight weights a byte.

    Its metadata has a checksum besides those of ``parameters``, see :mod:`.tensor_file`.
    """
    tensors: dict[str, np.ndarray] = {}
    for index, layer in enumerate(parameters.layers):
        for name, mask in zip(config.weights_of(index).mask_names, layer.masks, strict=True):
            tensors[f"layers.{index}.{name}"] = np.packbits(mask.reshape(-1), bitorder="little")
        sets = (layer.scales, *layer.coarser)
        for suffix, scales in zip(_suffixes(config, index), sets, strict=True):
            for name, values in zip(SCALES, scales.parts, strict=True):
                largest = int(np.abs(values).max())
                if largest > np.iinfo(np.int32).max:
                    raise ValueError(f"layers[{index}].{name} must fit 32 bits, not {largest}")
                tensors[f"layers.{index}.{name}{suffix}"] = values.astype(np.int32)
    write_tensors(Path(path), tensors, {**parameters.metadata, **identity(config)})


def load_parameters(path: Path | str, config: Config) -> Parameters:
    """Read the file and hold it against the configuration.

    Raises
    ------
    UserError
        If the file is missing, truncated, damaged, or does not belong to the network.
    """
    try:
        tensors, metadata = read_tensors(path, advice="copy it anew, or let kakure train write it")
    except FileNotFoundError:
        raise UserError(
            "must be an existing file; kakure train writes it", where=("parameters",), file=path
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be read: {error}", where=("parameters",), file=path) from None
    expected = identity(config)["weights"]
    if metadata.get("weights") != expected:
        raise UserError(
            f"must be {expected} as in the configuration",
            where=("weights",),
            value=cut(str(metadata.get("weights")), 120),
            file=path,
        )
    layers = []
    for geometry in config.geometry:
        layers.append(_layer(str(path), config, tensors, geometry))
    unknown = sorted(set(tensors) - _names(config))
    if unknown:
        raise UserError(f"{unknown[0]}: must not be there, {_why(config, unknown[0])}", file=path)
    return Parameters(tuple(layers), metadata)


def _why(config: Config, name: str) -> str:
    """Why a tensor belongs to no layer."""
    place = name.split(".")[1] if name.count(".") > 1 else ""
    if not place.isdecimal() or int(place) >= len(config.layers):
        return f"the network has {len(config.layers)} layers"
    planes = config.weights_of(int(place)).widths
    return f"layers[{place}] has weights of {planes} bit{'' if planes == 1 else 's'}"


def _suffixes(config: Config, index: int) -> tuple[str, ...]:
    """What follows the names of scales: nothing for all planes, then how many are used."""
    return ("", *(f"_{width}" for width in range(1, config.weights_of(index).widths)))


def _names(config: Config) -> set[str]:
    found = set()
    for index in range(len(config.layers)):
        scales = (f"{name}{suffix}" for suffix in _suffixes(config, index) for name in SCALES)
        parts = (*config.weights_of(index).mask_names, *scales)
        found |= {f"layers.{index}.{part}" for part in parts}
    return found


def _layer(
    path: str, config: Config, tensors: dict[str, np.ndarray], geometry: LayerGeometry
) -> LayerParameters:
    prefix = f"layers.{geometry.index}"
    outputs = geometry.outputs

    def tensor(part: str, dtype: type, size: int) -> np.ndarray:
        name = f"{prefix}.{part}"
        if name not in tensors:
            raise UserError(f"{name}: is required by the configuration, but missing", file=path)
        value = tensors[name]
        if part == "shift" and value.shape == (1,):  # one for all channels: an older file
            value = np.repeat(value, size)
        if value.dtype != dtype or value.shape != (size,):
            raise UserError(
                f"{name}: must be {np.dtype(dtype).name} of shape ({size},) for this configuration",
                value=f"{value.dtype} of shape {value.shape}",
                file=path,
            )
        return value

    def mask_of(part: str) -> np.ndarray:
        packed = tensor(part, np.uint8, -(-geometry.weights // 8))
        bits = np.unpackbits(packed, count=geometry.weights, bitorder="little")
        return bits.astype(bool).reshape(geometry.fan_in, outputs)

    weights, suffixes = config.weights_of(geometry.index), _suffixes(config, geometry.index)
    masks = [mask_of(part) for part in weights.mask_names]
    wrong = weights.misfit(masks)
    if wrong is not None:
        raise UserError(f"{prefix}.{wrong[0]}: {wrong[1]}", file=path)
    sets = []
    for suffix in suffixes:
        multiplier, offset, shift = (
            tensor(f"{name}{suffix}", np.int32, outputs).astype(np.int64) for name in SCALES
        )
        sets.append(Scales(multiplier, offset, shift))
    first, *inner = masks
    full, *coarser = sets
    result = LayerParameters(first, *full.parts, inner=tuple(inner), coarser=tuple(coarser))
    for width, suffix in zip((len(sets), *range(1, len(sets))), suffixes, strict=True):
        there = config.at(width)
        peaks = result.at(width).peaks(there, there.geometry[geometry.index])
        _check_scales(result.at(width).scales, geometry, peaks, prefix, suffix, path)
    return result


def _check_scales(
    scales: Scales,
    geometry: LayerGeometry,
    peaks: NDArray[np.int64],
    prefix: str,
    suffix: str,
    path: str,
) -> None:
    """See that the requantizer holds them; UserError if not."""
    multiplier, offset, shift = scales.parts
    limit = 1 << (MULTIPLIER_BITS - 1)
    worst = int(max(abs(multiplier.min()), abs(multiplier.max())))
    if multiplier.min() < -limit or multiplier.max() >= limit:
        raise UserError(
            f"{prefix}.multiplier{suffix}: must fit {MULTIPLIER_BITS} bits", value=worst, file=path
        )
    most = (1 << SHIFT_BITS) - 1
    wrong = shift[(shift < 0) | (shift > most)]
    if wrong.size:
        raise UserError(f"{prefix}.shift{suffix}: must be 0 to {most}", value=wrong[0], file=path)
    if geometry.output_bits is not None:
        return
    if shift.any():
        wrong = shift[shift != 0][0]
        raise UserError(
            f"{prefix}.shift{suffix}: must be 0 in the last layer", value=wrong, file=path
        )
    largest = int((np.abs(multiplier) * peaks + np.abs(offset)).max())
    if largest >= 1 << (OFFSET_BITS - 1):
        raise UserError(
            f"{prefix}{suffix}: logits must fit {OFFSET_BITS} bits, but may reach {largest}",
            file=path,
        )
