"""cocotb bench of a whole accelerator against golden vectors.

Run it with ``python run.py`` in this folder, or ``kakure sim`` in Kakure.
"""

import zlib
from itertools import pairwise
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
FIELDS = VECTORS.fields
ERRORS = VECTORS.errors
RESET = FIELDS["CONTROL.RESET"]
SENDS_CLASS = FIELDS["CONTROL.CLASS"]
IS_BATCH = FIELDS["CONTROL.BATCH"]
IS_SPLIT = FIELDS["CONTROL.SPLIT"]
LOAD = FIELDS["CONTROL.LOAD"]
CLEAR = FIELDS["CONTROL.CLEAR"]
WRITTEN = ("CONTROL", "PLANES", "THRESHOLD")
LOADED = FIELDS["STATUS.LOADED"]
FAILED = FIELDS["STATUS.ERROR"]
BUSY = FIELDS["STATUS.BUSY"]

PRECISIONS = len(VECTORS.precisions) + len(VECTORS.choices)

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


async def wrong_frames(dut, rng):
    """Right, short and long frames; return the images of the right ones, and the wrong ones' codes.

    Sends them meanwhile; several images are on their way wherever the network holds several.
    """
    draw = Random(GIVEN["seed"])
    frames, right, codes = [], [], []
    for n in range(12):
        image = n % len(VECTORS.images)
        words = VECTORS.images[image]
        kind = draw.choice(["right", "right", "short", "long"]) if n < 11 else "right"
        if kind == "short" and len(words) > 1:
            frames.append(words[: draw.randrange(1, len(words))])
            codes.append(ERRORS["IMAGE_SHORT"])
        elif kind == "long":
            frames.append(words + [draw.getrandbits(32) for _ in range(draw.choice([1, 5]))])
            codes.append(ERRORS["IMAGE_LONG"])
        else:
            frames.append(words)
            right.append(image)
    cocotb.start_soon(send(dut, frames, rng=rng))
    return right, codes


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


def shifted(amount):
    """The supermask with ``amount`` added to B of every class, and the checksum that belongs to it.

    The last words of a section are M and B of each channel, once or more, then the CRC of all
    before it.
    """
    words = list(VECTORS.supermask)
    last = VECTORS.section_layers[-1]
    for number, size in enumerate(VECTORS.sections):
        if VECTORS.section_layers[number] != last:
            continue
        end = sum(VECTORS.sections[: number + 1])
        for channel in range(CLASSES * VECTORS.scale_sets):
            at = end - 2 - 2 * channel
            words[at] = (words[at] + amount) & 0xFFFFFFFF
        section = words[end - size : end - 1]
        words[end - 1] = zlib.crc32(b"".join(word.to_bytes(4, "little") for word in section))
    return words


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


if VECTORS.precisions:

    @cocotb.test(timeout_time=4 * PRECISIONS * DEADLINE_NS, timeout_unit="ns")
    @OUTCOME.counted
    async def any_number_of_planes(dut):
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


if VECTORS.choices:

    @cocotb.test(timeout_time=8 * PRECISIONS * DEADLINE_NS, timeout_unit="ns")
    @OUTCOME.counted
    async def more_planes_where_the_margin_is_small(dut):
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
