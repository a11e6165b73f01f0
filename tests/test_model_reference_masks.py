"""Masks: their order, their coding, and what closes a section."""

import itertools
import zlib

import numpy as np
import pytest

from kakure.model.reference import (
    masks,
)
from kakure.model.reference import (
    signs as signs_reference,
)


@pytest.mark.parametrize("generator", ["xorshift32", "xorshift16"])
def test_weight_order_visits_every_word_once(generator):
    order = list(signs_reference.weight_order(generator, channels=3, window=4, outputs=70))
    assert sorted(order) == list(itertools.product(range(12), range(3)))
    step = order[1]
    assert step == ((0, 1) if generator == "xorshift32" else (1, 0))
    assert order[12:][0] == (4, 0)  # the second channel starts after the whole first one


@pytest.mark.parametrize("generator", ["xorshift32", "xorshift16"])
@pytest.mark.parametrize("outputs", [1, 31, 32, 33, 70])
def test_mask_bits_round_trip(generator, outputs):
    mask = np.random.default_rng(outputs).random((12, outputs)) < 0.4
    bits = masks.mask_bits(mask, generator, channels=3, window=4)
    assert bits.shape == (12 * outputs,) and bits.sum() == mask.sum()
    back = masks.mask_from_bits(bits, generator, channels=3, window=4, outputs=outputs)
    assert (back == mask).all()


def naive_encode(bits, token):
    longest = 2**token - 1
    out, run = [], 0
    for bit in [*bits, 1]:  # a one past the end closes the last run
        if bit:
            while run >= longest:
                out.append(longest)
                run -= longest
            out.append(run)
            run = 0
        else:
            run += 1
    if out[-1] == 0:  # nothing was left to close
        out.pop()
    return [value // 2**b % 2 for value in out for b in range(token)]


@pytest.mark.parametrize("token", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("density", [0.0, 0.03, 0.2, 0.5, 1.0])
def test_coding_round_trip(token, density):
    for count in (1, 2, 31, 400):
        bits = (np.random.default_rng(count).random(count) < density).astype(int)
        code = masks.encode_mask(bits, token)
        assert len(code) % token == 0
        assert code.tolist() == naive_encode(bits.tolist(), token)
        assert (masks.decode_mask(code, token, count) == bits).all()
        padded = np.concatenate([code, np.zeros(40, np.uint8)])  # words are filled up
        assert (masks.decode_mask(padded, token, count) == bits).all()


def test_raw_coding_is_the_identity():
    bits = np.array([1, 0, 0, 1], np.uint8)
    assert (masks.encode_mask(bits, 0) == bits).all()
    assert (masks.decode_mask(bits, 0, 3) == bits[:3]).all()


@pytest.mark.parametrize("token", [0, 2])
def test_decoding_rejects_a_short_code(token):
    code = masks.encode_mask(np.ones(10, np.uint8), token)
    with pytest.raises(ValueError, match="must hold 11 bits, not 10"):
        masks.decode_mask(code, token, 11)


def test_shortest_token():
    rng = np.random.default_rng(3)
    for density, expected in [(0.5, 0), (0.2, 3), (0.1, 4), (0.03, 5)]:
        bits = (rng.random(20000) < density).astype(np.uint8)
        assert masks.shortest_token(bits) == expected


def test_crc32_is_that_of_the_bytes():
    assert masks.crc32([0x34333231, 0x38373635]) == zlib.crc32(b"12345678")
