"""Numbers of floating-point formats that tests share."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.reference.floating_point.float_format import Codes, FloatFormat

__all__ = ["bits_of", "every_pair", "pairs", "random_codes", "special_codes", "special_pairs"]


def special_codes(fmt: FloatFormat) -> Codes:
    """Zero, edges of the subnormals and normals, around one, infinity, NaNs; of both signs."""
    ones = fmt.hidden - 1
    some = [
        0, 1, 2, fmt.hidden >> 1, ones, fmt.hidden, fmt.hidden + 1, 2 * fmt.hidden,
        fmt.one - fmt.hidden, fmt.one - 1, fmt.one, fmt.one + 1, fmt.one + (fmt.hidden >> 1),
        fmt.one + ones, fmt.one + fmt.hidden, fmt.infinity - fmt.hidden, fmt.infinity - 1,
        fmt.infinity, fmt.infinity + 1, fmt.nan, fmt.infinity + ones,
    ]  # fmt: skip
    found = np.unique(np.array(some, np.int64))
    return np.concatenate([found, found | fmt.sign])


def pairs(left: Codes, right: Codes) -> tuple[Codes, Codes]:
    """Each of one with each of another."""
    return np.repeat(left, len(right)), np.tile(right, len(left))


def special_pairs(fmt: FloatFormat) -> tuple[Codes, Codes]:
    """All pairs of special codes."""
    some = special_codes(fmt)
    return pairs(some, some)


def every_pair(fmt: FloatFormat) -> tuple[Codes, Codes]:
    """All pairs of all codes."""
    every = np.arange(1 << fmt.width, dtype=np.int64)
    return pairs(every, every)


def random_codes(fmt: FloatFormat, many: int, seed: int) -> tuple[Codes, Codes]:
    """A third of pairs anything, a third near one, a third of nearly equal exponents."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 1 << fmt.width, (2, many))
    third = many // 3
    for x in (a, b):
        x[:third] &= fmt.sign | (fmt.hidden - 1)
        x[:third] += fmt.one + rng.integers(-1, 2, third) * fmt.hidden
    near = a[-third:] + rng.integers(-3 * fmt.hidden, 3 * fmt.hidden, third)
    b[-third:] = np.clip(near, 0, (1 << fmt.width) - 1) ^ (b[-third:] & fmt.sign)
    return a, b


def bits_of(fmt: FloatFormat, values: NDArray[np.floating]) -> Codes:
    """Codes of numpy's numbers of the same width; every NaN is that of the format."""
    unsigned = {16: np.uint16, 32: np.uint32}[fmt.width]
    codes = values.view(unsigned).astype(np.int64)
    return np.where(np.isnan(values), fmt.nan, codes)
