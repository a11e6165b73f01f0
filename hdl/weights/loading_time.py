"""Cycles that loading an image takes, exactly, at one word per cycle where they are taken."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import Config
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.supermask_image import stored_bits
from kakure.model.reference.masks import encode_mask, shortest_token
from kakure.model.reference.signs import weight_order

from .sign_generator import LATENCY

__all__ = ["loading_cycles", "mask_cycles", "section_cycles", "word_widths"]

WORD = 32
HEADER = 2
"""Words before a mask."""


def word_widths(generator: str, *, channels: int, window: int, outputs: int) -> NDArray[np.int64]:
    """Weights of each word of a layer, in the order in which they are made."""
    order = weight_order(generator, channels=channels, window=window, outputs=outputs)
    return np.array([min(WORD, outputs - WORD * block) for _, block in order])


def mask_cycles(bits: NDArray[np.uint8], token: int, *, widths: NDArray[np.int64]) -> int:
    """Cycles in which :class:`.MaskDecoder` makes the words of a mask.

    ``bits`` are the mask in stream order, coded by ``token``, cut into words of ``widths`` bits.
    One cycle for each word, and for each token that ends elsewhere than a word does.
    """
    return int(_word_cycles(bits, token, widths=widths).sum())


def _word_cycles(
    bits: NDArray[np.uint8], token: int, *, widths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Those of each word."""
    word_ends = np.cumsum(widths)
    if token == 0:
        return np.ones(len(word_ends), np.int64)
    code = encode_mask(bits, token).reshape(-1, token)
    zeros = code @ (1 << np.arange(token))
    token_ends = np.cumsum(zeros + (zeros != (1 << token) - 1))
    ends = np.union1d(word_ends, np.minimum(token_ends, len(bits)))
    return np.diff(np.searchsorted(ends, word_ends, side="right"), prepend=0)


def section_cycles(
    generator: str | None,
    bits: NDArray[np.uint8],
    token: int,
    *,
    window: int,
    outputs: int,
    write_cycles: Sequence[int] | None = None,
) -> int:
    """Cycles from a section's first word to its last, both counted.

    Two header words, the wait for the first signs of a ``generator``, where there is one, the mask,
    M and B per channel, the CRC.

    Where there are ``write_cycles``, by a word's row, a word is made while the one before it is
    written, and the scales come when the last one is.
    """
    channels = len(bits) // (window * outputs)
    order = generator or "xorshift32"
    widths = word_widths(order, channels=channels, window=window, outputs=outputs)
    header = HEADER if generator is None else LATENCY[generator]  # the third word waits for signs
    made = _word_cycles(bits, token, widths=widths)
    if write_cycles is None:
        return header + int(made.sum()) + 2 * outputs + 1
    places = weight_order(order, channels=channels, window=window, outputs=outputs)
    written = np.array([write_cycles[row] for row, _ in places])
    mask = made[0] + np.maximum(made[1:], written[:-1]).sum() + written[-1]
    return header + int(mask) + 2 * outputs + 1


def loading_cycles(config: Config, parameters: Parameters) -> int:
    """Cycles from the first to the last word of :func:`.image_words`, both counted."""
    weights = config.weights
    is_bitwise = isinstance(weights, BitwiseWeights)
    generator = None if is_bitwise else HiddenWeights.of(weights).generator
    takes = [engine_of(config, index).write_cycles for index in range(len(config.layers))]
    if any(takes):  # then every section waits for the last of its words, if for a cycle alone
        takes = [
            each or [1] * geometry.fan_in
            for each, geometry in zip(takes, config.geometry, strict=True)
        ]
    total = 0
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        for mask in layer.masks:
            bits = stored_bits(config, geometry, mask)
            total += section_cycles(
                generator,
                bits,
                shortest_token(bits),
                window=geometry.window,
                outputs=geometry.outputs,
                write_cycles=takes[geometry.index],
            )
    return total
