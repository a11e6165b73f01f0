"""Cycles that loading an image takes, exactly, at one word per cycle where they are taken."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.masks import encode_mask, mask_bits, shortest_token
from kakure.model.reference.signs import weight_order

from .sign_generator import LATENCY

__all__ = ["loading_cycles", "mask_cycles", "section_cycles", "word_widths"]

WORD = 32


def word_widths(generator: str, *, channels: int, window: int, outputs: int) -> NDArray[np.int64]:
    """Weights of each word of a layer, in the order in which they are made."""
    order = weight_order(generator, channels=channels, window=window, outputs=outputs)
    return np.array([min(WORD, outputs - WORD * block) for _, block in order])


def mask_cycles(bits: NDArray[np.uint8], token: int, *, widths: NDArray[np.int64]) -> int:
    """Cycles in which :class:`.MaskDecoder` makes the words of a mask.

    ``bits`` are the mask in stream order, coded by ``token``, cut into words of ``widths`` bits.
    One cycle for each word, and for each token that ends elsewhere than a word does.
    """
    word_ends = np.cumsum(widths)
    if token == 0:
        return len(word_ends)
    code = encode_mask(bits, token).reshape(-1, token)
    zeros = code @ (1 << np.arange(token))
    token_ends = np.cumsum(zeros + (zeros != (1 << token) - 1))
    return len(np.union1d(word_ends, np.minimum(token_ends, len(bits))))


def section_cycles(
    generator: str, bits: NDArray[np.uint8], token: int, *, window: int, outputs: int
) -> int:
    """Cycles from a section's first word to its last, both counted.

    Two header words, the wait for the first signs, the mask, M and B per channel, the CRC.
    """
    channels = len(bits) // (window * outputs)
    widths = word_widths(generator, channels=channels, window=window, outputs=outputs)
    header = LATENCY[generator]  # the third word waits for the first signs
    return header + mask_cycles(bits, token, widths=widths) + 2 * outputs + 1


def loading_cycles(config: Config, parameters: Parameters) -> int:
    """Cycles from the first to the last word of :func:`.image_words`, both counted."""
    generator = HiddenWeights.of(config.weights).generator
    total = 0
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        bits = mask_bits(
            layer.mask, generator, channels=geometry.in_channels, window=geometry.window
        )
        total += section_cycles(
            generator,
            bits,
            shortest_token(bits),
            window=geometry.window,
            outputs=geometry.outputs,
        )
    return total
