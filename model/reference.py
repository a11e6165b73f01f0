"""The meaning of every block in plain integers; PyTorch and hardware are tested against it.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .geometry import LayerGeometry, row_groups

if TYPE_CHECKING:
    from .config import Config
    from .parameters import Parameters

__all__ = [
    "adc",
    "bit_planes",
    "bitwise_planes",
    "bitwise_value",
    "channel_peaks",
    "classify",
    "crc32",
    "crossbar",
    "crossbar_bitwise",
    "decode_mask",
    "encode_mask",
    "hidden_weights",
    "jenkins",
    "layer_sums",
    "mask_bits",
    "mask_from_bits",
    "max_pool",
    "network",
    "network_layers",
    "pe_array",
    "pe_array_bitwise",
    "quantize_image",
    "requantize",
    "shortcut",
    "shortest_token",
    "sign_matrix",
    "weight_order",
    "windows",
    "xorshift16",
    "xorshift32",
]

IntArray = NDArray[np.integer]
WORD = 32
"""Weights per word: consecutive output channels of one row."""
TOKEN_SIZES = (0, 1, 2, 3, 4, 5)
"""Supermask codings: 0 is raw bits, else the size of a zero-run token [bit]."""


# --- sign generators -------------------------------------------------------------------------


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


# --- supermask stream ------------------------------------------------------------------------


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
    longest = (1 << token) - 1
    tokens = []
    run = 0
    for bit in bits:
        if bit:
            tokens.append(run)
            run = 0
        else:
            run += 1
            if run == longest:
                tokens.append(longest)
                run = 0
    if run:
        tokens.append(run)
    values = np.array(tokens, np.uint8)
    return (values[:, None] >> np.arange(token) & 1).astype(np.uint8).reshape(-1)


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
    return min(TOKEN_SIZES, key=lambda token: len(encode_mask(bits, token)))


def crc32(words: Sequence[int]) -> int:
    """CRC-32 (IEEE 802.3) of 32-bit words, least significant byte first."""
    return zlib.crc32(b"".join(int(word).to_bytes(4, "little") for word in words))


# --- crossbar --------------------------------------------------------------------------------


def adc(count: IntArray | int, adc_bits: int, adc_shift: int = 0) -> IntArray:
    """Readout code, min((count + 2^(s−1)) >> s, 2^AP − 1); worth code << s."""
    half = (1 << adc_shift) >> 1
    return np.minimum((np.asarray(count) + half) >> adc_shift, (1 << adc_bits) - 1)


def bit_planes(x: IntArray, bits: int) -> list[NDArray[np.float32]]:
    """Planes of ``x``, least significant first, each of the shape of ``x``."""
    return [(x >> plane & 1).astype(np.float32) for plane in range(bits)]


def crossbar(
    x: IntArray, w: IntArray, *, rows: int, input_bits: int, adc_bits: int, adc_shift: int = 0
) -> NDArray[np.int64]:
    """Sums of hidden weights through saturating readouts, (n, f) x (f, c) -> (n, c).

    Σ_groups Σ_planes 2^plane · (code⁺ − code⁻) · 2^s, with one count per group of ``rows`` rows,
    input bit-plane and polarity.
    """
    total = np.zeros((x.shape[0], w.shape[1]), np.int64)
    positive, negative = (w > 0).astype(np.float32), (w < 0).astype(np.float32)
    start = 0
    for size in row_groups(x.shape[1], rows):
        group = slice(start, start + size)
        start += size
        for plane, ones in enumerate(bit_planes(x[:, group], input_bits)):
            up = (ones @ positive[group]).astype(np.int32)
            down = (ones @ negative[group]).astype(np.int32)
            code = adc(up, adc_bits, adc_shift) - adc(down, adc_bits, adc_shift)
            total += code.astype(np.int64) << (plane + adc_shift)
    return total


def bitwise_planes(u: IntArray, bits: int) -> list[NDArray[np.float32]]:
    """Planes B_0 .. B_{N−1} of weight codes u in 0 .. 2^N − 1, most significant first."""
    return [(u >> (bits - 1 - i) & 1).astype(np.float32) for i in range(bits)]


def bitwise_value(u: IntArray, bits: int, used: int | None = None) -> IntArray:
    """The weight Σ_{i<n} 2^(n−1−i)·(2·B_i − 1) of the first n = ``used`` planes, an odd integer."""
    used = bits if used is None else used
    return 2 * (np.asarray(u, np.int64) >> (bits - used)) - ((1 << used) - 1)


def crossbar_bitwise(
    x: IntArray,
    u: IntArray,
    *,
    bits: int,
    rows: int,
    input_bits: int,
    adc_bits: int,
    adc_shift: int = 0,
    used: int | None = None,
) -> NDArray[np.int64]:
    """Sums of bitwise weights through saturating readouts, stopping after ``used`` planes.

    Σ_groups Σ_planes 2^plane · Σ_{i<n} 2^(n−1−i) · (2·code_i·2^s − Σ x).
    """
    used = bits if used is None else used
    total = np.zeros((x.shape[0], u.shape[1]), np.int64)
    start = 0
    for size in row_groups(x.shape[1], rows):
        group = slice(start, start + size)
        start += size
        cells = bitwise_planes(u[group], bits)[:used]
        for plane, ones in enumerate(bit_planes(x[:, group], input_bits)):
            count = ones.sum(axis=1).astype(np.int64)[:, None]
            for i, cell in enumerate(cells):
                code = adc((ones @ cell).astype(np.int64), adc_bits, adc_shift)
                value = 2 * (code << adc_shift) - count
                total += value << (plane + used - 1 - i)
    return total


def channel_peaks(
    mask: NDArray[np.bool_],
    *,
    groups: Sequence[int],
    input_bits: int,
    adc_bits: int | None = None,
    adc_shift: int = 0,
) -> NDArray[np.int64]:
    """Magnitude that no sum of hidden weights exceeds, whatever the signs, (f, c) -> (c,).

    Σ_groups of the code of all weights kept, times 2^IP − 1; exact sums where ``adc_bits`` is
    None. No more than the layer's ``peak``, and 0 only where the sum is always 0.
    """
    total = np.zeros(mask.shape[1], np.int64)
    start = 0
    for size in groups:
        kept = mask[start : start + size].sum(axis=0, dtype=np.int64)
        start += size
        total += kept if adc_bits is None else adc(kept, adc_bits, adc_shift) << adc_shift
    return total * ((1 << input_bits) - 1)


# --- PE array --------------------------------------------------------------------------------


def pe_array(x: IntArray, w: IntArray) -> NDArray[np.int64]:
    """Exact sums Σ w·x, (n, f) x (f, c) -> (n, c)."""
    return np.asarray(x, np.int64) @ np.asarray(w, np.int64)


def pe_array_bitwise(
    x: IntArray, u: IntArray, *, bits: int, used: int | None = None
) -> NDArray[np.int64]:
    """Sums of bitwise weights by acc ← 2·acc + Σ b_i·x over the first ``used`` planes."""
    acc = np.zeros((x.shape[0], u.shape[1]), np.int64)
    for plane in bitwise_planes(u, bits)[: bits if used is None else used]:
        acc = 2 * acc + np.asarray(x, np.int64) @ (2 * plane.astype(np.int64) - 1)
    return acc


# --- layers ----------------------------------------------------------------------------------


def quantize_image(images: IntArray, input_bits: int) -> IntArray:
    """8-bit pixels to activations: the ``input_bits`` most significant bits."""
    return np.asarray(images, np.uint8) >> (8 - input_bits)


def windows(x: IntArray, kernel_height: int, kernel_width: int, padding: int) -> IntArray:
    """Unrolled windows, (n, h, w, c) -> (n, h', w', c·kh·kw); row r = (channel, ky, kx)."""
    edge = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    view = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, edge), (kernel_height, kernel_width), axis=(1, 2)
    )  # (n, h', w', c, kh, kw)
    return view.reshape(*view.shape[:3], -1)


def max_pool(acc: IntArray, size: int) -> IntArray:
    """Maximum over size x size blocks, (n, h, w, c) -> (n, h//size, w//size, c)."""
    n, height, width, channels = acc.shape
    height, width = height // size, width // size
    cut = acc[:, : height * size, : width * size]
    return cut.reshape(n, height, size, width, size, channels).max(axis=(2, 4))


def shortcut(x: IntArray, input_bits: int, output_bits: int) -> NDArray[np.int64]:
    """Activations in the step of another width: the most significant bits keep their place."""
    x = np.asarray(x, np.int64)
    if output_bits < input_bits:
        return x >> (input_bits - output_bits)
    return x << (output_bits - input_bits)


def requantize(
    acc: IntArray,
    multiplier: IntArray,
    offset: IntArray,
    shift: IntArray | int,
    output_bits: int | None,
    added: IntArray | int = 0,
) -> NDArray[np.int64]:
    """y = clamp(((acc·M + B) >> S) + added, 0, 2^bits − 1); acc·M + B where bits is None.

    M, B and S per channel; ``added`` is what comes over the shortcut of a residual layer.
    """
    y = np.asarray(acc, np.int64) * multiplier + offset
    if output_bits is None:
        return y
    return np.clip((y >> shift) + added, 0, (1 << output_bits) - 1)


def layer_sums(
    config: "Config", geometry: LayerGeometry, x: IntArray, w: IntArray
) -> NDArray[np.int64]:
    """Accumulators of one layer with hidden weights, (n, f) x (f, c) -> (n, c)."""
    layer = config.layers[geometry.index]
    if layer.engine == "pe_array":
        return pe_array(x, w)
    assert layer.adc_bits is not None
    return crossbar(
        x,
        w,
        rows=config.crossbar.rows,
        input_bits=layer.input_bits,
        adc_bits=layer.adc_bits,
        adc_shift=layer.adc_shift,
    )


def network_layers(
    config: "Config", parameters: "Parameters", images: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Per layer (accumulators before the pool (n, h, w, c), what leaves the layer)."""
    x = quantize_image(images, config.layers[0].input_bits)
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        rows = windows(x, geometry.kernel_height, geometry.kernel_width, geometry.padding)
        w = layer.weights(config, geometry)
        acc = layer_sums(config, geometry, rows.reshape(-1, geometry.fan_in), w)
        acc = acc.reshape(*rows.shape[:3], -1)
        pooled = max_pool(acc, geometry.pool)
        bits, added = geometry.output_bits, 0
        if geometry.residual and bits is not None:
            added = shortcut(x, geometry.input_bits, bits)
        y = requantize(pooled, layer.multiplier, layer.offset, layer.shift, bits, added)
        yield acc, y
        x = y


def network(
    config: "Config", parameters: "Parameters", images: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Logits of 8-bit images, (n, h, w, c) -> (n, classes)."""
    y = np.zeros(0, np.int64)
    for _, y in network_layers(config, parameters, images):
        pass
    return y.reshape(len(images), -1)


def classify(logits: IntArray) -> NDArray[np.int64]:
    """Class of each row: the first of the largest logits."""
    return np.argmax(logits, axis=1)
