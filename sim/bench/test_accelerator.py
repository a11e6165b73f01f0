"""cocotb bench of a whole accelerator against golden vectors.

Run it with ``python run.py`` in this folder, or ``make sim`` in Kakure.
"""

from pathlib import Path
from random import Random

import cocotb
from axi import SLAVE_ERROR, cycle_now, read, receive, send, start, write
from cocotb.triggers import ClockCycles, RisingEdge
from outcome import Tally
from simulator import parameters
from vectors import Vectors

GIVEN = parameters()
OUTCOME = Tally(GIVEN)
VECTORS = Vectors.load(Path(GIVEN["vectors"]))
CLASSES = len(VECTORS.logits[0])
RESET = 1
SENDS_CLASS = 2
"""Bits of CONTROL."""

LOADED = 1
BUSY = 4
"""Bits of STATUS."""

# A result is due after so many cycles; a simulation that takes ten times as long hangs.
DEADLINE_NS = 100 * (
    1000 + 2 * len(VECTORS.supermask) + 5 * VECTORS.settle_cycles + VECTORS.cycles[-1]
)


def to_signed(word: int) -> int:
    """Return a 32-bit word as a signed number."""
    return word - (1 << 32) if word >> 31 else word


async def load(dut, rng=None):
    """Send the supermask and see that it was accepted."""
    await send(dut, VECTORS.supermask, has_last=True, rng=rng)
    await ClockCycles(dut.clk, 2)
    status = await read(dut, VECTORS.registers["STATUS"])
    error = await read(dut, VECTORS.registers["ERROR"])
    assert status == 1, f"STATUS must be 1, loaded, not {status}; ERROR is 0x{error:x}"


async def tell(dut, total):
    """Note each result that comes, for whoever waits."""
    for done in range(total):
        OUTCOME.note(done, total, "images")
        await RisingEdge(dut.m_axis_tlast)


