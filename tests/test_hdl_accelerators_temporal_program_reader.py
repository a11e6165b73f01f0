# amaranth: UnusedElaboratable=no
"""Program images: right ones are taken as they are, and wrong ones are an error."""

from random import Random
from typing import Any

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from branching import FORMS
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.image import loading_cycles, program_sections, record
from kakure.hdl.accelerators.temporal.mask_order import mask_groups
from kakure.hdl.accelerators.temporal.operation import (
    operation_layout,
    operation_values,
    sizes_of,
)
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.program_reader import ProgramReader
from kakure.hdl.weights.image_reader import LoadError
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.masks import crc32
from kakure.sim.drivers.core import frame
from kakure.sim.drivers.streams import send, simulate

CASES = [((8, 4, 2, 4), 2, 0.6), ((4, 16, 1, 2), 4, 0.1), ((3, 1, 2, 2), 1, 0.9)]


def network(array, rows, density):
    weights = {"kind": "hidden", "seed": 5, "density": density}
    config = temporal(
        FORMS["a block that strides"], array, rows=rows, weights=weights, input_shape=[6, 6, 1]
    )
    program, parameters = program_of(config), random_parameters(config, 1)
    sizes = sizes_of(program, array_of(config))
    sections = program_sections(config, parameters, program, array_of(config), sizes)
    return config, program, parameters, sizes, sections


