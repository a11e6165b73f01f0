"""Grids of tiles and their copies, against the reference's crossbar and their promised cycles."""

import json
from collections import Counter
from random import Random

import numpy as np
import pytest

from kakure.hdl.emission.emit import emit
from kakure.hdl.engines.crossbar import engine as grids
from kakure.hdl.engines.crossbar import grid_shape
from kakure.hdl.engines.crossbar.column import TileColumns, tile_columns
from kakure.hdl.engines.crossbar.grid_shape import CrossbarGridShape
from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import parse_config
from kakure.model.reference.crossbar import crossbar
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # fan_in, outputs, rows, columns, sharing, type, adc_bits, input_bits, shift, copies
    (1, 1, 1, 1, 1, "flash", 1, 1, 0, 1),
    (10, 5, 4, 6, 3, "flash", 2, 3, 0, 1),
    (10, 5, 4, 3, 3, "sar", 3, 2, 0, 3),
    (9, 3, 8, 4, 2, "flash", 3, 1, 2, 2),  # the last row group reads as 0
    (5, 4, 64, 16, 4, "sar", 2, 4, 1, 1),
    (3, 70, 2, 48, 4, "flash", 2, 1, 0, 1),
    (2, 40, 2, 40, 40, "flash", 2, 1, 0, 2),
    (6, 7, 6, 2, 1, "flash", 2, 1, 0, 5),  # a vector takes a cycle
]


@pytest.fixture(params=["registers", "memory"])
def cells(request, monkeypatch):
    """What cells are; memories of any number of words."""
    monkeypatch.setattr(grid_shape, "LEAST_WORDS", 1)
    return request.param


def engine(shape, cells="registers"):
    fan_in, outputs, rows, columns, sharing, adc_type, adc_bits, input_bits, shift, copies = shape
    layer = {
        "kind": "linear",
        "channels": outputs,
        "engine": "crossbar",
        "column_sharing": sharing,
        "adc_type": adc_type,
        "adc_bits": adc_bits,
        "adc_shift": shift,
        "input_bits": input_bits,
        "copies": copies,
    }
    config = {
        "name": "engine",
        "dataset": "windows",
        "input_shape": [1, fan_in, 1],
        "weights": {"kind": "hidden"},
        "crossbar": {"rows": rows, "columns": columns, "cells": cells},
        "layers": [layer],
    }
    return engine_of(parse_config(json.dumps(config)), 0)


async def write_weights(ctx, dut, w, generator, write_cycles):
    rows, outputs = w.shape
    for row, block in weight_order(generator, channels=1, window=rows, outputs=outputs):
        word = w[row, 32 * block : 32 * block + 32]
        ctx.set(
            dut.weights,
            {
                "valid": 1,
                "row": row,
                "block": block,
                "positive": sum(1 << b for b, value in enumerate(word) if value > 0),
                "negative": sum(1 << b for b, value in enumerate(word) if value < 0),
            },
        )
        if write_cycles is None:
            await ctx.tick()
        else:
            for cycle in range(write_cycles[row]):
                _, _, written = await ctx.tick().sample(dut.written)
                assert written == (cycle == write_cycles[row] - 1)
    ctx.set(dut.weights.valid, 0)


