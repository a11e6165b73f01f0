"""Counts of the PE array's blocks: element, array, engine."""

import numpy as np

from .block import Block, Counts, Parameters, gated
from .counting import bits, buffers, ram_load, range_bits

__all__ = ["PE_BLOCKS"]

WIRE, MUX_SELECT, MUX_DATA, ADDER, CONTROL = 0.887, 1.92, 0.95, 4.0, 6.0
"""Loads of a net: wire to one more sink, and inputs of an element and of a popcount [fF]."""


def _element(p: Parameters) -> Counts:
    inputs, width, banks = p["inputs"], p["sum_bits"], p["banks"]
    counted = bits(inputs)
    levels = range_bits(p["input_bits"])
    sums = 1.0 * width * banks
    gates = banks * gated(1.0 * width)
    return Counts(
        sums,
        gates,
        {
            "input": 1.0 * inputs,
            "count_bit": 1.0 * counted,
            "sum_bit": 1.0 * width,
            "carry": width * np.log2(width),
            "shifted_bit": 1.0 * (counted + 1) * levels,
            "shifted_range": np.minimum(counted + p["input_bits"], width) * (levels > 0),
            "bank_choice": 1.0 * width * (banks - 1),
            "bank": np.where(banks > 1, 1.0 * banks, 0.0),
            "held_bit": sums * (1 - gated(1.0 * width)),
            "one": np.ones_like(sums),
        },
    )


def _array(p: Parameters) -> Counts:
    inputs, outputs, pixels = p["inputs"], p["outputs"], p["pixels"]
    elements = pixels * outputs
    counted = bits(inputs)
    planes = range_bits(p["input_bits"])
    one = np.ones(np.shape(inputs))
    activations = pixels * inputs * buffers(outputs * (MUX_SELECT + WIRE))
    weights = (
        outputs
        * inputs
        * (buffers(pixels * (MUX_DATA + WIRE)) + buffers(pixels * (MUX_DATA + WIRE) + ADDER + WIRE))
    )
    excess = outputs * counted * buffers(pixels * (ADDER + WIRE))
    controls = planes + 2 + range_bits(p["banks"])
    return Counts(
        planes + one,
        0 * one,
        {
            "choice": 1.0 * pixels * inputs * (p["input_bits"] - 1),
            "chosen_bit": 1.0 * pixels * inputs * (planes > 0),
            "unevenness": 1.0 * pixels * inputs * ((1 << planes) - p["input_bits"]),
            "buffer": activations + weights + excess,
            "control_buffer": controls * buffers(elements * (CONTROL + WIRE)),
            "control": controls,
            "one": one,
        },
    )


def _engine(p: Parameters) -> Counts:
    inputs, outputs, pixels, banks = p["inputs"], p["outputs"], p["pixels"], p["banks"]
    rows, words = p["chunk_rows"], p["words_per_row"]
    blocks, chunk_blocks = p["blocks"], p["chunk_blocks"]
    channels, width = p["channels"], p["sum_bits"]
    mask_words = p["fan_in"] * words
    low_zeros = _trailing_zeros(rows)
    counters = (
        2.0 * range_bits(blocks)
        + 3 * range_bits(pixels)
        + range_bits(p["positions"]) * (pixels > 1)
        + 2 * range_bits(mask_words)
        + range_bits(rows * words)
        + np.maximum(np.minimum(range_bits(p["fan_in"]), range_bits(rows)) - low_zeros, 0)
        + (blocks > 1)
        + range_bits(banks)
        + range_bits(chunk_blocks)
        + 3
    )
    registers = 2.0 * rows * channels
    bits_in = 1.0 * p["fan_in"] * p["input_bits"]
    options = np.maximum(banks * chunk_blocks, 1)
    chosen = 2.0 * outputs * inputs
    # A row's weights of one word are written together, both polarities.
    tail = channels - 32 * (words - 1)
    has_gate = gated(2.0 * tail)
    return Counts(
        counters + registers,
        1.0 * rows * (words - 1 + has_gate),
        {
            "held_bit": 2.0 * rows * tail * (1 - has_gate),
            "stored_bit": np.where(blocks > 1, bits_in, 0.0),
            "stored_word": np.where(blocks > 1, 1.0 * inputs * p["input_bits"], 0.0),
            "block": np.where(blocks > 1, 1.0 * blocks, 0.0),
            "weight_option": np.where(options > 1, 2.0 * rows * channels, 0.0),
            "weight": np.where(options > 1, chosen, 0.0),
            "weight_register": registers,
            "mask_bit": 1.0 * np.minimum(channels, 32),
            "sent_bit": np.where(pixels > 1, 1.0 * pixels * channels * width, 0.0),
            "sum_bit": np.where(pixels > 1, 1.0 * channels * width, 0.0),
            "counter_bit": counters,
            "row": 1.0 * rows * words,
            "buffer": 1.0 * inputs * p["input_bits"] * buffers(pixels * ram_load(blocks)),
            "one": np.ones_like(counters),
        },
    )


def _trailing_zeros(number):
    """Low bits that are 0 in every multiple of a number."""
    return bits(number & -number) - 1


PE_BLOCKS = (
    Block(
        "processing_element",
        ("inputs", "input_bits", "sum_bits", "banks"),
        _element,
    ),
    Block(
        "pe_array",
        ("inputs", "outputs", "pixels", "input_bits", "banks"),
        _array,
        frozenset({"outputs", "pixels"}),
    ),
    Block(
        "pe_engine",
        (
            "inputs",
            "outputs",
            "pixels",
            "banks",
            "blocks",
            "chunk_rows",
            "chunk_blocks",
            "words_per_row",
            "channels",
            "positions",
            "fan_in",
            "input_bits",
            "sum_bits",
        ),
        _engine,
        frozenset({
            "outputs",
            "pixels",
            "banks",
            "blocks",
            "chunk_rows",
            "chunk_blocks",
            "words_per_row",
            "channels",
            "positions",
            "fan_in",
            "sum_bits",
        }),
    ),
)
