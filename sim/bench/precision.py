"""Images with some of a network's planes, chosen by registers, in a cocotb bench."""

from random import Random

import cocotb
from axi import cycle_now, receive, send, start, write
from cocotb.triggers import ClockCycles
from device import CLASSES, GIVEN, OUTCOME, VECTORS, load, show, to_signed


async def choose(dut, tried, threshold=0):
    """Write PLANES and THRESHOLD, and see that they are kept."""
    for name, value in (("PLANES", tried), ("THRESHOLD", threshold)):
        if name in VECTORS.registers:
            await write(dut, VECTORS.registers[name], value)
            assert await show(dut, name) == value


async def infer_with(dut, precision, change=None):
    """Send images and compare logits and cycles; PLANES is changed while they are on their way."""
    begin = cycle_now()
    count = len(precision.logits)
    sending = cocotb.start_soon(send(dut, VECTORS.images[:count]))
    if change is not None:
        await ClockCycles(dut.clk, 3)
        await choose(dut, change)
    got = await receive(dut, CLASSES * count)
    await sending
    said = f"with PLANES {precision.tried:#x} and THRESHOLD {precision.threshold}"
    logits = [to_signed(word) for word, _, _ in got]
    for n, expected in enumerate(precision.logits):
        found = logits[n * CLASSES : (n + 1) * CLASSES]
        assert found == expected, f"MISMATCH image {n} {said}: expected {expected}, got {found}"
        OUTCOME.compared(images=1, logits=CLASSES)
    cycles = [cycle - begin for _, is_last, cycle in got if is_last]
    assert cycles == precision.cycles, (
        f"{said} results must end in cycles {precision.cycles}, not {cycles}"
    )
    OUTCOME.compared(results_in_their_cycle=count)
    await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)


async def frames_while_tried(dut, one):
    """Wrong frames between right ones, where each image is tried more than once."""
    await choose(dut, one.tried, 0xFFFFFFFF)
    words, last = VECTORS.images[0], VECTORS.precisions[-1].logits
    frames = [words, [*words, 7], words]
    if len(words) > 1:
        frames.insert(1, words[:-1])
    sending = cocotb.start_soon(send(dut, frames))
    got = await receive(dut, 2 * CLASSES)
    await sending
    assert [to_signed(word) for word, _, _ in got] == 2 * last[0]
    await ClockCycles(dut.clk, 3)
    assert await show(dut, "DROPPED") == len(frames) - 2


async def try_precisions(dut):
    """Every precision, in any order; a change counts from the next image on."""
    await start(dut)
    await load(dut)
    await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)
    order = [*VECTORS.precisions, *VECTORS.precisions[::-1]]
    for n, precision in enumerate(order):
        await choose(dut, precision.tried)
        await infer_with(dut, precision, change=order[n - 1].tried)
    for tried in (0, 0xFF & -2 * VECTORS.precisions[-1].tried):  # of none that there are
        await choose(dut, tried)
        await infer_with(dut, VECTORS.precisions[-1])


async def try_choices(dut):
    """Each image goes on until its two largest logits are far enough apart; at any speed."""
    await start(dut)
    await load(dut)
    await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)
    rng = Random(GIVEN["seed"])
    for one in VECTORS.choices:
        await choose(dut, one.tried, one.threshold)
        await infer_with(dut, one)
        images = range(len(one.logits))
        sending = cocotb.start_soon(send(dut, [VECTORS.images[n] for n in images], rng=rng))
        got = await receive(dut, CLASSES * len(images), rng=Random(rng.random()))
        await sending
        logits = [to_signed(word) for word, _, _ in got]
        assert logits == [logit for result in one.logits for logit in result]
        OUTCOME.compared(images=len(images), logits=len(logits))
        await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)
    await choose(dut, VECTORS.precisions[0].tried, 0xFFFFFFFF)
    await infer_with(dut, VECTORS.precisions[0])  # there is nothing more to try
    await frames_while_tried(dut, VECTORS.choices[0])
