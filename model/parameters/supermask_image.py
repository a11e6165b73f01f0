"""The image that loads a network into an accelerator: masks or planes, and scales, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.reference.masks import crc32, encode_mask, mask_bits, shortest_token

from .parameters import LayerParameters, Parameters

__all__ = [
    "MAGIC",
    "Section",
    "image_sections",
    "image_words",
    "layer_section",
    "pack_words",
    "stored_bits",
]

MAGIC = 0x4B
"""First byte of a section's header, the letter K."""


@dataclass(frozen=True)
class Section:
    """The words of one layer: two header words, the coded mask, S, M and B per channel, CRC-32.

    Attributes
    ----------
    token : int
        Coding of the mask: 0 raw, else the token size [bit].
    mask_words : int
        Words of the coded mask.
    words : tuple of int
        The whole section, header and CRC included.
    """

    token: int
    mask_words: int
    words: tuple[int, ...]


def pack_words(bits: Iterable[int]) -> list[int]:
    """Pack bits into 32-bit words, first bit least significant; the last word is filled with 0."""
    packed = np.packbits(np.fromiter(bits, np.uint8), bitorder="little").tobytes()
    packed += bytes(-len(packed) % 4)
    return np.frombuffer(packed, "<u4").tolist()


def stored_bits(
    config: Config, geometry: LayerGeometry, mask: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """A mask, or plane, in the order in which the hardware takes it, 0 or 1."""
    weights = config.weights
    is_bitwise = isinstance(weights, BitwiseWeights)
    generator = "xorshift32" if is_bitwise else HiddenWeights.of(weights).generator
    return mask_bits(mask, generator, channels=geometry.in_channels, window=geometry.window)


def layer_section(
    config: Config,
    geometry: LayerGeometry,
    layer: LayerParameters,
    token: int | None = None,
    *,
    plane: int = 0,
) -> Section:
    """Lay out one layer, or a plane of it; ``token`` None takes the shortest coding.

    Word 0 is MAGIC << 24 | plane << 16 | token << 8 | layer, word 1 the number of mask words. The
    mask, or plane, follows in the order of :func:`kakure.model.reference.signs.weight_order`, of
    planes that of ``xorshift32``; then for each channel S << 24 | M, M in the lower 16 bits, and B,
    those that are used when this plane is the last; then the CRC-32 of all words before it. All
    other bits are 0.
    """
    bits = stored_bits(config, geometry, layer.masks[plane])
    if token is None:
        token = shortest_token(bits)
    mask = pack_words(encode_mask(bits, token))
    words = [MAGIC << 24 | plane << 16 | token << 8 | geometry.index, len(mask), *mask]
    scales = zip(*layer.at(plane + 1).scales.parts, strict=True)
    for multiplier, offset, shift in scales:
        words += [int(shift) << 24 | int(multiplier) & 0xFFFF, int(offset) & 0xFFFFFFFF]
    words.append(crc32(words))
    return Section(token, len(mask), tuple(words))


def image_sections(config: Config, parameters: Parameters) -> Iterator[Section]:
    """The sections of all layers, in order; of bitwise weights plane after plane of each."""
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        for plane in range(config.weights_of(geometry.index).widths):
            yield layer_section(config, geometry, layer, plane=plane)


def image_words(config: Config, parameters: Parameters) -> list[int]:
    """The whole image."""
    return [word for section in image_sections(config, parameters) for word in section.words]
