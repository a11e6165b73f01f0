"""Counts of what there is once: weight generator, registers, frames, unpacker, sender, glue."""

from collections.abc import Callable

import numpy as np

from .block import Block, Counts, Parameters, gated
from .counting import bits, range_bits

__all__ = ["CONTROL_BLOCKS"]

WORD = 32


def _fixed(flops: int, gates: int) -> Callable[[Parameters], Counts]:
    """A block without parameters, of so many flip-flops and clock gates."""

    def count(p: Parameters) -> Counts:
        one = np.ones(np.shape(p["one"]))
        return Counts(flops * one, gates * one, {"one": one})

    return count


def _order_bits(p: Parameters):
    rows = p["max_channels"] * p["max_window"]
    return (
        1.0 * range_bits(p["max_channels"])
        + range_bits(p["max_window"])
        + range_bits(rows)
        + range_bits(p["max_blocks"])
    )


def _order(p: Parameters) -> Counts:
    flops = _order_bits(p)
    zero = np.zeros_like(flops)
    return Counts(
        flops,
        zero,
        {
            "counter_bit": flops,
            "row_bit": 1.0 * range_bits(p["max_channels"] * p["max_window"]) * p["is_16"],
            "one": zero + 1,
        },
    )


def _signs(p: Parameters) -> Counts:
    job = 1.0 * bits(p["max_channels"]) + bits(p["max_window"]) + bits(p["max_blocks"])
    job = job + 16 * p["is_16"]
    return Counts(
        job + 2,
        gated(job),
        {
            "job_bit": job * (1 - gated(job)),
            "channel_bit": 1.0 * range_bits(p["max_channels"]) * p["is_16"],
            "one": np.ones_like(job),
        },
    )


def _xorshift16(p: Parameters) -> Counts:
    one = np.ones(np.shape(p["windows"]))
    return Counts(
        16 * one,
        one,
        {
            "linear_map": 1.0 * p["windows"],
            "channel_bit": 1.0 * range_bits(p["max_channels"]),
            "one": one,
        },
    )


def _masked(p: Parameters) -> Counts:
    one = np.ones(np.shape(p["max_blocks"]))
    return Counts(0 * one, 0 * one, {"one": one})


def _reader(p: Parameters) -> Counts:
    left = 1.0 * bits(p["max_mask_words"])
    channel = 1.0 * range_bits(p["max_outputs"])
    layer = 1.0 * range_bits(p["layers"])
    return Counts(
        30.0 + left + channel + layer,
        1 + 0 * left,
        {"left_bit": left, "channel_bit": channel, "layer_bit": layer, "one": np.ones_like(left)},
    )


def _generator(p: Parameters) -> Counts:
    row, block = 1.0 * range_bits(p["max_rows"]), range_bits(p["max_blocks"])
    return Counts(
        65.0 + row + block,
        0 * row,
        {
            "layer": np.where(p["layers"] > 1, 1.0 * p["layers"], 0.0),
            "one": np.ones_like(row),
        },
    )


def _frame_gate(p: Parameters) -> Counts:
    many = p["image_words"] > 1  # an image of one word cannot be short
    word = 1.0 * range_bits(p["image_words"])
    return Counts(
        np.where(many, 59.0, 56.0) + word, 0 * word, {"word_bit": word, "one": np.ones_like(word)}
    )


def _unpacker(p: Parameters) -> Counts:
    counters = 2.0 + range_bits(p["channels"]) + range_bits(p["pixels"])
    held = 1.0 * (p["channels"] - 1) * p["bits"]
    return Counts(
        counters + held,
        gated(held),
        {
            "bit": 1.0 * p["bits"],
            "counter_bit": counters,
            "held_bit": held * (1 - gated(held)),
            "one": np.ones_like(held),
        },
    )


def _sender(p: Parameters) -> Counts:
    many = p["classes"] > 1
    index = 1.0 * range_bits(p["classes"])
    return Counts(
        1.0 + np.where(many, 2 * index + 32, 0.0),
        1.0 * many,
        {
            "class": np.where(many, 1.0 * p["classes"], 0.0),
            "index_bit": index,
            "many": 1.0 * many,
            "one": np.ones_like(index),
        },
    )


def _core(p: Parameters) -> Counts:
    layers = 1.0 * p["layers"]
    return Counts(0 * layers, 0 * layers, {"layer": layers, "one": np.ones_like(layers)})


ORDER = ("max_channels", "max_window", "max_blocks", "is_16")
READER = ("layers", "max_outputs", "max_mask_words")
GENERATOR = ("layers", "max_rows", "max_blocks")

CONTROL_BLOCKS = (
    Block("register_bank", ("one",), _fixed(52, 0)),
    Block("counters", ("one",), _fixed(166, 0)),
    Block("stream_register", ("one",), _fixed(34, 1)),
    Block("crc32", ("one",), _fixed(32, 0)),
    Block("bit_reader", ("one",), _fixed(38, 1)),
    Block("mask_decoder", ("one",), _fixed(44, 0)),
    Block("xorshift32", ("one",), _fixed(131, 3)),
    Block("accelerator", ("one",), _fixed(0, 0)),
    Block("layer", ("one",), _fixed(0, 0)),
    Block("weight_order", ORDER, _order, frozenset(ORDER)),
    Block("sign_generator", ORDER, _signs, frozenset(ORDER)),
    Block("xorshift16", ("windows", "max_channels"), _xorshift16, frozenset({"max_channels"})),
    Block("masked_signs", ("max_blocks",), _masked, frozenset({"max_blocks"})),
    Block("image_reader", READER, _reader, frozenset(READER)),
    Block("weight_generator", GENERATOR, _generator, frozenset(GENERATOR)),
    Block("frame_gate", ("image_words",), _frame_gate, frozenset({"image_words"})),
    Block(
        "pixel_unpacker",
        ("pixels", "channels", "bits"),
        _unpacker,
        frozenset({"pixels", "channels"}),
    ),
    Block("result_sender", ("classes",), _sender, frozenset({"classes"})),
    Block("spatial_core", ("layers",), _core, frozenset({"layers"})),
)
