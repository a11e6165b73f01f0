"""The supermask as a stream: raw bits or zero runs, closed by a CRC-32.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .signs import WORD, weight_order

__all__ = ["crc32", "decode_mask", "encode_mask", "mask_bits", "mask_from_bits", "shortest_token"]

IntArray = NDArray[np.integer]
TOKEN_SIZES = (0, 1, 2, 3, 4, 5)
"""Supermask codings: 0 is raw bits, else the size of a zero-run token [bit]."""


def mask_bits(
    mask: NDArray[np.bool_], generator: str, *, channels: int, window: int
) -> NDArray[np.uint8]:
    """Flatten a mask (rows, outputs) into the bit order of the stream, 0 or 1."""
    outputs = mask.shape[1]
    order = weight_order(generator, channels=channels, window=window, outputs=outputs)
    words = [mask[row, block * WORD : (block + 1) * WORD] for row, block in order]
    return np.concatenate(words).astype(np.uint8)


def mask_from_bits(
    bits: IntArray, generator: str, *, channels: int, window: int, outputs: int
) -> NDArray[np.bool_]:
    """Inverse of :func:`mask_bits`."""
    mask = np.zeros((channels * window, outputs), bool)
    start = 0
    for row, block in weight_order(generator, channels=channels, window=window, outputs=outputs):
        width = min(WORD, outputs - block * WORD)
        mask[row, block * WORD : block * WORD + width] = bits[start : start + width]
        start += width
    return mask


def encode_mask(bits: IntArray, token: int) -> NDArray[np.uint8]:
    """Code a mask as a bit string, least significant bit of a token first.

    ``token`` 0: the bits as they are. Else tokens of ``token`` bits: t < 2^token − 1 stands for
    t zeros and a one, t = 2^token − 1 for that many zeros. A one past the end is dropped.
    """
    if token == 0:
        return np.asarray(bits, np.uint8).copy()
    values = _tokens(bits, token)
    return (values[:, None] >> np.arange(token) & 1).astype(np.uint8).reshape(-1)


def _tokens(bits: IntArray, token: int) -> NDArray[np.uint8]:
    """The tokens of a coded mask: each run of zeros, cut where it is too long for one token."""
    longest = (1 << token) - 1
    ones = np.flatnonzero(bits)
    runs = np.diff(ones, prepend=-1) - 1
    ends = np.cumsum(runs // longest + 1)
    rest = len(bits) - 1 - (ones[-1] if len(ones) else -1)
    whole = int(ends[-1]) if len(ones) else 0
    values = np.full(whole + -(-rest // longest), longest, np.uint8)
    values[ends - 1] = runs % longest
    if rest % longest:
        values[-1] = rest % longest
    return values


def decode_mask(code: IntArray, token: int, count: int) -> NDArray[np.uint8]:
    """The first ``count`` mask bits of a coded string; ValueError if it ends before."""
    if token == 0:
        bits = list(code[:count])
    else:
        bits = []
        longest = (1 << token) - 1
        for start in range(0, len(code) - token + 1, token):
            if len(bits) >= count:
                break
            value = sum(int(code[start + b]) << b for b in range(token))
            bits += [0] * value + ([] if value == longest else [1])
    if len(bits) < count:
        raise ValueError(f"the coded mask must hold {count} bits, not {len(bits)}")
    return np.array(bits[:count], np.uint8)


def shortest_token(bits: IntArray) -> int:
    """The token size whose code of ``bits`` is shortest; the smaller one on a tie."""

    def length(token: int) -> int:
        return token * len(_tokens(bits, token)) if token else len(bits)

    return min(TOKEN_SIZES, key=length)


def crc32(words: Sequence[int]) -> int:
    """CRC-32 (IEEE 802.3) of 32-bit words, least significant byte first."""
    return zlib.crc32(b"".join(int(word).to_bytes(4, "little") for word in words))
