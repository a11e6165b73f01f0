import itertools
import json
import random
import zlib

import numpy as np
import pytest
from branching import FORMS, branching

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference import (
    crossbar,
    masks,
    pe_array,
    stages,
)
from kakure.model.reference import (
    network as network_reference,
)
from kakure.model.reference import (
    signs as signs_reference,
)

# The naive functions below are written from the numerics contract, in plain Python.


def naive_xorshift16(state):
    state ^= (state << 7) % 65536
    state ^= state // 512
    state ^= (state << 8) % 65536
    return state


def naive_crossbar(x, w, rows, input_bits, adc_bits, adc_shift):
    result = []
    for vector in x:
        sums = []
        for column in range(len(w[0])):
            total = 0
            for start in range(0, len(vector), rows):
                part = range(start, min(start + rows, len(vector)))
                for plane in range(input_bits):
                    codes = []
                    for sign in (1, -1):
                        count = sum(
                            1 for r in part if vector[r] // 2**plane % 2 and w[r][column] == sign
                        )
                        if adc_shift:
                            count = (count + 2 ** (adc_shift - 1)) // 2**adc_shift
                        codes.append(min(count, 2**adc_bits - 1))
                    total += 2**plane * (codes[0] - codes[1]) * 2**adc_shift
            sums.append(total)
        result.append(sums)
    return result


