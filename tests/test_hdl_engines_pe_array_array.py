# amaranth: UnusedElaboratable=no
"""The sums of a bit-serial array and the cycles in which they come."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.engines.pe_array.array import PeArray
from kakure.model.reference.crossbar import bitwise_planes
from kakure.model.reference.pe_array import pe_array, pe_array_bitwise
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # inputs, outputs, pixels, input_bits, fan_in
    (1, 1, 1, 1, 1),
    (4, 2, 3, 4, 10),
    (5, 3, 2, 3, 15),
    (16, 1, 2, 2, 16),
    (3, 2, 1, 8, 7),
    (7, 2, 2, 5, 3),  # less than one block
    (2, 1, 1, 1, 9),
]
BITS = 4


def words(matrix):
    """Columns of zeros and ones as integers, row i in bit i."""
    return [sum(int(bit) << i for i, bit in enumerate(column)) for column in matrix.T]


def blocks(x, planes, inputs):
    """The blocks of one sum: x (pixels, fan_in), a dict of weight bits (fan_in, outputs) a plane.

    The last block of a plane is filled with activations of 0 and weights of 1.
    """
    fill = -x.shape[1] % inputs
    x = np.pad(x, ((0, 0), (0, fill)))
    result = []
    for plane, weights in enumerate(planes):
        for start in range(0, x.shape[1], inputs):
            part = slice(start, start + inputs)
            block = {
                name: words(np.pad(bits, ((0, fill), (0, 0)), constant_values=1)[part])
                for name, bits in weights.items()
            }
            result.append({**block, "x": x[:, part].tolist(), "is_first": 0, "is_last": 0})
            if "negative" not in weights:
                result[-1]["doubles"] = int(plane > 0 and start == 0)
    result[0]["is_first"] = 1
    result[-1]["is_last"] = 1
    return result


def hidden_sum(rng, shape, extreme=None):
    """One sum's blocks and its value; ``extreme`` 1 or −1 for the largest or smallest."""
    inputs, outputs, pixels, input_bits, fan_in = shape
    x = rng.integers(0, 1 << input_bits, (pixels, fan_in))
    w = rng.integers(-1, 2, (fan_in, outputs))
    if extreme is not None:
        x[:] = (1 << input_bits) - 1
        w[:] = extreme
    planes = [{"positive": (w > 0).astype(int), "negative": (w < 0).astype(int)}]
    return blocks(x, planes, inputs), pe_array(x, w)


def bitwise_sum(rng, shape, extreme=None, used=BITS):
    """Likewise for bitwise weights of ``BITS`` planes, stopping after ``used``."""
    inputs, outputs, pixels, input_bits, fan_in = shape
    x = rng.integers(0, 1 << input_bits, (pixels, fan_in))
    u = rng.integers(0, 1 << BITS, (fan_in, outputs))
    if extreme is not None:
        x[:] = (1 << input_bits) - 1
        u[:] = 0 if extreme < 0 else (1 << BITS) - 1
    planes = [{"positive": plane.astype(int)} for plane in bitwise_planes(u, BITS)[:used]]
    return blocks(x, planes, inputs), pe_array_bitwise(x, u, bits=BITS, used=used)


def array(kind, shape, banks=1):
    inputs, outputs, pixels, input_bits, fan_in = shape
    peak = fan_in * ((1 << input_bits) - 1) * (1 if kind == "hidden" else (1 << BITS) - 1)
    return PeArray(
        inputs=inputs,
        outputs=outputs,
        pixels=pixels,
        input_bits=input_bits,
        kind=kind,
        peak=peak,
        banks=banks,
    )


