"""Signs of the hidden weights, and the order in which weights are made.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["hidden_weights", "jenkins", "sign_matrix", "weight_order", "xorshift16", "xorshift32"]

IntArray = NDArray[np.integer]
WORD = 32
"""Weights per word: consecutive output channels of one row."""


def jenkins(words: Sequence[int]) -> int:
    """Jenkins one-at-a-time hash of 32-bit words, 32 bit."""
    h = 0
    for word in words:
        h = (h + word) & 0xFFFFFFFF
        h = (h + (h << 10)) & 0xFFFFFFFF
        h ^= h >> 6
    h = (h + (h << 3)) & 0xFFFFFFFF
    h ^= h >> 11
    return (h + (h << 15)) & 0xFFFFFFFF


def xorshift32(state: int) -> int:
    """One step of Marsaglia's xorshift with shifts 13, 17, 5."""
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ ((state << 5) & 0xFFFFFFFF)


def xorshift16(state: int) -> int:
    """One step of the 16-bit xorshift with shifts 7, 9, 8; 0 stays 0."""
    state ^= (state << 7) & 0xFFFF
    state ^= state >> 9
    return state ^ ((state << 8) & 0xFFFF)


def sign_matrix(
    generator: str, *, seed: int, layer: int, channels: int, window: int, outputs: int
) -> NDArray[np.int8]:
    """Signs of one layer, −1 or +1, shape (channels·window, outputs).

    Row r = channel·window + position. ``xorshift32``: row r starts from jenkins(seed, layer, r),
    1 in the place of 0; step j gives outputs 32·j .. 32·j + 31, bit b the output 32·j + b.
    ``xorshift16``: input channel c starts from ((layer + seed) << 10) ^ c, 16 bit, and steps
    through blocks of 16 outputs, and within a block through the window. Bit 1 means +1.
    """
    rows = channels * window
    if generator == "xorshift32":
        blocks = -(-outputs // 32)
        bits = np.zeros((rows, blocks * 32), np.int8)
        for row in range(rows):
            state = jenkins((seed, layer, row)) or 1
            for block in range(blocks):
                state = xorshift32(state)
                bits[row, block * 32 : block * 32 + 32] = [state >> b & 1 for b in range(32)]
    elif generator == "xorshift16":
        blocks = -(-outputs // 16)
        bits = np.zeros((rows, blocks * 16), np.int8)
        for channel in range(channels):
            state = ((layer + seed) << 10 ^ channel) & 0xFFFF
            for block in range(blocks):
                for position in range(window):
                    state = xorshift16(state)
                    bits[channel * window + position, block * 16 : block * 16 + 16] = [
                        state >> b & 1 for b in range(16)
                    ]
    else:
        raise ValueError(f"generator must be xorshift32 or xorshift16, not {generator!r}")
    return 2 * bits[:, :outputs] - 1


def weight_order(
    generator: str, *, channels: int, window: int, outputs: int
) -> Iterator[tuple[int, int]]:
    """(row, block) of each 32-weight word, in the order in which hardware makes them.

    Row by row for ``xorshift32``; per input channel block by block for ``xorshift16``, as its
    state runs on through the window before it reaches the next block.
    """
    blocks = -(-outputs // WORD)
    for channel in range(channels):
        if generator == "xorshift32":
            for position in range(window):
                for block in range(blocks):
                    yield channel * window + position, block
        else:
            for block in range(blocks):
                for position in range(window):
                    yield channel * window + position, block


def hidden_weights(signs: IntArray, mask: NDArray[np.bool_]) -> NDArray[np.int8]:
    """w = m·s, in {−1, 0, +1}."""
    return np.where(mask, signs, 0).astype(np.int8)