def run(shape, cells="registers", *, generator="xorshift32", gaps=None, stalls=None):
    """Check the sums; return the cycles that take windows and sums, from the first offer on."""
    fan_in, outputs, rows, _, sharing, adc_type, adc_bits, input_bits, shift, _ = shape
    hardware = engine(shape, cells)
    dut, write_cycles = hardware.component(), hardware.write_cycles
    assert (write_cycles is None) == (cells == "registers")
    rng = np.random.default_rng(1)
    count = 9
    x = rng.integers(0, 1 << input_bits, (count, fan_in))
    x[0] = (1 << input_bits) - 1
    w = rng.integers(-1, 2, (fan_in, outputs))
    w[:, 0] = 1
    sent, taken = [], []
    conversion = adc_bits if adc_type == "sar" else 1
    cycles = input_bits * sharing * conversion

    async def drive(ctx):
        await write_weights(ctx, dut, w, generator, write_cycles)
        await send(ctx, dut.i, x.tolist(), gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, count, stalls)

    words = sum(write_cycles or [1] * fan_in) * -(-outputs // 32)
    simulate(
        dut,
        drive,
        sink,
        monitors=[watch(dut.i, sent), watch(dut.o, taken)],
        deadline=words + 100 + 8 * count * cycles,
    )
    expected = crossbar(x, w, rows=rows, input_bits=input_bits, adc_bits=adc_bits, adc_shift=shift)
    assert [list(payload) for _, payload in taken] == expected.tolist()
    return cycles, [cycle - words for cycle, _ in sent], [cycle - words for cycle, _ in taken]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_reference_in_exactly_the_cycles_promised(shape, cells):
    cycles, sent, taken = run(shape, cells)
    copies = shape[-1]
    numbers = range(len(sent))
    if copies == 1:
        assert sent == [cycles * (n + 1) - 1 for n in numbers]
        assert taken == [cycles * (n + 1) for n in numbers]
    else:
        done = []  # when a grid takes a window from its register
        dealt = []
        for n in numbers:
            free = done[n - copies] if n >= copies else 0
            dealt.append(max(free, dealt[-1] + 1 if dealt else 0))
            done.append(max(dealt[n] + 1, free + 1 if n >= copies else 0) + cycles - 1)
        assert sent == dealt
        ends = []
        for cycle in done:
            ends.append(max(cycle + 1, ends[-1] + 1 if ends else 0))
        assert taken == ends


@pytest.mark.parametrize("shape", SHAPES)
def test_pauses_change_nothing(shape, cells):
    run(shape, cells, gaps=Random(2), stalls=Random(3))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_module_for_each_column_of_tiles_changes_nothing(shape, cells, monkeypatch):
    expected = run(shape, cells)
    monkeypatch.setattr(grids, "MOST_ADDERS", -1)
    assert run(shape, cells) == expected
    run(shape, cells, gaps=Random(2), stalls=Random(3))


def modules(outputs, groups):
    """The modules of a layer on tiles of 8 x 64: how often each is placed, and their text."""
    large = engine((8 * groups, outputs, 8, 64, 32, "sar", 2, 1, 0, 1)).component()
    design = emit(large, "top")
    counts = Counter(module.kind for _, module in design.instances())
    assert counts["crossbar_tile"] == groups * -(-outputs // 64)
    return design, counts


def test_equal_columns_of_a_large_grid_are_one_module():
    few, many = (modules(outputs, 20) for outputs in (128, 512))
    assert (few[1]["crossbar_column"], many[1]["crossbar_column"]) == (2, 8)
    assert few[1]["crossbar_grid"] == many[1]["crossbar_grid"] == 1
    texts = [
        {name: module.verilog for name, module in design.modules.items() if module.kind == kind}
        for design, _ in (few, many)
        for kind in ("crossbar_tile", "crossbar_column")
    ]
    assert all(len(found) == 1 for found in texts)
    assert texts[0] == texts[2]
    grid = next(m for m in many[0].modules.values() if m.kind == "crossbar_grid")
    assert " + " not in grid.verilog


@pytest.mark.parametrize(("outputs", "groups"), [(128, 17), (64, 33), (128, 2)])
def test_a_small_grid_holds_its_tiles_itself(outputs, groups):
    _, counts = modules(outputs, groups)
    assert counts["crossbar_column"] == 0


def test_takes_the_words_of_a_row_in_another_order(cells):
    run((4, 70, 3, 48, 4, "flash", 2, 2, 0, 1), cells, generator="xorshift16")


@pytest.mark.parametrize(("sharing", "adc_bits", "expected"), [(8, 4, "memory"), (8, 3, "")])
def test_cells_of_few_words_stay_registers(sharing, adc_bits, expected):
    hardware = engine((4, 8, 4, 8, sharing, "sar", adc_bits, 1, 0, 1), "memory")
    assert hardware.identity.get("crossbar_cells", "") == expected
    assert hardware.write_cycles == ([sharing + 1] * 4 if expected else None)


@pytest.mark.parametrize(
    ("outputs", "columns", "sharing", "expected"),
    [
        (5, 8, 4, [TileColumns(0, 5, 8, ((0, 8),))]),
        (5, 8, 2, [TileColumns(0, 5, 6, ((0, 6),))]),
        (5, 4, 2, [TileColumns(0, 4, 4, ((0, 4),)), TileColumns(4, 1, 2, ((0, 2),))]),
        (64, 64, 8, [TileColumns(0, 64, 64, ((0, 32), (1, 32)))]),
        (
            70,
            48,
            16,
            [
                TileColumns(0, 48, 48, ((0, 32), (1, 16))),
                TileColumns(48, 22, 32, ((1, 16), (2, 16))),
            ],
        ),
    ],
)
def test_tile_columns(outputs, columns, sharing, expected):
    grid = CrossbarGridShape(
        fan_in=1,
        outputs=outputs,
        rows=1,
        columns=columns,
        sharing=sharing,
        is_sar=0,
        adc_bits=1,
        adc_shift=0,
        input_bits=1,
    )
    assert tile_columns(grid) == expected
