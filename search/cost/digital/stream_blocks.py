"""Counts of the blocks around an engine: window, pool, shortcut, requantizer, memory."""

import numpy as np

from .block import Block, Counts, Parameters, gated
from .counting import Ints, buffers, driven, ram_load, range_bits

__all__ = ["STREAM_BLOCKS", "scale_bits"]

OFFSET_BITS, MULTIPLIER_BITS, SHIFT_BITS = 32, 16, 5
WIRE, REGISTER = 0.887, 1.14
"""Loads of a net: wire to one more sink, a flip-flop's input [fF]."""


def _window(p: Parameters) -> Counts:
    size = p["channels"] * p["bits"]
    width = p["width"] + 2 * p["padding"]
    height = p["height"] + 2 * p["padding"]
    data = 1.0 * size * p["kernel_height"] * p["kernel_width"]
    has_y = (p["kernel_height"] > 1) | (p["padding"] > 0)
    has_x = (p["kernel_width"] > 1) | has_y  # a window of one pixel needs no position
    counters = 1.0 * has_x * range_bits(width) + has_y * range_bits(height)
    has_lines = (p["kernel_height"] > 1) & (p["kernel_width"] != width)
    lines = np.where(has_lines, 1.0 * (p["kernel_height"] - 1) * size, 0.0)
    return Counts(
        data + counters + 1,
        gated(data),
        {
            "padded_bit": np.where(p["padding"] > 0, 1.0 * size, 0.0),
            "held_bit": data * (1 - gated(data)),
            "counter_bit": counters,
            "line_buffer": lines * buffers(ram_load(width)),
            "one": 1.0 * has_x,
        },
    )


