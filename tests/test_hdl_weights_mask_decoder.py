# amaranth: UnusedElaboratable=no
from random import Random

import numpy as np
import pytest
from amaranth.back import verilog

from kakure.hdl.weights.loading_time import mask_cycles, word_widths
from kakure.hdl.weights.mask_decoder import MaskDecoder
from kakure.model.parameters.supermask_image import pack_words
from kakure.model.reference.masks import TOKEN_SIZES, encode_mask
from kakure.sim.drivers.streams import receive, send, simulate, watch

OUTPUTS = (1, 5, 32, 33, 40, 64, 97)


def random_mask(seed: int, rows: int, outputs: int, density: float) -> np.ndarray:
    return (np.random.default_rng(seed).random(rows * outputs) < density).astype(np.uint8)


def widths_of(bits: np.ndarray, outputs: int) -> list[int]:
    rows = len(bits) // outputs
    return [min(32, outputs - start) for _ in range(rows) for start in range(0, outputs, 32)]


def cut(bits: np.ndarray, widths: list[int]) -> list[int]:
    """Mask words of the given widths."""
    words = []
    start = 0
    for width in widths:
        words.append(sum(int(bit) << n for n, bit in enumerate(bits[start : start + width])))
        start += width
    return words


def run(layers: list[tuple[np.ndarray, int, int]], rng: Random | None = None) -> list[int]:
    """Decode layers of (mask bits, token, outputs); return the cycle of each layer's last word."""
    dut = MaskDecoder()
    codes = [pack_words(encode_mask(bits, token)) for bits, token, _ in layers]
    taken = []
    words = []
    ends = []

    async def decode(ctx):
        for (bits, token, outputs), code in zip(layers, codes, strict=True):
            ctx.set(dut.flush, 0)
            ctx.set(dut.token, token)
            widths = widths_of(bits, outputs)
            before = len(taken)
            for width, expected in zip(widths, cut(bits, widths), strict=True):
                ctx.set(dut.width, width)
                assert await receive(ctx, dut.o, 1, rng) == [expected]
            ctx.set(dut.flush, 1)
            await ctx.tick()
            assert len(taken) - before == len(code)  # its own words, and none of the next layer's
            ends.append(words[-1][0])

    async def feed(ctx):
        await send(ctx, dut.i, [word for code in codes for word in code], rng)

    cycles = sum(len(bits) for bits, _, _ in layers) + 10 * len(layers)
    monitors = [watch(dut.i, taken), watch(dut.o, words)]
    simulate(dut, decode, feed, deadline=8 * cycles, monitors=monitors)
    return ends


@pytest.mark.parametrize("token", TOKEN_SIZES)
def test_equals_the_reference_with_back_pressure(token):
    layers = [
        (random_mask(outputs, 4, outputs, density), token, outputs)
        for outputs, density in zip(OUTPUTS, (0.5, 0.3, 0.1, 0.9, 0.05, 0.02, 0.2), strict=True)
    ]
    run(layers, Random(token))


def by_rows(bits, outputs):
    return word_widths("xorshift32", channels=len(bits) // outputs, window=1, outputs=outputs)


def test_words_end_where_the_generator_ends_them():
    sizes = {"channels": 2, "window": 2, "outputs": 35}
    assert word_widths("xorshift32", **sizes).tolist() == [32, 3] * 4
    assert word_widths("xorshift16", **sizes).tolist() == [32, 32, 3, 3] * 2


@pytest.mark.parametrize("token", TOKEN_SIZES)
def test_cycles_are_exact(token):
    """At full rate, with one cycle of flush between layers, in which no word is lost."""
    layers = [
        (random_mask(outputs, 6, outputs, density), token, outputs)
        for outputs, density in zip(OUTPUTS, (0.5, 0.02, 0.1, 0.01, 0.3, 0.0, 1.0), strict=True)
    ]
    expected = []
    start = 0
    for bits, _, outputs in layers:
        start += mask_cycles(bits, token, widths=by_rows(bits, outputs))
        expected.append(start - 1)
        start += 1
    assert run(layers) == expected


def test_raw_takes_a_word_in_every_cycle():
    bits = random_mask(1, 10, 64, 0.5)
    assert mask_cycles(bits, 0, widths=by_rows(bits, 64)) == 20
    assert run([(bits, 0, 64)]) == [19]


def test_cycles_of_runs_by_hand():
    """Runs of 3 zeros: tokens end at 3, 6, 9, 12 and words at 4, 8, 12."""
    bits = np.zeros(12, np.uint8)
    assert mask_cycles(bits, 2, widths=by_rows(bits, 4)) == 6
    assert run([(bits, 2, 4)]) == [5]


@pytest.mark.parametrize("token", TOKEN_SIZES)
def test_all_zeros_and_all_ones(token):
    layers = [(np.full(3 * 70, value, np.uint8), token, 70) for value in (0, 1, 0, 1)]
    run(layers, Random(9))


def test_changing_tokens_between_layers():
    run([(random_mask(t, 3, 45, 0.2), t, 45) for t in (5, 0, 3, 0, 1, 4, 2, 0)], Random(3))


def test_emits_verilog():
    assert "module mask_decoder" in verilog.convert(MaskDecoder(), name="mask_decoder")
