# amaranth: UnusedElaboratable=no
from random import Random

import numpy as np
import pytest
from amaranth.back import verilog

from kakure.hdl.weights.sign_generator import LATENCY, SignGenerator, job_layout, job_prefix
from kakure.model.reference.signs import jenkins, sign_matrix, weight_order
from kakure.sim.drivers.streams import receive, send, simulate, watch

GENERATORS = ("xorshift32", "xorshift16")
LAYERS = (  # channels, window, outputs
    (1, 1, 1),
    (3, 9, 40),
    (2, 1, 32),
    (5, 4, 33),
    (1, 9, 100),
    (6, 4, 10),
    (40, 1, 7),
)
WINDOWS = (1, 4, 9)


def generator_of(name: str) -> SignGenerator:
    return SignGenerator(generator=name, max_channels=40, windows=WINDOWS, max_blocks=4)


def job(name: str, seed: int, layer: int) -> dict[str, int]:
    channels, window, outputs = LAYERS[layer]
    return {
        "prefix": job_prefix(name, seed=seed, layer=layer),
        "channels": channels,
        "window": window,
        "blocks": -(-outputs // 32),
    }


def words(name: str, seed: int, layer: int) -> list[dict[str, int]]:
    channels, window, outputs = LAYERS[layer]
    blocks = -(-outputs // 32)
    signs = sign_matrix(
        name, seed=seed, layer=layer, channels=channels, window=window, outputs=32 * blocks
    )
    order = list(weight_order(name, channels=channels, window=window, outputs=outputs))
    packed = [np.packbits(signs[r, 32 * b : 32 * b + 32] > 0, bitorder="little") for r, b in order]
    return [
        {
            "row": row,
            "block": block,
            "signs": int.from_bytes(bits.tobytes(), "little"),
            "ends_row": block == blocks - 1,
            "last": index == len(order) - 1,
        }
        for index, ((row, block), bits) in enumerate(zip(order, packed, strict=True))
    ]


def run(name: str, seed: int, layers: list[int], rng: Random | None):
    """Make ``layers`` one after the other; return what came and when: jobs, words."""
    dut = generator_of(name)
    expected = [word for layer in layers for word in words(name, seed, layer)]
    jobs_log = []
    words_log = []

    async def feed(ctx):
        await send(ctx, dut.jobs, [job(name, seed, layer) for layer in layers], rng)

    async def take(ctx):
        assert await receive(ctx, dut.o, len(expected), rng) == expected

    deadline = (4 if rng else 1) * (len(expected) + 10 * len(layers)) + 50
    simulate(
        dut,
        feed,
        take,
        deadline=deadline,
        monitors=[
            watch(dut.jobs, jobs_log),
            watch(dut.o, words_log),
        ],
    )
    return jobs_log, words_log


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("seed", [0, 1, 0xDEADBEEF])
def test_equals_the_reference_with_back_pressure(name, seed):
    run(name, seed, list(range(len(LAYERS))), Random(seed + 1))


@pytest.mark.parametrize("name", GENERATORS)
def test_cycles_are_exact(name):
    """Latency after the job, no pause between words, next job one cycle after the last word."""
    layers = [1, 6, 0, 3]
    jobs_log, words_log = run(name, 1, layers, None)
    cycle = 0
    expected_jobs = []
    expected_words = []
    for layer in layers:
        expected_jobs.append(cycle)
        cycle += LATENCY[name]
        for _ in words(name, 1, layer):
            expected_words.append(cycle)
            cycle += 1
    assert [cycle for cycle, _ in jobs_log] == expected_jobs
    assert [cycle for cycle, _ in words_log] == expected_words


def test_latencies():
    assert LATENCY == {"xorshift32": 4, "xorshift16": 2}


def test_xorshift32_replaces_a_start_state_of_zero():
    """Jenkins gives 0 where prefix + row is 0."""
    dut = SignGenerator(generator="xorshift32", max_channels=3, windows=(1,), max_blocks=1)

    async def feed(ctx):
        await send(ctx, dut.jobs, [{"prefix": 2**32 - 1, "channels": 3, "window": 1, "blocks": 1}])

    async def take(ctx):
        _, word, _ = await receive(ctx, dut.o, 3)
        assert word.signs == 0x00042021 == 1 | 1 << 13 | 1 << 5 | 1 << 18

    simulate(dut, feed, take, deadline=30)


def test_xorshift16_stays_at_zero():
    """Layer 0 with seed 0 starts channel 0 from 0: Hiddenite's fault, kept."""
    assert job_prefix("xorshift16", seed=0, layer=0) == 0
    assert all(word["signs"] == 0 for word in words("xorshift16", 0, 0))


def test_prefix_is_the_hash_before_the_row():
    for seed, layer, row in ((1, 0, 0), (1, 2, 575), (2**32 - 1, 63, 4607)):
        h = (job_prefix("xorshift32", seed=seed, layer=layer) + row) & 0xFFFFFFFF
        h = (h + (h << 10)) & 0xFFFFFFFF
        h ^= h >> 6
        h = (h + (h << 3)) & 0xFFFFFFFF
        h ^= h >> 11
        assert (h + (h << 15)) & 0xFFFFFFFF == jenkins((seed, layer, row))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "lfsr"}, "generator must be xorshift32 or xorshift16, not 'lfsr'"),
        ({"max_channels": 0}, "max_channels must be at least 1, not 0"),
        ({"windows": ()}, r"windows must be numbers of at least 1, not \(\)"),
        ({"windows": (9, 0)}, r"windows must be numbers of at least 1, not \(9, 0\)"),
        ({"max_blocks": 0}, "max_blocks must be at least 1, not 0"),
    ],
)
def test_rejects(change, message):
    good = {"generator": "xorshift32", "max_channels": 1, "windows": (1,), "max_blocks": 1}
    with pytest.raises(ValueError, match=message):
        SignGenerator(**(good | change))


def test_rejects_a_prefix_of_another_generator():
    with pytest.raises(ValueError, match="generator must be xorshift32 or xorshift16, not 'lfsr'"):
        job_prefix("lfsr", seed=1, layer=0)


@pytest.mark.parametrize("name", GENERATORS)
def test_emits_verilog(name):
    assert "module signs" in verilog.convert(generator_of(name), name="signs")


@pytest.mark.parametrize(("generator", "bits"), [("xorshift32", 32), ("xorshift16", 16)])
def test_a_prefix_has_the_bits_of_a_state(generator, bits):
    layout = job_layout(generator=generator, max_channels=3, windows=(9,), max_blocks=2)
    assert layout["prefix"].width == bits
