"""cocotb bench of a whole accelerator against golden vectors.

Run it with ``python run.py`` in this folder, or ``kakure sim`` in Kakure.
"""

from itertools import pairwise
from random import Random

import cocotb
from axi import SLAVE_ERROR, read, receive, send, start, write
from cocotb.triggers import ClockCycles, RisingEdge
from device import (
    BUSY,
    CLEAR,
    DEADLINE_NS,
    ERRORS,
    FAILED,
    GIVEN,
    IS_BATCH,
    IS_SPLIT,
    LOAD,
    LOADED,
    OUTCOME,
    RESET,
    SENDS_CLASS,
    VECTORS,
    control,
    count_of,
    field,
    infer,
    is_loaded,
    load,
    show,
    strobe_without,
    take,
)
from precision import try_choices, try_precisions
from stimuli import shifted, wrong_frames

WRITTEN = ("CONTROL", "PLANES", "THRESHOLD")
PRECISIONS = len(VECTORS.precisions) + len(VECTORS.choices)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def registers_answer_as_the_map_says(dut):
    """IDENTITY, VERSION and digest; SLVERR where nothing is; answers stay until they are taken."""
    await start(dut)
    registers = VECTORS.registers
    for wait in (0, 3):
        for name, value in VECTORS.constants.items():
            assert await read(dut, registers[name], wait=wait) == value, name
    digests = {f"DIGEST_{k}": VECTORS.digest[8 * k : 8 * k + 8] for k in range(8)}
    for name, digits in digests.items():
        assert f"{await read(dut, registers[name]):08x}" == digits, name
    for name in registers:
        if name not in VECTORS.constants and name not in digests:
            assert await read(dut, registers[name]) == 0, name
        if name not in WRITTEN:
            await write(dut, registers[name], 0xFFFFFFFF, response=SLAVE_ERROR, wait=2)
    beyond = max(registers.values()) + 4
    assert await read(dut, beyond, response=SLAVE_ERROR) == 0
    await write(dut, beyond, SENDS_CLASS, response=SLAVE_ERROR)
    kept = SENDS_CLASS | IS_BATCH | IS_SPLIT
    assert await show(dut, "CONTROL") == 0
    await control(dut, kept, strobe=strobe_without(kept))
    assert await show(dut, "CONTROL") == 0
    for value in (SENDS_CLASS, IS_BATCH, IS_SPLIT, kept, 0):
        for lag in (0, 1, 3, -1, -3):
            pulses = RESET if lag == 0 else LOAD | CLEAR
            await control(dut, value | pulses, lag=lag, wait=abs(lag) - 1 if lag else 0)
            assert await show(dut, "CONTROL") == value
            await control(dut, 0)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def all_images_at_full_rate(dut):
    """Logits equal, and every result in exactly the cycle that the formula says."""
    await start(dut)
    await load(dut)
    assert await show(dut, "LOAD_CYCLES") == VECTORS.load_cycles
    await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)
    cycles = await infer(dut, range(len(VECTORS.images)))
    assert cycles == VECTORS.cycles, (
        f"results must end in cycles {VECTORS.cycles[:9]}, not {cycles[:9]}"
    )
    OUTCOME.compared(cycles=cycles[-1], results_in_their_cycle=len(cycles))
    await ClockCycles(dut.clk, 2)
    assert await show(dut, "LATENCY") == VECTORS.cycles[0]
    assert await show(dut, "CYCLES") == VECTORS.cycles[-1]
    assert await show(dut, "RESULTS") == len(VECTORS.images)
    assert await show(dut, "STATUS") == LOADED
    for name, each in VECTORS.counts.items():
        counted = await count_of(dut, name)
        assert counted == each * len(VECTORS.images), f"{name} must be {each} an image: {counted}"
        OUTCOME.compared(counters=1)
    dut._log.info(f"{len(cycles)} images equal, {cycles[-1]} cycles")


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def back_pressure_on_both_sides(dut):
    """Logits equal when words come with pauses and results are not always taken."""
    await start(dut)
    rng = Random(GIVEN["seed"])
    await load(dut, rng=rng)
    await infer(dut, range(min(GIVEN["slow_images"], len(VECTORS.images))), rng)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def classes_instead_of_logits(dut):
    """One word per image: the first of the largest logits."""
    await start(dut)
    await control(dut, SENDS_CLASS)
    await load(dut)
    images = range(min(3, len(VECTORS.images)))
    sending = cocotb.start_soon(send(dut, [VECTORS.images[n] for n in images]))
    got = await receive(dut, len(images))
    await sending
    for n, (word, is_last, _) in zip(images, got, strict=True):
        logits = VECTORS.logits[n]
        assert (word, is_last) == (logits.index(max(logits)), 1), f"image {n}: class {word}"
        OUTCOME.compared(images=1, classes=1)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_corrupted_supermask_is_refused(dut):
    """ERROR is set, no result is given, and the accelerator recovers by a reset or a load."""
    rng = Random(GIVEN["seed"])
    await start(dut)
    for _ in range(GIVEN["corruptions"]):
        words = list(VECTORS.supermask)
        at = rng.randrange(len(words))
        words[at] ^= 1 << rng.randrange(32)
        count = len(VECTORS.sections)
        section = next(n for n in range(count) if at < sum(VECTORS.sections[: n + 1]))
        layer = VECTORS.section_layers[section]
        await send(dut, [words])
        await ClockCycles(dut.clk, 2)
        assert await show(dut, "STATUS") == FAILED
        error = await show(dut, "ERROR")
        codes = [ERRORS[name] for name in ("HEADER", "LENGTH", "CRC", "SCALE")]
        said = f"word {at} of layer {layer} is wrong, ERROR is 0x{error:x}"
        assert field(error, "ERROR.CODE") in codes and field(error, "ERROR.LAYER") == layer, said
        await send(dut, [VECTORS.images[0]])
        await ClockCycles(dut.clk, 100 + VECTORS.settle_cycles + VECTORS.cycles[0])
        # Nothing is taken, so a result would still be offered.
        assert dut.m_axis_tvalid.value == 0, "a result in spite of a corrupted supermask"
        await control(dut, rng.choice([RESET, LOAD]))
        await ClockCycles(dut.clk, 2)
        assert await show(dut, "STATUS") == await show(dut, "ERROR") == 0
    await load(dut)
    await infer(dut, [0])


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_reset_in_the_middle_of_an_image(dut):
    """Half an image is forgotten, with the weights."""
    await start(dut)
    await load(dut)
    half = VECTORS.images[0][: (len(VECTORS.images[0]) + 1) // 2]
    await send(dut, [half], has_last=len(half) == len(VECTORS.images[0]))
    await ClockCycles(dut.clk, 2)
    assert await show(dut, "STATUS") == LOADED | BUSY
    await control(dut, RESET)
    await ClockCycles(dut.clk, 2)
    assert await show(dut, "STATUS") == 0
    await load(dut)
    await infer(dut, [min(1, len(VECTORS.images) - 1)])


@cocotb.test(timeout_time=4 * DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def frames_too_short_and_too_long(dut):
    """An error and no result for each; the images around them are right, at any speed."""
    await start(dut)
    await load(dut)
    for rng in (None, Random(GIVEN["seed"])):
        right, codes = await wrong_frames(dut, rng)
        await take(dut, right, rng)
        await ClockCycles(dut.clk, 2)
        assert await show(dut, "DROPPED") == len(codes)
        error = await show(dut, "ERROR")
        assert error == (codes or [0])[0], f"ERROR must be {codes}, the first, not 0x{error:x}"
        assert await show(dut, "STATUS") == LOADED | (FAILED if codes else 0)
        await control(dut, CLEAR)
        assert await show(dut, "STATUS") == LOADED
        assert await show(dut, "ERROR") == await show(dut, "DROPPED") == 0
    assert await show(dut, "RESULTS") == 2 * len(right)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_batch_without_last(dut):
    """Images in one transfer, or without any TLAST."""
    await start(dut)
    await control(dut, IS_BATCH)
    await load(dut)
    images = [*range(min(3, len(VECTORS.images)))]
    for has_last in (False, True):
        words = [word for image in images for word in VECTORS.images[image]]
        cocotb.start_soon(send(dut, [words], has_last=has_last))
        await take(dut, images)
    await ClockCycles(dut.clk, 2)
    assert await show(dut, "STATUS") == LOADED
    assert await show(dut, "RESULTS") == 2 * len(images)


@cocotb.test(timeout_time=2 * DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_load_without_a_reset(dut):
    """Behind images on their way, and behind a part of another: other weights, other logits."""
    rng = Random(GIVEN["seed"])
    await start(dut)
    await load(dut)
    images = [*range(min(2, len(VECTORS.images)))]
    taking = cocotb.start_soon(take(dut, images, rng))
    await send(dut, [VECTORS.images[image] for image in images])
    await control(dut, LOAD)
    part = VECTORS.supermask[: rng.randrange(1, len(VECTORS.supermask))]
    await send(dut, [part], has_last=False)
    assert taking.done(), "a word of the next supermask was taken before the results"
    assert await show(dut, "STATUS") == 0
    await control(dut, LOAD)
    await load(dut, shifted(1000))
    assert await show(dut, "LOAD_CYCLES") == VECTORS.load_cycles
    assert await show(dut, "RESULTS") == await show(dut, "CYCLES") == 0
    for name in VECTORS.counts:
        assert await count_of(dut, name) == 0, name
    cocotb.start_soon(send(dut, [VECTORS.images[image] for image in images]))
    await take(dut, images, shift=1000)
    await ClockCycles(dut.clk, 2)
    for name, each in VECTORS.counts.items():
        assert await count_of(dut, name) == each * len(images), name


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_supermask_in_several_transfers(dut):
    """TLAST anywhere among its words: refused, but with CONTROL.SPLIT."""
    rng = Random(GIVEN["seed"])
    words = VECTORS.supermask
    at = sorted({0, len(words), *(rng.randrange(1, len(words)) for _ in range(3))})
    parts = [words[a:b] for a, b in pairwise(at)]
    await start(dut)
    await send(dut, parts)
    await ClockCycles(dut.clk, 2)
    assert await show(dut, "STATUS") == FAILED
    assert field(await show(dut, "ERROR"), "ERROR.CODE") == ERRORS["LENGTH"]
    for has_last in (True, False):
        await control(dut, IS_SPLIT | LOAD)
        await send(dut, parts, has_last=has_last)
        await is_loaded(dut)
    await infer(dut, [0])


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def class_changes_while_a_logit_is_offered(dut):
    """The result that has begun goes on as it was, the next one is a class."""
    await start(dut)
    await load(dut)
    image = min(1, len(VECTORS.images) - 1)
    cocotb.start_soon(send(dut, [VECTORS.images[0], VECTORS.images[image]]))
    await RisingEdge(dut.m_axis_tvalid)
    await ClockCycles(dut.clk, 2)
    await control(dut, SENDS_CLASS)
    await ClockCycles(dut.clk, 2)
    await take(dut, [0])
    ((word, is_last, _),) = await receive(dut, 1)
    logits = VECTORS.logits[image]
    assert (word, is_last) == (logits.index(max(logits)), 1), f"class {word}"


if VECTORS.precisions:

    @cocotb.test(timeout_time=4 * PRECISIONS * DEADLINE_NS, timeout_unit="ns")
    @OUTCOME.counted
    async def any_number_of_planes(dut):
        """Every precision, in any order; a change counts from the next image on."""
        await try_precisions(dut)


if VECTORS.choices:

    @cocotb.test(timeout_time=8 * PRECISIONS * DEADLINE_NS, timeout_unit="ns")
    @OUTCOME.counted
    async def more_planes_where_the_margin_is_small(dut):
        """Each image goes on until its two largest logits are far enough apart; at any speed."""
        await try_choices(dut)