def _pool(p: Parameters) -> Counts:
    size = p["size"]
    data = 1.0 * p["channels"] * p["sum_bits"]
    blocks = p["width"] // size
    column = range_bits(-(-p["width"] // size))
    row = np.where(p["height"] % size > 0, range_bits(-(-p["height"] // size)), 0)
    counters = column + row + 2.0 * range_bits(size)
    is_alone = blocks == 1  # a lone block's maximum is kept by an enable of its own
    waits = np.where(is_alone, 0.0, data)
    has_gates = np.where(is_alone, gated(1.0 * p["sum_bits"]), gated(data))
    return Counts(
        data + counters + 1,
        has_gates * np.where(is_alone, p["channels"], 1),
        {
            "compared_bit": data,
            "carry": data * np.log2(p["sum_bits"]),
            "kept_bit": waits,
            "held_bit": data * (1 - has_gates),
            "counter_bit": counters,
            "line_buffer": waits * buffers(ram_load(blocks)),
            "one": np.ones_like(data),
        },
    )


def _shortcut(p: Parameters) -> Counts:
    data = 1.0 * p["channels"] * p["bits"]
    is_alone = p["depth"] == 1
    held = np.where(is_alone, data, 0.0)
    counters = 2.0 * range_bits(p["depth"])
    return Counts(
        held + counters,
        gated(held),
        {
            "held_bit": held * (1 - gated(held)),
            "counter_bit": counters,
            "queue_buffer": np.where(is_alone, 0.0, data * buffers(ram_load(p["depth"]))),
            "queue": 1.0 * ~is_alone,
        },
    )


def scale_bits(output_bits: Ints) -> Ints:
    """Bits of the scale that a lane keeps for a channel: M, B, and S but for logits."""
    return MULTIPLIER_BITS + OFFSET_BITS + np.where(output_bits > 0, SHIFT_BITS, 0)


def _requantizer(p: Parameters) -> Counts:
    chunks = -(-p["channels"] // p["lanes"])
    is_serial = chunks > 1
    bits_out = np.where(p["output_bits"] > 0, p["output_bits"], OFFSET_BITS)
    outputs = 1.0 * chunks * p["lanes"] * bits_out
    counter = 1.0 * range_bits(chunks)
    taken = p["sum_bits"] + p["shortcut_bits"]
    scale_load = np.where(is_serial, driven(ram_load(chunks)), REGISTER)
    return Counts(
        outputs + counter + 5,
        gated(outputs),
        {
            "chosen_bit": np.where(is_serial, 1.0 * p["channels"] * taken, 0.0),
            "choice_bit": np.where(is_serial, 1.0 * p["lanes"] * taken, 0.0),
            "chunk": np.where(is_serial, 1.0 * chunks, 0.0),
            "lane": 1.0 * p["lanes"],
            "scale_buffer": scale_bits(p["output_bits"])
            * buffers(p["lanes"] * (scale_load + WIRE)),
            "held_bit": outputs * (1 - gated(outputs)),
            "one": np.ones_like(outputs),
        },
    )


def _lane(p: Parameters) -> Counts:
    width = p["sum_bits"]
    is_logit = p["output_bits"] == 0
    product = np.where(is_logit, np.minimum(width + 15, OFFSET_BITS), width + 15)
    scale = scale_bits(p["output_bits"])
    scales = np.where(p["chunks"] == 1, scale, scale - MULTIPLIER_BITS)
    added = p["shortcut_bits"]
    flops = 1.0 * width + product + scales + 2.0 * added
    taken = width + added
    return Counts(
        flops,
        1.0 + gated(taken) + (p["chunks"] == 1),
        {
            "held_bit": taken * (1 - gated(taken)),
            "multiplier_bit": 1.0 * width,
            "multiplier": 1.0 * (width > 3),  # a smaller one is a few gates
            "shifter": 1.0 * ~is_logit,
            "wide_bit": np.where(is_logit, 0.0, np.maximum(product - OFFSET_BITS, 0)),
            "output_bit": np.where(is_logit, 0.0, 1.0 * p["output_bits"]),
            "added_bit": 1.0 * added,
            "cut_bit": np.where(added > 0, 1.0 * p["output_bits"], 0.0),
            "scale_buffer": scale * buffers(np.where(p["chunks"] > 1, ram_load(p["chunks"]), 0)),
            "one": np.ones_like(flops),
        },
    )


def _ram(p: Parameters) -> Counts:
    depth, width = p["depth"], p["width"]
    has_gates = gated(1.0 * width)
    cells = 1.0 * depth * width
    return Counts(
        cells + width,
        np.where(depth > 1, depth + 1.0, 1.0) * has_gates,
        {
            "lone_bit": np.where(depth > 1, 0.0, 1.0 * width),
            "cell": np.where(depth > 1, cells, 0.0),
            "bit": 1.0 * width,
            "chosen_bit": np.where(depth > 1, 1.0 * width, 0.0),
            "unevenness": 1.0 * width * ((1 << range_bits(depth)) - depth),
            "held_bit": (cells + width) * (1 - has_gates),
            "word": 1.0 * depth,
            "one": np.ones_like(cells),
        },
    )


STREAM_BLOCKS = (
    Block(
        "sliding_window",
        ("height", "width", "channels", "bits", "kernel_height", "kernel_width", "padding"),
        _window,
        frozenset({"channels", "kernel_height", "kernel_width", "height", "width", "padding"}),
    ),
    Block(
        "max_pool",
        ("height", "width", "channels", "sum_bits", "size"),
        _pool,
        frozenset({"channels", "height", "width"}),
    ),
    Block(
        "requantizer",
        ("channels", "lanes", "sum_bits", "output_bits", "shortcut_bits"),
        _requantizer,
        frozenset({"channels", "lanes", "shortcut_bits"}),
    ),
    Block(
        "requantizer_lane",
        ("chunks", "sum_bits", "output_bits", "shortcut_bits"),
        _lane,
        frozenset({"chunks", "shortcut_bits"}),
    ),
    Block("shortcut", ("depth", "channels", "bits"), _shortcut, frozenset({"depth", "channels"})),
    Block("ram", ("depth", "width"), _ram, frozenset({"width"})),
)
