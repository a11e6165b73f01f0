"""Signs follow the published generators, and have the faults that are documented."""

import pytest

from kakure.model.reference import (
    signs as signs_reference,
)


def naive_xorshift16(state):
    state ^= (state << 7) % 65536
    state ^= state // 512
    state ^= (state << 8) % 65536
    return state


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (0x0400, "0602 0601 8482 25e0 5f8a 5dc7"),
        (0x0401, "8783 6620 6d1b 0beb ea14 8464"),
        (0x0001, "8181 6021 e999 2e0b b59e d9a3"),
    ],
)
def test_xorshift16_golden(state, expected):
    for word in expected.split():
        state = signs_reference.xorshift16(state)
        assert f"{state:04x}" == word


def test_xorshift16_has_full_period():
    state, steps = 1, 0
    while steps == 0 or state != 1:
        state = signs_reference.xorshift16(state)
        steps += 1
    assert steps == 65535
    assert signs_reference.xorshift16(0) == 0


def test_xorshift32_golden():
    # Marsaglia, Xorshift RNGs (2003): the 13, 17, 5 generator started from his example's seed.
    assert signs_reference.xorshift32(2463534242) == 723471715


def test_jenkins_golden():
    # One word per step, by the published loop: h = w; h += h<<10; h ^= h>>6; then the finish.
    h = 7
    h = (h + (h << 10)) % 2**32
    h ^= h >> 6
    h = (h + (h << 3)) % 2**32
    h ^= h >> 11
    h = (h + (h << 15)) % 2**32
    assert signs_reference.jenkins([7]) == h
    assert signs_reference.jenkins([]) == 0
    assert signs_reference.jenkins([1, 2]) != signs_reference.jenkins([2, 1])


def test_jenkins_is_the_published_hash():
    # The widely published vector of one-at-a-time: "a" -> 0xca2e9442.
    assert signs_reference.jenkins(b"a") == 0xCA2E9442


@pytest.mark.parametrize(("layer", "channels", "window", "outputs"), [(0, 3, 9, 40), (2, 5, 1, 16)])
def test_xorshift16_signs_follow_the_published_loop(layer, channels, window, outputs):
    signs = signs_reference.sign_matrix(
        "xorshift16", seed=1, layer=layer, channels=channels, window=window, outputs=outputs
    )
    assert signs.shape == (channels * window, outputs)
    for i in range(channels):
        y = ((layer + 1) * 1024) ^ i
        for j in range(-(-outputs // 16)):
            for kk in range(window):
                y = naive_xorshift16(y)
                for b in range(16):
                    if 16 * j + b < outputs:
                        assert signs[i * window + kk, 16 * j + b] == (1 if y // 2**b % 2 else -1)


def test_xorshift32_signs_by_row():
    signs = signs_reference.sign_matrix(
        "xorshift32", seed=9, layer=4, channels=2, window=3, outputs=70
    )
    for row in range(6):
        state = signs_reference.jenkins([9, 4, row])
        words = []
        for _ in range(3):
            state = signs_reference.xorshift32(state)
            words.append(state)
        expected = [1 if words[o // 32] >> (o % 32) & 1 else -1 for o in range(70)]
        assert signs[row].tolist() == expected


def test_signs_are_balanced_and_differ_between_layers():
    first, second = (
        signs_reference.sign_matrix(
            "xorshift32", seed=1, layer=layer, channels=64, window=9, outputs=64
        ).astype(int)
        for layer in (0, 1)
    )
    assert abs(first.mean()) < 0.02
    assert abs((first * second).mean()) < 0.02


def test_the_documented_faults_of_xorshift16():
    """See docs/numerics.md: the signs are affine in the channel, and one state is stuck."""
    signs = signs_reference.sign_matrix(
        "xorshift16", seed=1, layer=0, channels=1025, window=1, outputs=64
    ).astype(int)
    assert (signs[3] == signs[0] * signs[1] * signs[2]).all()
    assert (signs[1024] == -1).all()
    layer_1 = signs_reference.sign_matrix(
        "xorshift16", seed=1, layer=1, channels=1, window=1, outputs=64
    )
    layer_2 = signs_reference.sign_matrix(
        "xorshift16", seed=1, layer=2, channels=1025, window=1, outputs=64
    )
    assert (layer_2[1024] == layer_1[0]).all()
    better = signs_reference.sign_matrix(
        "xorshift32", seed=1, layer=0, channels=4, window=1, outputs=64
    ).astype(int)
    assert (better[3] != better[0] * better[1] * better[2]).any()


def test_unknown_generator():
    with pytest.raises(ValueError, match="generator must be xorshift32 or xorshift16, not 'lfsr'"):
        signs_reference.sign_matrix("lfsr", seed=1, layer=0, channels=1, window=1, outputs=1)
