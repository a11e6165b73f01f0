"""Counts of the crossbar's blocks: popcount, readout, tile, grid, engine."""

import numpy as np

from .block import Block, Counts, Parameters, gated
from .counting import adder_levels, bits, buffers, popcount_tree, range_bits

__all__ = ["CROSSBAR_BLOCKS", "code_peak", "conversion_cycles"]

WIRE, GATE, REGISTER = 0.887, 1.7, 1.14
"""Loads of a net: wire to one more sink, a gate's input, a flip-flop's input [fF]."""


def conversion_cycles(p: Parameters):
    """Cycles of a conversion: AP of a sar, 1 of a flash."""
    return np.where(p["is_sar"] > 0, p["adc_bits"], 1)


def code_peak(rows, adc_bits, adc_shift):
    """Largest value of a readout, as :func:`kakure.model.config.geometry.code_peak`."""
    half = (np.int64(1) << adc_shift) >> 1
    return np.minimum((rows + half) >> adc_shift, (np.int64(1) << adc_bits) - 1) << adc_shift


def _popcount(p: Parameters) -> Counts:
    cap = np.where(p["cap_bits"] < bits(p["lanes"]), p["cap_bits"], 0)
    parts = popcount_tree()[p["lanes"], cap].astype(np.float64)
    full, half, flags = parts[..., 0], parts[..., 1], parts[..., 2]
    zero = np.zeros_like(full)
    is_or, is_narrow = cap == 1, cap == 2  # their adders shrink to a few gates
    is_wide = ~is_or & ~is_narrow
    return Counts(
        zero,
        zero,
        {
            "lane_of_or": np.where(is_or, p["lanes"] - 1.0, 0.0),
            "lane_of_wide_or": np.where(is_or, np.maximum(p["lanes"] - 16.0, 0.0), 0.0),
            "narrow_adder": np.where(is_narrow, full + half, 0.0),
            "full_adder": np.where(is_wide, full, 0.0),
            "half_adder": np.where(is_wide, half, 0.0),
            "flag": np.where(is_wide, flags, 0.0),
            "saturation": np.where(is_wide & (flags > 0), cap, 0.0),
        },
    )


def _readout(p: Parameters) -> Counts:
    conversion = conversion_cycles(p)
    lanes = -(-p["rows"] // conversion)
    cap = p["adc_bits"] + p["adc_shift"]
    is_serial = conversion > 1
    so_far = np.minimum(cap, bits(p["rows"]))
    counted = np.minimum(cap, bits(lanes))
    width = np.where(is_serial, so_far, counted)
    serial = np.where(is_serial, so_far, 0).astype(np.float64)
    has_shift = p["adc_shift"] > 0
    return Counts(
        serial,
        gated(serial),
        {
            "sum_bit": serial,
            "adder": np.where(is_serial, counted, 0.0),
            "enable": serial * (1 - gated(serial)),
            "rounding": np.where(has_shift, width, 0.0),
            "code_bit": np.where(has_shift, p["adc_bits"], 0.0),
        },
    )


def _tile(p: Parameters) -> Counts:
    conversion = conversion_cycles(p)
    lanes = -(-p["rows"] // conversion)
    rows, columns, sharing = p["rows"], p["columns"], p["sharing"]
    peak = code_peak(rows, p["adc_bits"], p["adc_shift"])
    width = bits(peak * ((np.int64(1) << p["input_bits"]) - 1)) + 1 - p["adc_shift"]
    code = np.minimum(p["adc_bits"], width)  # the tile cannot know that a code is never as wide
    readouts = columns // sharing
    cells = 2.0 * rows * columns
    turns = (
        np.where(conversion > 1, conversion, 0)
        + np.where(sharing > 1, sharing, 0)
        + np.where(p["input_bits"] > 1, p["input_bits"], 0)
    )
    sums = 1.0 * columns * width
    flops = cells + turns + 1.0 + sums
    gates = p["write_groups"] * gated(cells / np.maximum(p["write_groups"], 1)) + gated(sums)
    choices = sharing * conversion
    seen = 2.0 * readouts * lanes
    return Counts(
        flops,
        gates,
        {
            "plain_cell": np.where(choices > 1, 0.0, cells),
            "selected_cell": np.where(choices > 1, cells, 0.0),
            "seen_cell": np.where(choices > 1, seen, 0.0),
            "input_bit": 1.0 * rows * p["input_bits"],
            "select": 1.0 * choices,
            "accumulated_bit": np.where(p["input_bits"] > 1, 1.0 * readouts * width, 0.0),
            "code_bit": 1.0 * readouts * code,
            "one": np.ones_like(flops),
        },
    )


def _grid(p: Parameters) -> Counts:
    groups, outputs = p["groups"], p["outputs"]
    width, rest = p["sum_bits"], p["rest_bits"]
    adders = (groups - 1) * (width - 1) + adder_levels()[groups] - (width - rest) * (groups > 1)
    tiles = p["tile_columns"]
    zero = np.zeros(np.shape(groups), np.float64)
    words = np.minimum(outputs, 32)
    word_sinks = 1.0 * groups * -(-outputs // 32)
    window = 1.0 * p["fan_in"] * p["input_bits"]
    return Counts(
        zero,
        zero,
        {
            "adder_bit": 1.0 * outputs * adders,
            "adder": 1.0 * outputs * (groups - 1),
            "carry": 1.0 * outputs * adders * np.log2(np.maximum(width, 2)),
            "group": 1.0 * np.where(groups > 1, groups, 0),
            "group_bit": 1.0 * groups * range_bits(p["fan_in"]),
            "buffer": window * buffers(tiles * (GATE + WIRE))
            + 2 * words * buffers(word_sinks * (REGISTER + WIRE))
            + 2 * buffers(groups * tiles * 3 * (GATE + WIRE)),
            "one": zero + 1,
        },
    )


def _engine(p: Parameters) -> Counts:
    copies = p["copies"]
    is_many = copies > 1
    window = 1.0 * p["fan_in"] * p["input_bits"]
    sums = 1.0 * p["outputs"] * p["total_bits"]
    registers = np.where(is_many, copies * (window + 1) + 2 * range_bits(copies), 0.0)
    return Counts(
        registers,
        np.where(is_many, copies * gated(window), 0.0),
        {
            "copy": np.where(is_many, copies, 0.0),
            "gathered": np.where(is_many, copies * sums, 0.0),
            "sum_bit": np.where(is_many, sums, 0.0),
            "held": np.where(is_many, copies * window * (1 - gated(window)), 0.0),
            "window": np.where(is_many, window, 0.0),
        },
    )


CROSSBAR_BLOCKS = (
    Block("popcount", ("lanes", "cap_bits"), _popcount),
    Block("readout", ("rows", "is_sar", "adc_bits", "adc_shift"), _readout),
    Block(
        "crossbar_tile",
        (
            "rows",
            "columns",
            "sharing",
            "is_sar",
            "adc_bits",
            "adc_shift",
            "input_bits",
            "write_groups",
        ),
        _tile,
        frozenset({"columns", "write_groups"}),
        small_um2=1000.0,
    ),
    Block(
        "crossbar_grid",
        (
            "groups",
            "outputs",
            "sum_bits",
            "rest_bits",
            "tile_columns",
            "fan_in",
            "input_bits",
        ),
        _grid,
        frozenset({"outputs", "fan_in", "tile_columns", "groups"}),
    ),
    Block(
        "crossbar_engine",
        ("copies", "fan_in", "input_bits", "outputs", "total_bits"),
        _engine,
        frozenset({"fan_in", "outputs", "copies"}),
    ),
)