def naive_bitwise(x, u, bits, used, rows, input_bits, adc_bits, adc_shift):
    result = []
    for vector in x:
        sums = []
        for column in range(len(u[0])):
            total = 0
            for start in range(0, len(vector), rows):
                part = range(start, min(start + rows, len(vector)))
                for plane in range(input_bits):
                    active = [r for r in part if vector[r] // 2**plane % 2]
                    for i in range(used):
                        count = sum(u[r][column] // 2 ** (bits - 1 - i) % 2 for r in active)
                        if adc_shift:
                            count = (count + 2 ** (adc_shift - 1)) // 2**adc_shift
                        code = min(count, 2**adc_bits - 1) * 2**adc_shift
                        total += 2**plane * 2 ** (used - 1 - i) * (2 * code - len(active))
            sums.append(total)
        result.append(sums)
    return result


def draw(seed, n, f, c, input_bits):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << input_bits, (n, f))
    return x, rng.integers(-1, 2, (f, c))


# --- sign generators


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


@pytest.mark.parametrize("generator", ["xorshift32", "xorshift16"])
def test_weight_order_visits_every_word_once(generator):
    order = list(signs_reference.weight_order(generator, channels=3, window=4, outputs=70))
    assert sorted(order) == list(itertools.product(range(12), range(3)))
    step = order[1]
    assert step == ((0, 1) if generator == "xorshift32" else (1, 0))
    assert order[12:][0] == (4, 0)  # the second channel starts after the whole first one


# --- supermask stream


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


# --- engines


@pytest.mark.parametrize("adc_bits", [1, 3, 4, 7])
@pytest.mark.parametrize("adc_shift", [0, 1, 2])
@pytest.mark.parametrize(("rows", "f", "c"), [(64, 1, 1), (7, 20, 3), (64, 70, 2)])
def test_crossbar_is_the_naive_one(adc_bits, adc_shift, rows, f, c):
    x, w = draw(f * adc_bits, 3, f, c, 4)
    got = crossbar.crossbar(x, w, rows=rows, input_bits=4, adc_bits=adc_bits, adc_shift=adc_shift)
    assert got.tolist() == naive_crossbar(x.tolist(), w.tolist(), rows, 4, adc_bits, adc_shift)


def test_crossbar_without_saturation_is_exact():
    x, w = draw(5, 6, 100, 9, 8)
    got = crossbar.crossbar(x, w, rows=64, input_bits=8, adc_bits=7)
    assert (got == x @ w).all()


def test_crossbar_saturates_at_the_extremes():
    x = np.full((1, 64), 15)
    w = np.ones((64, 1), int)
    assert crossbar.crossbar(x, w, rows=64, input_bits=4, adc_bits=4).item() == 15 * 15
    assert crossbar.crossbar(x, -w, rows=64, input_bits=4, adc_bits=4).item() == -15 * 15
    assert crossbar.crossbar(x, w, rows=64, input_bits=4, adc_bits=7).item() == 64 * 15


def test_adc_rounds_half_up_then_saturates():
    codes = [int(crossbar.adc(count, 2, 1)) for count in range(9)]
    assert codes == [0, 1, 1, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("used", [1, 3, 4])
@pytest.mark.parametrize(("adc_bits", "adc_shift"), [(7, 0), (2, 0), (2, 1)])
def test_bitwise_crossbar_is_the_naive_one(used, adc_bits, adc_shift):
    rng = np.random.default_rng(used)
    x, u = rng.integers(0, 8, (3, 20)), rng.integers(0, 16, (20, 3))
    got = crossbar.crossbar_bitwise(
        x, u, bits=4, rows=7, input_bits=3, adc_bits=adc_bits, adc_shift=adc_shift, used=used
    )
    expected = naive_bitwise(x.tolist(), u.tolist(), 4, used, 7, 3, adc_bits, adc_shift)
    assert got.tolist() == expected


@pytest.mark.parametrize("used", [1, 2, 5, 8])
def test_bitwise_weights_agree_on_every_path(used):
    rng = np.random.default_rng(used)
    x, u = rng.integers(0, 16, (4, 40)), rng.integers(0, 256, (40, 5))
    w = [
        [
            sum((1 if value >> (7 - i) & 1 else -1) << (used - 1 - i) for i in range(used))
            for value in row
        ]
        for row in u.tolist()
    ]
    assert crossbar.bitwise_value(u, 8, used).tolist() == w
    assert (pe_array.pe_array_bitwise(x, u, bits=8, used=used) == x @ np.array(w)).all()
    exact = crossbar.crossbar_bitwise(x, u, bits=8, rows=16, input_bits=4, adc_bits=5, used=used)
    assert (exact == x @ np.array(w)).all()


# --- layers


def test_windows_are_ordered_channel_row_column():
    x = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    got = stages.windows(x, 3, 2, 1)
    assert got.shape == (2, 4, 6, 18)
    for n, y, column in itertools.product(range(2), range(4), range(6)):
        expected = []
        for channel, ky, kx in itertools.product(range(3), range(3), range(2)):
            iy, ix = y + ky - 1, column + kx - 1
            inside = 0 <= iy < 4 and 0 <= ix < 5
            expected.append(int(x[n, iy, ix, channel]) if inside else 0)
        assert got[n, y, column].tolist() == expected


def test_max_pool_drops_what_is_left_over():
    rng = np.random.default_rng(1)
    acc = rng.integers(-50, 50, (2, 5, 7, 3))
    got = stages.max_pool(acc, 2)
    assert got.shape == (2, 2, 3, 3)
    for n, y, x, c in itertools.product(range(2), range(2), range(3), range(3)):
        values = [acc[n, 2 * y + dy, 2 * x + dx, c] for dy in (0, 1) for dx in (0, 1)]
        assert got[n, y, x, c] == max(values)


def test_requantize_floors_and_clamps():
    random.seed(1)
    for _ in range(200):
        acc, m = random.randint(-9999, 9999), random.randint(-32768, 32767)
        b, s = random.randint(-(2**31), 2**31 - 1), random.randint(0, 31)
        expected = min(max((acc * m + b) // 2**s, 0), 15)
        got = stages.requantize(np.array([[acc]]), np.array([m]), np.array([b]), s, 4)
        assert got.item() == expected
        last = stages.requantize(np.array([[acc]]), np.array([m]), np.array([b]), 0, None)
        assert last.item() == acc * m + b


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_quantize_image_keeps_the_most_significant_bits(bits):
    pixels = np.arange(256, dtype=np.uint8)
    got = stages.quantize_image(pixels, bits)
    assert got.tolist() == [value // 2 ** (8 - bits) for value in range(256)]


def test_classify_takes_the_first_of_equals():
    assert network_reference.classify(np.array([[1, 3, 3], [5, 5, 5], [-2, -1, -9]])).tolist() == [
        1,
        0,
        1,
    ]


def naive_network(config, parameters, image):
    """One image, (h, w, c) as nested lists, through every layer by plain loops."""
    maps = [[[[v >> (8 - config.image_bits) for v in px] for px in row] for row in image]]
    for layer, geometry, trained in zip(
        config.layers, config.geometry, parameters.layers, strict=True
    ):
        w = trained.weights(config, geometry).tolist()
        pad = geometry.padding
        x = maps[len(maps) - layer.reads]
        if layer.sum_pool:
            shift, most = geometry.summed.shift, 2**layer.input_bits - 1
            sums = [sum(px[c] for row in x for px in row) for c in range(len(x[0][0]))]
            x = [[[min(total // 2**shift, most) for total in sums]]]
        acc = []
        for y, column in itertools.product(range(geometry.out_height), range(geometry.out_width)):
            window = []
            for channel, ky, kx in itertools.product(
                range(geometry.in_channels),
                range(geometry.kernel_height),
                range(geometry.kernel_width),
            ):
                iy, ix = y * layer.stride + ky - pad, column * layer.stride + kx - pad
                inside = 0 <= iy < geometry.in_height and 0 <= ix < geometry.in_width
                window.append(x[iy][ix][channel] if inside else 0)
            if layer.engine == "crossbar":
                rows, bits = config.crossbar.rows, layer.input_bits
                acc += naive_crossbar([window], w, rows, bits, layer.adc_bits, layer.adc_shift)
            else:
                acc.append([
                    sum(window[r] * w[r][c] for r in range(len(window)))
                    for c in range(geometry.outputs)
                ])
        pooled = []
        for y in range(geometry.pooled_height):
            line = []
            for column in range(geometry.pooled_width):
                cells = [
                    acc[(y * geometry.pool + dy) * geometry.out_width + column * geometry.pool + dx]
                    for dy in range(geometry.pool)
                    for dx in range(geometry.pool)
                ]
                outputs = []
                for c in range(geometry.outputs):
                    value = max(cell[c] for cell in cells)
                    value = value * int(trained.multiplier[c]) + int(trained.offset[c])
                    if geometry.output_bits is not None:
                        value //= 2 ** int(trained.shift[c])
                        if layer.residual:
                            added = maps[len(maps) - int(layer.residual)]
                            step = 2.0 ** (geometry.output_bits - geometry.added_bits)
                            value += int(added[y][column][c] * step)
                        value = min(max(value, 0), 2**geometry.output_bits - 1)
                    outputs.append(value)
                line.append(outputs)
            pooled.append(line)
        maps.append(pooled)
    return maps[-1][0][0]


@pytest.mark.parametrize(("reads", "writes"), [(4, 4), (2, 5), (5, 2), (1, 8)])
def test_a_shortcut_keeps_the_most_significant_bits_in_place(reads, writes):
    x = np.arange(1 << reads)
    got = stages.shortcut(x, reads, writes)
    assert got.tolist() == [int(value * 2.0 ** (writes - reads)) for value in x]


@pytest.mark.parametrize(
    ("name", "bits"),
    [("digits", ()), ("hiddenite", ()), ("residual", (3, 6)), ("residual", (5, 2))],
)
def test_network_is_the_naive_one(name, bits):
    data = json.loads(preset_json(name))
    for layer, input_bits in zip(data["layers"][1:], bits, strict=False):
        layer["input_bits"] = input_bits
    config = parse_config(json.dumps(data))
    parameters = random_parameters(config, seed=5)
    images = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    got = network_reference.network(config, parameters, images)
    assert got.tolist() == [naive_network(config, parameters, image.tolist()) for image in images]


@pytest.mark.parametrize("form", FORMS)
def test_branching_networks_are_the_naive_ones(form):
    config = branching(form)
    parameters = random_parameters(config, seed=5)
    images = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    got = network_reference.network(config, parameters, images)
    assert got.tolist() == [naive_network(config, parameters, image.tolist()) for image in images]


def test_a_sum_pool_floors_and_saturates():
    x = np.array([[[[1, 15, 7]], [[2, 15, 8]]]])  # (1, 2, 1, 3): sums 3, 30, 15
    assert stages.sum_pool(x, 1, 3).tolist() == [[[[1, 7, 7]]]]
    assert stages.sum_pool(x, 0, 5).tolist() == [[[[3, 30, 15]]]]