async def infer(dut, images, rng=None):
    """Send images and compare their logits; return the cycle in which each result ended."""
    words = [word for image in images for word in VECTORS.images[image]]
    begin = cycle_now()
    sending = cocotb.start_soon(send(dut, words, rng=rng))
    telling = cocotb.start_soon(tell(dut, len(images)))
    pauses = None if rng is None else Random(rng.random())
    got = await receive(dut, CLASSES * len(images), rng=pauses)
    await sending
    telling.cancel()
    for n, image in enumerate(images):
        result = got[n * CLASSES : (n + 1) * CLASSES]
        for channel, (word, is_last, _) in enumerate(result):
            expected = VECTORS.logits[image][channel]
            assert to_signed(word) == expected, (
                f"MISMATCH image {image}: last layer, channel {channel}: "
                f"expected {expected}, got {to_signed(word)}"
            )
            assert is_last == (channel == CLASSES - 1), f"TLAST at logit {channel}"
        OUTCOME.compared(images=1, logits=len(result))
    return [cycle - begin for _, is_last, cycle in got if is_last]


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def registers_answer_as_the_map_says(dut):
    """IDENTITY, VERSION and digest; SLVERR where nothing is; answers stay until they are taken."""
    await start(dut)
    registers = VECTORS.registers
    for wait in (0, 3):
        for name, value in VECTORS.constants.items():
            assert await read(dut, registers[name], wait=wait) == value, name
    digest = [await read(dut, registers[f"DIGEST_{k}"]) for k in range(8)]
    assert "".join(f"{word:08x}" for word in digest) == VECTORS.digest
    for name in ("STATUS", "ERROR", "LOAD_CYCLES", "RESULTS", "LATENCY", "CYCLES"):
        assert await read(dut, registers[name]) == 0, name
        await write(dut, registers[name], 0xFFFFFFFF, response=SLAVE_ERROR, wait=2)
    beyond = max(registers.values()) + 4
    assert await read(dut, beyond, response=SLAVE_ERROR) == 0
    await write(dut, beyond, SENDS_CLASS, response=SLAVE_ERROR)
    assert await read(dut, registers["CONTROL"]) == 0
    await write(dut, registers["CONTROL"], SENDS_CLASS, strobe=0b1110)
    assert await read(dut, registers["CONTROL"]) == 0
    await write(dut, registers["CONTROL"], SENDS_CLASS | RESET)
    assert await read(dut, registers["CONTROL"]) == SENDS_CLASS
    await write(dut, registers["CONTROL"], 0)
    assert await read(dut, registers["CONTROL"]) == 0


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def all_images_at_full_rate(dut):
    """Logits equal, and every result in exactly the cycle that the formula says."""
    await start(dut)
    await load(dut)
    assert await read(dut, VECTORS.registers["LOAD_CYCLES"]) == VECTORS.load_cycles
    await ClockCycles(dut.clk, 1 + VECTORS.settle_cycles)
    cycles = await infer(dut, range(len(VECTORS.images)))
    assert cycles == VECTORS.cycles, (
        f"results must end in cycles {VECTORS.cycles[:9]}, not {cycles[:9]}"
    )
    OUTCOME.compared(cycles=cycles[-1], results_in_their_cycle=len(cycles))
    await ClockCycles(dut.clk, 2)
    assert await read(dut, VECTORS.registers["LATENCY"]) == VECTORS.cycles[0]
    assert await read(dut, VECTORS.registers["CYCLES"]) == VECTORS.cycles[-1]
    assert await read(dut, VECTORS.registers["RESULTS"]) == len(VECTORS.images)
    assert await read(dut, VECTORS.registers["STATUS"]) == 1
    dut._log.info(f"{len(cycles)} images equal, {cycles[-1]} cycles")


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def back_pressure_on_both_sides(dut):
    """Logits equal when words come with pauses and results are not always taken."""
    await start(dut)
    rng = Random(GIVEN["seed"])
    await load(dut, rng)
    await infer(dut, range(min(GIVEN["slow_images"], len(VECTORS.images))), rng)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def classes_instead_of_logits(dut):
    """One word per image: the first of the largest logits."""
    await start(dut)
    await write(dut, VECTORS.registers["CONTROL"], SENDS_CLASS)
    await load(dut)
    images = range(min(3, len(VECTORS.images)))
    sending = cocotb.start_soon(send(dut, [w for n in images for w in VECTORS.images[n]]))
    got = await receive(dut, len(images))
    await sending
    for n, (word, is_last, _) in zip(images, got, strict=True):
        logits = VECTORS.logits[n]
        assert (word, is_last) == (logits.index(max(logits)), 1), f"image {n}: class {word}"
        OUTCOME.compared(images=1, classes=1)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_corrupted_supermask_is_refused(dut):
    """ERROR is set, no result is given, and the accelerator recovers after a reset."""
    rng = Random(GIVEN["seed"])
    await start(dut)
    for _ in range(GIVEN["corruptions"]):
        words = list(VECTORS.supermask)
        at = rng.randrange(len(words))
        words[at] ^= 1 << rng.randrange(32)
        layer = next(n for n in range(99) if at < sum(VECTORS.sections[: n + 1]))
        await send(dut, words, has_last=True)
        await ClockCycles(dut.clk, 2)
        assert await read(dut, VECTORS.registers["STATUS"]) == 2
        error = await read(dut, VECTORS.registers["ERROR"])
        assert error & 0xFF in (1, 2, 3), f"word {at} is wrong, ERROR is 0x{error:x}"
        assert error >> 8 == layer, f"word {at} is of layer {layer}, ERROR is 0x{error:x}"
        await send(dut, VECTORS.images[0])
        await ClockCycles(dut.clk, 100 + VECTORS.settle_cycles + VECTORS.cycles[0])
        # Nothing is taken, so a result would still be offered.
        assert dut.m_axis_tvalid.value == 0, "a result in spite of a corrupted supermask"
        await write(dut, VECTORS.registers["CONTROL"], RESET)
        await ClockCycles(dut.clk, 2)
        assert await read(dut, VECTORS.registers["STATUS"]) == 0
    await load(dut)
    await infer(dut, [0])


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_reset_in_the_middle_of_an_image(dut):
    """Half an image is forgotten, with the weights."""
    await start(dut)
    await load(dut)
    await send(dut, VECTORS.images[0][: (len(VECTORS.images[0]) + 1) // 2])
    await ClockCycles(dut.clk, 2)
    assert await read(dut, VECTORS.registers["STATUS"]) == LOADED | BUSY
    await write(dut, VECTORS.registers["CONTROL"], RESET)
    await ClockCycles(dut.clk, 2)
    assert await read(dut, VECTORS.registers["STATUS"]) == 0
    await load(dut)
    await infer(dut, [min(1, len(VECTORS.images) - 1)])