def run(dut, sent, *, gaps=None, stalls=None):
    """What leaves, the sums of the bank that ended, and the handshake bits of every cycle."""
    taken = []
    handshakes = []
    count = sum(block["is_last"] for block in sent)

    async def driver(ctx):
        await send(ctx, dut.i, sent, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, count, stalls)

    async def recorder(ctx):
        signals = (dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready)
        async for *_, i_valid, i_ready, o_valid, o_ready in ctx.tick().sample(*signals):
            handshakes.append((i_valid, i_ready, o_valid, o_ready))

    monitors = (watch(dut.i), watch(dut.o, taken), recorder)
    deadline = 10 * len(sent) * (dut.input_bits + 1) + 50
    simulate(dut, driver, sink, monitors=monitors, deadline=deadline)
    ended = [block.get("bank", 0) for block in sent if block["is_last"]]
    results = [
        ([list(sums) for sums in payload.sums[bank]], bank)
        for bank, (_, payload) in zip(ended, taken, strict=True)
    ]
    return results, handshakes


def check_cycles(handshakes, sent, input_bits):
    """Replay the promised timing, cycle by cycle."""
    cycle_of_block = 0
    block = 0
    waits = False
    for i_valid, i_ready, o_valid, o_ready in handshakes:
        is_free = not waits or o_ready
        is_end = cycle_of_block == input_bits - 1
        assert o_valid == waits
        assert i_ready == (is_free and is_end)
        if is_free:
            waits = bool(i_valid and is_end and sent[block]["is_last"])
        if is_free and i_valid:
            cycle_of_block = 0 if is_end else cycle_of_block + 1
            block += is_end
    assert block == len(sent)


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("kind", ["hidden", "bitwise"])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_reference_in_exactly_the_cycles_promised(shape, kind, has_gaps, has_stalls):
    rng = np.random.default_rng(1)
    make = hidden_sum if kind == "hidden" else bitwise_sum
    cases = [make(rng, shape, extreme) for extreme in (None, 1, None, -1)]
    sent = [block for case, _ in cases for block in case]
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    results, handshakes = run(array(kind, shape), sent, gaps=gaps, stalls=stalls)
    assert results == [(expected.tolist(), 0) for _, expected in cases]
    check_cycles(handshakes, sent, shape[3])
    if not (has_gaps or has_stalls):
        offered = [n for n, (_, _, o_valid, _) in enumerate(handshakes) if o_valid]
        ends = [n + 1 for n, block in enumerate(sent) if block["is_last"]]
        assert offered == [shape[3] * end for end in ends]


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_stops_after_any_plane(shape):
    rng = np.random.default_rng(4)
    cases = [bitwise_sum(rng, shape, used=used) for used in (2, 1, BITS, 3)]
    sent = [block for case, _ in cases for block in case]
    results, _ = run(array("bitwise", shape), sent)
    assert results == [(expected.tolist(), 0) for _, expected in cases]


@pytest.mark.parametrize("banks", [2, 3])
@pytest.mark.parametrize("kind", ["hidden", "bitwise"])
def test_banks_keep_sums_apart(kind, banks):
    rng = np.random.default_rng(5)
    order = Random(6)
    make = hidden_sum if kind == "hidden" else bitwise_sum
    shape = SHAPES[1]
    sent = []
    expected = []
    waiting = [[] for _ in range(banks)]
    made = 0
    while made < 8 or any(waiting):  # a block of any bank next
        bank = order.randrange(banks)
        if not waiting[bank] and made < 8:
            case, value = make(rng, shape)
            waiting[bank] = [({**block, "bank": bank}, value) for block in case]
            made += 1
        if waiting[bank]:
            block, value = waiting[bank].pop(0)
            sent.append(block)
            if block["is_last"]:
                expected.append((value.tolist(), bank))
    dut = array(kind, shape, banks)
    results, handshakes = run(dut, sent, stalls=Random(7))
    assert results == expected
    check_cycles(handshakes, sent, dut.input_bits)


NAMES = ("inputs", "outputs", "pixels", "input_bits", "peak", "banks")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name} must be at least 1, not 0") for name in NAMES),
        ({"kind": "ternary"}, "kind must be hidden or bitwise, not 'ternary'"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        PeArray(**{**dict.fromkeys(NAMES, 1), "kind": "hidden", **change})
