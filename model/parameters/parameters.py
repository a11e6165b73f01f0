"""Trained parameters of a network: supermasks and requantizer scales, in one safetensors file."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.regular_file import check_regular
from kakure.model.provenance import array_digest
from kakure.model.shown import cut

__all__ = [
    "MULTIPLIER_BITS",
    "OFFSET_BITS",
    "SHIFT_BITS",
    "LayerParameters",
    "Parameters",
    "load_parameters",
    "random_parameters",
    "save_parameters",
]

MULTIPLIER_BITS = 16
"""Width of M, signed [bit]."""
OFFSET_BITS = 32
"""Width of B and of a logit, signed [bit]."""
SHIFT_BITS = 5
"""Width of S, unsigned [bit]."""
MASKS = ("mask", "mask_2", "mask_3")
"""What a layer's masks are called in the file."""


@dataclass(frozen=True)
class LayerParameters:
    """Parameters of one layer.

    Attributes
    ----------
    mask : bool array, (fan_in, outputs)
        Supermask, rows in the order of :func:`kakure.model.reference.stages.windows`.
    inner : tuple of bool array, (fan_in, outputs)
        Of multicoat weights the further masks, each part of the one before.
    multiplier, offset : int64 array, (outputs,)
        M and B of the requantizer, the rounding half included in B.
    shift : int64 array, (outputs,)
        S, 0 .. 31; 0 in the last layer, whose logits share one scale.
    """

    mask: NDArray[np.bool_]
    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: NDArray[np.int64]
    inner: tuple[NDArray[np.bool_], ...] = ()

    @property
    def masks(self) -> tuple[NDArray[np.bool_], ...]:
        """All masks, the largest first."""
        return (self.mask, *self.inner)

    def coats(self, config: Config, geometry: LayerGeometry) -> list[NDArray[np.int8]]:
        """m·s of each mask, (fan_in, outputs): the engine adds up the sums of all."""
        return [config.weights.values(geometry, mask) for mask in self.masks]

    def weights(self, config: Config, geometry: LayerGeometry) -> NDArray[np.int8]:
        """w = Σ m·s of the layer, (fan_in, outputs)."""
        coats = self.coats(config, geometry)
        return np.stack(coats).sum(axis=0, dtype=np.int8) if self.inner else coats[0]

    def peaks(self, config: Config, geometry: LayerGeometry) -> NDArray[np.int64]:
        """Magnitude that no sum of the layer's outputs exceeds, (outputs,)."""
        layer = config.layers[geometry.index]
        found = [config.weights.channel_peaks(layer, geometry, mask) for mask in self.masks]
        return np.stack(found).sum(axis=0, dtype=np.int64)


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
                for part in (layer.mask, layer.multiplier, layer.offset, layer.shift, *layer.inner)
            )
        )


def random_parameters(config: Config, seed: int) -> Parameters:
    """Untrained parameters that use the whole range of every activation, for tests."""
    rng = np.random.default_rng(seed)
    fractions = config.weights.coat_fractions
    power = sum((2 * n + 1) * fraction for n, fraction in enumerate(fractions))  # mean of w²
    layers = []
    for geometry in config.geometry:
        draws = rng.random((geometry.fan_in, geometry.outputs))
        mask, *inner = (draws < fraction for fraction in fractions)
        if geometry.output_bits is None:
            room = (1 << (OFFSET_BITS - 1)) // (2 * geometry.peak)
            limit = max(1, min(99, room))
            multiplier = rng.integers(1, limit + 1, geometry.outputs)
            offset = rng.integers(-999, 1000, geometry.outputs)
            shift = np.zeros(geometry.outputs, np.int64)
        else:
            shift = rng.integers(9, 16, geometry.outputs)
            spread = 2 * ((1 << geometry.input_bits) - 1) * np.sqrt(geometry.fan_in * power)
            scale = (1 << geometry.output_bits) / spread * (1 << shift)
            multiplier = (scale * rng.uniform(0.5, 1.5, geometry.outputs)).astype(np.int64) + 1
            multiplier *= rng.choice([1, 1, 1, -1], geometry.outputs)
            multiplier = np.clip(multiplier, -32768, 32767)
            middle = 1 << (geometry.output_bits + shift - 1)
            offset = (rng.uniform(-0.5, 1.5, geometry.outputs) * middle).astype(np.int64)
        scales = multiplier.astype(np.int64), offset.astype(np.int64), shift
        layers.append(LayerParameters(mask, *scales, tuple(inner)))
    return Parameters(tuple(layers), _identity(config))