@pytest.mark.parametrize(("array", "rows", "density"), CASES)
def test_what_is_read_is_what_was_written(array, rows, density):
    config, program, parameters, sizes, sections = network(array, rows, density)
    accelerator = array_of(config)
    dut = ProgramReader(array=accelerator, sizes=sizes)
    words = [word for section in sections for word in section]
    masks, scales, records, cycles = {}, {}, {}, []

    async def collect(ctx):
        names = dut.mask, dut.scales, dut.record, dut.i.valid, dut.i.ready
        cycle = 0
        async for *_, mask, scale, one, valid, ready in ctx.tick().sample(*names):
            if mask.valid:
                masks[mask.address] = mask.word
            if scale.valid:
                scales[scale.address, scale.output] = scale.multiplier, scale.offset, scale.shift
            if one.valid:
                records[one.address] = one.word
            if valid and ready:
                cycles.append(cycle)
            cycle += 1

    async def drive(ctx):
        await send(ctx, dut.i, frame(words))
        assert ctx.get(dut.done) and ctx.get(dut.error) == LoadError.NONE
        height, width, channels = config.shape
        assert ctx.get(dut.last_word) + 1 == -(-height * width * channels // 4)
        assert ctx.get(dut.last_class) + 1 == config.geometry[-1].outputs
        assert ctx.get(dut.operations) == len(program.operations)

    simulate(dut, drive, deadline=50000, monitors=[collect])
    assert cycles[-1] - cycles[0] + 1 == loading_cycles(
        config, parameters, program, accelerator, sizes
    )
    layout = operation_layout(accelerator, sizes)
    values: list[Any] = operation_values(config, program, sizes.rows)
    operations = [word for value in values for word in record(layout, value)]
    assert records == dict(enumerate(operations))
    address = base = 0
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    for operation, layer in zip(layers, parameters.layers, strict=True):
        for group in mask_groups(operation, [layer.mask], accelerator.many):
            assert masks[address] == sum(int(b) << n for n, b in enumerate(group.reshape(-1)))
            address += 1
        for channel in range(operation.geometry.outputs):
            pass_, output = divmod(channel, accelerator.outputs)
            expected = layer.multiplier[channel], layer.offset[channel], layer.shift[channel]
            assert scales[base + pass_, output] == expected
        base += operation.channel_passes
    assert (address, base) == (sizes.mask_words, sizes.scales)


def load(array, rows, density, change, is_split=False):
    """What a changed program ends as: done, error, layer."""
    *_, sizes, sections = network(array, rows, density)
    config = network(array, rows, density)[0]
    dut = ProgramReader(array=array_of(config), sizes=sizes)
    payloads = change([list(section) for section in sections])
    result = []

    async def drive(ctx):
        ctx.set(dut.is_split, is_split)
        for payload in payloads:
            if ctx.get(dut.done):
                break
            await send(ctx, dut.i, [payload])
        result.extend((ctx.get(dut.done), ctx.get(dut.error), ctx.get(dut.layer)))

    simulate(dut, drive, deadline=50000)
    return tuple(result)


def joined(sections):
    return frame([word for section in sections for word in section])


def test_no_flipped_bit_is_taken():
    rng = Random(1)

    def flip(sections):
        section = rng.choice(sections)
        section[rng.randrange(len(section))] ^= 1 << rng.randrange(32)
        return joined(sections)

    for _ in range(25):
        done, error, _ = load(*CASES[0], flip)
        assert not done and error != LoadError.NONE


def with_sum(section):
    section[-1] = crc32(section[:-1])


def change_word(section, word, value):
    def change(sections):
        sections[section][word] = value
        with_sum(sections[section])
        return joined(sections)

    return change


@pytest.mark.parametrize(
    ("change", "error", "layer"),
    [
        (change_word(0, 0, 0x4B540000), LoadError.HEADER, 0),  # no operation
        (change_word(0, 0, 0x4B5400FF), LoadError.HEADER, 0),  # too many
        (change_word(0, 0, 0x4B000000), LoadError.HEADER, 0),  # a layer's
        (change_word(0, 1, 0), LoadError.HEADER, 0),
        (change_word(0, 1, 256), LoadError.HEADER, 0),
        (change_word(0, 2, 1 << 24), LoadError.HEADER, 0),
        (change_word(0, 3, 10**6), LoadError.HEADER, 0),
        (change_word(1, 0, 0x4B000001), LoadError.HEADER, 0),  # the wrong layer
        (change_word(2, 0, 0x4B000601), LoadError.HEADER, 1),  # the wrong token
        (change_word(1, 1, 0), LoadError.HEADER, 0),
        (change_word(1, 1, 10**6), LoadError.LENGTH, 0),  # more groups than words
        (change_word(1, 2, 1), LoadError.LENGTH, 0),
        (change_word(1, 3, 0), LoadError.HEADER, 0),
        (change_word(1, -2, 0), None, 0),  # another offset is another network
        (change_word(1, -3, 0x01FF0000), LoadError.SCALE, 0),
    ],
)
def test_a_wrong_field_is_an_error(change, error, layer):
    done, found, where = load(*CASES[0], change)
    if error is None:
        assert done and found == LoadError.NONE
    else:
        assert (bool(done), found, where) == (False, error, layer)


def test_frames_end_with_the_last_word_alone():
    def early(sections):
        payloads = joined(sections)
        payloads[40]["last"] = 1
        return payloads

    def in_a_mask(sections):
        assert sections[1][2] > 1  # words of the mask behind four of the header
        payloads = joined(sections)
        payloads[len(sections[0]) + 4]["last"] = 1
        return payloads

    def late(sections):
        payloads = joined(sections)
        payloads[-1]["last"] = 0
        return payloads

    for change in (early, in_a_mask, late):
        done, error, _ = load(*CASES[0], change)
        assert not done and error == LoadError.LENGTH
        done, error, _ = load(*CASES[0], change, is_split=True)
        assert done and error == LoadError.NONE


def test_zero_runs_are_used_where_they_are_shorter():
    tokens = {section[0] >> 8 & 0xFF for section in network(*CASES[1])[-1][1:]}
    assert 0 not in tokens
    assert {section[0] >> 8 & 0xFF for section in network(*CASES[2])[-1][1:]} == {0}


def test_after_a_reset_at_any_moment_a_program_is_read_from_its_beginning():
    config, _, _, sizes, sections = network(*CASES[1])
    dut = ProgramReader(array=array_of(config), sizes=sizes)
    words = [word for section in sections for word in section]
    reset = Signal()
    top = Module()
    top.submodules.dut = ResetInserter(reset)(dut)
    written: list[Any] = []
    found = []

    async def collect(ctx):
        async for *_, mask, scale, one in ctx.tick().sample(dut.mask, dut.scales, dut.record):
            written.extend(str(part) for part in (mask, scale, one) if part.valid)

    async def drive(ctx):
        for count in (len(words), 0, 1, 9, *range(40, len(words), len(words) // 9)):
            await send(ctx, dut.i, frame(words)[:count])
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            written.clear()
            await send(ctx, dut.i, frame(words))
            assert ctx.get(dut.done) and ctx.get(dut.error) == LoadError.NONE
            await ctx.tick()
            found.append(list(written))
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)

    simulate(top, drive, deadline=90 * len(words), monitors=[collect])
    assert len(found) > 9 and len(found[0]) > 30
    assert all(one == found[0] for one in found)
