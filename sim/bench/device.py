"""The accelerator in a cocotb bench: its registers by name, supermasks, images and logits."""

from pathlib import Path
from random import Random

import cocotb
from axi import cycle_now, read, receive, send, write
from cocotb.triggers import ClockCycles, RisingEdge
from outcome import Tally
from simulator import parameters
from vectors import Vectors

GIVEN = parameters()
OUTCOME = Tally(GIVEN)
VECTORS = Vectors.load(Path(GIVEN["vectors"]))
CLASSES = len(VECTORS.logits[0])
FIELDS = VECTORS.fields
ERRORS = VECTORS.errors
RESET = FIELDS["CONTROL.RESET"]
SENDS_CLASS = FIELDS["CONTROL.CLASS"]
IS_BATCH = FIELDS["CONTROL.BATCH"]
IS_SPLIT = FIELDS["CONTROL.SPLIT"]
LOAD = FIELDS["CONTROL.LOAD"]
CLEAR = FIELDS["CONTROL.CLEAR"]
LOADED = FIELDS["STATUS.LOADED"]
FAILED = FIELDS["STATUS.ERROR"]
BUSY = FIELDS["STATUS.BUSY"]

# A result is due after so many cycles; a simulation that takes ten times as long hangs.
DEADLINE_NS = 100 * (
    1000 + 5 * len(VECTORS.supermask) + 5 * VECTORS.settle_cycles + 2 * VECTORS.cycles[-1]
)


def to_signed(word: int) -> int:
    """Return a 32-bit word as a signed number."""
    return word - (1 << 32) if word >> 31 else word


def field(value, name):
    """The field of a register that was read."""
    mask = FIELDS[name]
    return (value & mask) // (mask & -mask)


def strobe_without(mask):
    """The strobes of every byte in which no bit of ``mask`` lies."""
    return sum(1 << byte for byte in range(4) if not mask >> 8 * byte & 0xFF)


async def show(dut, name):
    """Read a register by its name."""
    return await read(dut, VECTORS.registers[name])


async def control(dut, value, **how):
    """Write CONTROL."""
    await write(dut, VECTORS.registers["CONTROL"], value, **how)


async def load(dut, words=VECTORS.supermask, rng=None):
    """Send the supermask and see that it was accepted."""
    await send(dut, [words], rng=rng)
    await is_loaded(dut)


async def is_loaded(dut):
    """See that a supermask was accepted, and nothing else is said; choose its planes."""
    if VECTORS.tried:
        await write(dut, VECTORS.registers["PLANES"], VECTORS.tried)
    await ClockCycles(dut.clk, 2)
    status, error = await show(dut, "STATUS"), await show(dut, "ERROR")
    assert status == LOADED, f"STATUS must be {LOADED}, loaded, not {status}; ERROR is 0x{error:x}"
    assert error == 0, f"ERROR must be 0, not 0x{error:x}"


async def tell(dut, total):
    """Note each result that comes, for whoever waits."""
    for done in range(total):
        OUTCOME.note(done, total, "images")
        await RisingEdge(dut.m_axis_tlast)


async def take(dut, images, rng=None, shift=0):
    """Take the logits of images and compare them; each must be ``shift`` more than its own."""
    pauses = None if rng is None else Random(rng.random())
    telling = cocotb.start_soon(tell(dut, len(images)))
    got = await receive(dut, CLASSES * len(images), rng=pauses)
    telling.cancel()
    for n, image in enumerate(images):
        result = got[n * CLASSES : (n + 1) * CLASSES]
        for channel, (word, is_last, _) in enumerate(result):
            expected = VECTORS.logits[image][channel] + shift
            assert to_signed(word) == expected, (
                f"MISMATCH image {image}: last layer, channel {channel}: "
                f"expected {expected}, got {to_signed(word)}"
            )
            assert is_last == (channel == CLASSES - 1), f"TLAST at logit {channel}"
        OUTCOME.compared(images=1, logits=len(result))
    return got


async def count_of(dut, name):
    """A register that counts, of one word or of two."""
    if name in VECTORS.registers:
        return await show(dut, name)
    return await show(dut, f"{name}_LOW") | await show(dut, f"{name}_HIGH") << 32


async def infer(dut, images, rng=None):
    """Send images and compare their logits; return the cycle in which each result ended."""
    begin = cycle_now()
    sending = cocotb.start_soon(send(dut, [VECTORS.images[n] for n in images], rng=rng))
    got = await take(dut, images, rng)
    await sending
    return [cycle - begin for _, is_last, cycle in got if is_last]
