"""The supermask image: the 32-bit words that load a network into the accelerator."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.reference.masks import crc32, encode_mask, mask_bits, shortest_token

from .parameters import LayerParameters, Parameters

__all__ = ["MAGIC", "Section", "image_words", "layer_section", "pack_words"]

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


def layer_section(
    config: Config, geometry: LayerGeometry, layer: LayerParameters, token: int | None = None
) -> Section:
    """Lay out one layer; ``token`` None takes the shortest coding.

    Word 0 is MAGIC << 24 | token << 8 | layer, word 1 the number of mask words. The mask follows
    in the order of :func:`kakure.model.reference.signs.weight_order`, then for each channel S << 24
    | M, M in the lower 16 bits, and B, then the CRC-32 of all words before it. All other bits are
    0.
    """
    bits = mask_bits(
        layer.mask,
        HiddenWeights.of(config.weights).generator,
        channels=geometry.in_channels,
        window=geometry.window,
    )
    if token is None:
        token = shortest_token(bits)
    mask = pack_words(encode_mask(bits, token))
    words = [MAGIC << 24 | token << 8 | geometry.index, len(mask), *mask]
    scales = zip(layer.multiplier, layer.offset, layer.shift, strict=True)
    for multiplier, offset, shift in scales:
        words += [int(shift) << 24 | int(multiplier) & 0xFFFF, int(offset) & 0xFFFFFFFF]
    words.append(crc32(words))
    return Section(token, len(mask), tuple(words))


def image_words(config: Config, parameters: Parameters) -> list[int]:
    """The whole image: the sections of all layers, in order."""
    words: list[int] = []
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        words += layer_section(config, geometry, layer).words
    return words