def _identity(config: Config) -> dict[str, str]:
    """What the masks were trained for: with other signs they are meaningless."""
    return {"weights": json.dumps(config.weights.trained_for(), sort_keys=True)}


def save_parameters(path: Path | str, config: Config, parameters: Parameters) -> None:
    """Write the file, whole or not at all; masks are packed eight weights a byte."""
    tensors: dict[str, np.ndarray] = {}
    for index, layer in enumerate(parameters.layers):
        for name in ("multiplier", "offset"):
            largest = int(np.abs(getattr(layer, name)).max())
            if largest > np.iinfo(np.int32).max:
                raise ValueError(f"layers[{index}].{name} must fit 32 bits, not {largest}")
        for name, mask in zip(MASKS, layer.masks, strict=False):
            tensors[f"layers.{index}.{name}"] = np.packbits(mask.reshape(-1), bitorder="little")
        tensors[f"layers.{index}.multiplier"] = layer.multiplier.astype(np.int32)
        tensors[f"layers.{index}.offset"] = layer.offset.astype(np.int32)
        tensors[f"layers.{index}.shift"] = layer.shift.astype(np.int32)
    metadata = {**parameters.metadata, **_identity(config)}
    try:
        write_atomically(Path(path), _ordered(save(tensors, metadata)))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its metadata in order: the library's own order is random."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def load_parameters(path: Path | str, config: Config) -> Parameters:
    """Read the file and hold it against the configuration.

    Raises
    ------
    UserError
        If the file is missing, truncated, or does not belong to the network.
    """
    try:
        check_regular(path)
        with safe_open(str(path), framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            metadata = dict(file.metadata() or {})
    except FileNotFoundError:
        raise UserError(
            "must be an existing file; kakure train writes it", where=("parameters",), file=path
        ) from None
    except (SafetensorError, OSError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"cannot be read: {error}", where=("parameters",), file=path) from None
    expected = _identity(config)["weights"]
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
        raise UserError(
            f"{unknown[0]}: must not be there, the network has {len(layers)} layers",
            file=path,
        )
    return Parameters(tuple(layers), metadata)


def _masks(config: Config) -> tuple[str, ...]:
    """Names of a layer's masks."""
    return MASKS[: len(config.weights.coat_fractions)]


def _names(config: Config) -> set[str]:
    parts = (*_masks(config), "multiplier", "offset", "shift")
    return {f"layers.{index}.{part}" for index in range(len(config.layers)) for part in parts}


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

    mask, *inner = map(mask_of, _masks(config))
    for name, larger, smaller in zip(MASKS[1:], (mask, *inner), inner, strict=False):
        if (smaller & ~larger).any():
            raise UserError(f"{prefix}.{name}: must be part of the mask before it", file=path)
    multiplier = tensor("multiplier", np.int32, outputs).astype(np.int64)
    offset = tensor("offset", np.int32, outputs).astype(np.int64)
    shift = tensor("shift", np.int32, outputs).astype(np.int64)
    limit = 1 << (MULTIPLIER_BITS - 1)
    worst = int(max(abs(multiplier.min()), abs(multiplier.max())))
    if multiplier.min() < -limit or multiplier.max() >= limit:
        raise UserError(
            f"{prefix}.multiplier: must fit {MULTIPLIER_BITS} bits", value=worst, file=path
        )
    most = (1 << SHIFT_BITS) - 1
    wrong = shift[(shift < 0) | (shift > most)]
    if wrong.size:
        raise UserError(f"{prefix}.shift: must be 0 to {most}", value=wrong[0], file=path)
    result = LayerParameters(mask, multiplier, offset, shift, tuple(inner))
    if geometry.output_bits is None:
        if shift.any():
            wrong = shift[shift != 0][0]
            raise UserError(f"{prefix}.shift: must be 0 in the last layer", value=wrong, file=path)
        peaks = result.peaks(config, geometry)
        largest = int((np.abs(multiplier) * peaks + np.abs(offset)).max())
        if largest >= 1 << (OFFSET_BITS - 1):
            raise UserError(
                f"{prefix}: logits must fit {OFFSET_BITS} bits, but may reach {largest}",
                file=path,
            )
    return result
