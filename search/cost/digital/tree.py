"""The instance tree of an accelerator in closed form: which blocks, with which parameters.

What ``hdl`` elaborates, without elaborating it: the same rules on arrays of layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.search.cost.metrics import ADC_TYPES, ENGINES, LayerBatch

from .block import Parameters
from .counting import range_bits, signed_bits
from .crossbar_blocks import code_peak
from .stream_blocks import scale_bits

__all__ = ["Part", "layer_parts", "pick", "requantizer_lanes", "shared_parts"]

Ints = NDArray[Any]
WORD = 32
MAX_TOKEN = 5
FIRST_WORD = {"xorshift32": 4, "xorshift16": 2}
"""Cycles before a sign generator's first word, :data:`.LATENCY`."""


@dataclass(frozen=True)
class Part:
    """Blocks of one kind: for each layer of ``where``, ``count`` of them with ``parameters``."""

    kind: str
    parameters: Parameters
    count: Ints
    where: Ints


def pick(batch: LayerBatch, where: Ints) -> LayerBatch:
    """Some layers of a batch."""
    return LayerBatch(*(getattr(batch, field.name)[where] for field in fields(batch)))


def _ceil(a: Ints, b: Ints | int) -> Ints:
    return -(-a // b)


@dataclass(frozen=True)
class _Pe:
    """A PE array's schedule, :class:`.PeSchedule` for arrays of layers."""

    inputs: Ints
    outputs: Ints
    pixels: Ints
    banks: Ints
    words_per_row: Ints
    chunk_rows: Ints
    chunk_blocks: Ints
    blocks: Ints
    positions: Ints
    work_cycles: Ints


def pe_schedule(batch: LayerBatch, generator: str) -> _Pe:
    """The schedules of layers on PE arrays."""
    window = batch.kernel_height * batch.kernel_width
    fan_in = batch.in_channels * window
    positions = batch.out_height * batch.out_width
    inputs = np.minimum(batch.pe_inputs, fan_in)
    outputs = np.minimum(batch.pe_outputs, batch.outputs)
    pixels = np.minimum(batch.pe_pixels, positions)
    banks = _ceil(batch.outputs, outputs)
    words = _ceil(batch.outputs, WORD)
    chunk_rows = inputs
    if generator == "xorshift16":
        whole = np.minimum(window * np.maximum(1, inputs // window), fan_in)
        chunk_rows = np.where(words == 1, inputs, whole)
    full, rest = fan_in // chunk_rows, fan_in % chunk_rows
    chunk_blocks = _ceil(chunk_rows, inputs)
    blocks = full * chunk_blocks + _ceil(rest, inputs)
    work = FIRST_WORD[generator] + fan_in * words + blocks * banks * batch.input_bits
    return _Pe(
        inputs, outputs, pixels, banks, words, chunk_rows, chunk_blocks, blocks, positions, work
    )


def grid_cycles(batch: LayerBatch) -> Ints:
    """Cycles of a vector in crossbar tiles, :func:`.grid_cycles`."""
    conversion = np.where(batch.adc_type == ADC_TYPES.index("sar"), batch.adc_bits, 1)
    return batch.input_bits * batch.column_sharing * conversion


def requantizer_lanes(batch: LayerBatch, generator: str) -> Ints:
    """Multipliers of each layer, :func:`.requantizer_lanes`."""
    pe = pe_schedule(batch, generator)
    batch_cycles = pe.pixels * (pe.blocks + 1) + pe.work_cycles - 1
    cycles = np.where(
        batch.engine == ENGINES.index("crossbar"),
        grid_cycles(batch) / batch.copies,
        batch_cycles / pe.pixels,
    )
    budget = np.maximum(1, (cycles * batch.pool**2).astype(np.int64))
    lanes = np.int64(1) << range_bits(_ceil(batch.outputs, budget))
    return np.minimum(lanes, batch.outputs)


def shortcut_depth(batch: LayerBatch, generator: str) -> Ints:
    """Places of each layer's shortcut, :func:`kakure.hdl.stages.shortcut.shortcut_depth`."""
    is_crossbar = batch.engine == ENGINES.index("crossbar")
    held = np.where(batch.copies == 1, 1, 2 * batch.copies)
    return np.where(is_crossbar, held, pe_schedule(batch, generator).pixels)


def layer_parts(batch: LayerBatch, generator: str) -> Iterator[Part]:
    """All blocks of each layer: the tree below :class:`.Layer`, itself included."""
    everywhere = np.arange(len(batch))
    crossbar = np.flatnonzero(batch.engine == ENGINES.index("crossbar"))
    pe_array = np.flatnonzero(batch.engine == ENGINES.index("pe_array"))
    peak = np.zeros(len(batch), np.int64)
    if len(crossbar):
        chosen = pick(batch, crossbar)
        peak[crossbar] = _crossbar_peak(chosen)
        yield from _crossbar_parts(chosen, crossbar, peak[crossbar])
    if len(pe_array):
        chosen = pick(batch, pe_array)
        fan_in = chosen.in_channels * chosen.kernel_height * chosen.kernel_width
        peak[pe_array] = fan_in * ((np.int64(1) << chosen.input_bits) - 1)
        yield from _pe_parts(chosen, pe_array, peak[pe_array], generator)
    yield from _stream_parts(batch, everywhere, signed_bits(peak), generator)


def _crossbar_peak(batch: LayerBatch) -> Ints:
    fan_in = batch.in_channels * batch.kernel_height * batch.kernel_width
    full, rest = fan_in // batch.rows, fan_in % batch.rows
    codes = full * code_peak(batch.rows, batch.adc_bits, batch.adc_shift)
    codes += code_peak(rest, batch.adc_bits, batch.adc_shift) * (rest > 0)
    return codes * ((np.int64(1) << batch.input_bits) - 1)


def _crossbar_parts(batch: LayerBatch, where: Ints, peak: Ints) -> Iterator[Part]:
    fan_in = batch.in_channels * batch.kernel_height * batch.kernel_width
    full, rest = fan_in // batch.rows, fan_in % batch.rows
    rest = rest * (code_peak(rest, batch.adc_bits, batch.adc_shift) > 0)  # else it reads nothing
    wide, left = batch.outputs // batch.columns, batch.outputs % batch.columns
    trimmed = _ceil(left, batch.column_sharing) * batch.column_sharing
    is_sar = (batch.adc_type == ADC_TYPES.index("sar")).astype(np.int64)
    conversion = np.where(is_sar, batch.adc_bits, 1)
    scale = (np.int64(1) << batch.input_bits) - 1
    readout = {"is_sar": is_sar, "adc_bits": batch.adc_bits, "adc_shift": batch.adc_shift}

    # A tile's columns are written in as many groups as words of 32 outputs they lie in.
    edge = wide * batch.columns
    inner = (edge - 1) // WORD - (edge - 1) // np.lcm(batch.columns, WORD)
    wide_groups = 1 + np.where(wide > 0, inner, 0) / np.maximum(wide, 1)
    left_groups = (batch.outputs - 1) // WORD - edge // WORD + 1

    readouts = 2 * (wide * batch.columns + trimmed) // batch.column_sharing
    for rows, groups in ((batch.rows, full), (np.maximum(rest, 1), (rest > 0).astype(np.int64))):
        for columns, tiles, write_groups in (
            (batch.columns, wide, wide_groups),
            (np.maximum(trimmed, batch.column_sharing), (left > 0).astype(np.int64), left_groups),
        ):
            tile = {
                "rows": rows,
                "columns": columns,
                "sharing": batch.column_sharing,
                "input_bits": batch.input_bits,
                "write_groups": write_groups,
                **readout,
            }
            yield Part("crossbar_tile", tile, groups * tiles * batch.copies, where)
        count = groups * readouts * batch.copies
        yield Part("readout", {"rows": rows, **readout}, count, where)
        popcount = {
            "lanes": _ceil(rows, conversion),
            "cap_bits": batch.adc_bits + batch.adc_shift,
        }
        yield Part("popcount", popcount, count, where)

    full_bits = signed_bits(code_peak(batch.rows, batch.adc_bits, batch.adc_shift) * scale)
    rest_bits = signed_bits(code_peak(rest, batch.adc_bits, batch.adc_shift) * scale)
    grid = {
        "groups": full + (rest > 0),
        "outputs": batch.outputs,
        "sum_bits": np.where(full > 0, full_bits, rest_bits),
        "rest_bits": np.where(rest > 0, rest_bits, full_bits),
        "tile_columns": wide + (left > 0),
        "fan_in": fan_in,
        "input_bits": batch.input_bits,
    }
    yield Part("crossbar_grid", grid, batch.copies, where)
    engine = {
        "copies": batch.copies,
        "fan_in": fan_in,
        "input_bits": batch.input_bits,
        "outputs": batch.outputs,
        "total_bits": signed_bits(peak),
    }
    yield Part("crossbar_engine", engine, np.ones_like(where), where)


def _pe_parts(batch: LayerBatch, where: Ints, peak: Ints, generator: str) -> Iterator[Part]:
    one = np.ones_like(where)
    fan_in = batch.in_channels * batch.kernel_height * batch.kernel_width
    pe = pe_schedule(batch, generator)
    size = {
        "inputs": pe.inputs,
        "outputs": pe.outputs,
        "pixels": pe.pixels,
        "banks": pe.banks,
        "input_bits": batch.input_bits,
        "sum_bits": signed_bits(peak),
    }
    engine = {
        **size,
        "blocks": pe.blocks,
        "chunk_rows": pe.chunk_rows,
        "chunk_blocks": pe.chunk_blocks,
        "words_per_row": pe.words_per_row,
        "channels": batch.outputs,
        "positions": pe.positions,
        "fan_in": fan_in,
    }
    yield Part("pe_engine", engine, one, where)
    yield Part("pe_array", size, one, where)
    yield Part("processing_element", size, pe.pixels * pe.outputs, where)
    counted = {"lanes": pe.inputs, "cap_bits": 0 * one}
    yield Part("popcount", counted, (pe.pixels + 1) * pe.outputs, where)
    yield Part("ram", {"depth": pe.blocks, "width": pe.inputs * batch.input_bits}, pe.pixels, where)
    mask = {"depth": fan_in * pe.words_per_row, "width": np.minimum(WORD, batch.outputs)}
    yield Part("ram", mask, one, where)
    signs = {
        "max_channels": batch.in_channels,
        "max_window": batch.kernel_height * batch.kernel_width,
        "max_blocks": pe.words_per_row,
        "windows": one,
    }
    yield from _sign_parts(signs, where, generator)


def _sign_parts(signs: dict[str, Ints], where: Ints, generator: str) -> Iterator[Part]:
    """A sign generator and what is below it."""
    one = np.ones_like(where)
    signs = {**signs, "one": one, "is_16": one * (generator == "xorshift16")}
    for kind in ("sign_generator", "weight_order", generator):
        yield Part(kind, signs, one, where)


def _stream_parts(batch: LayerBatch, where: Ints, sum_bits: Ints, generator: str) -> Iterator[Part]:
    one = np.ones_like(where)
    window = {
        "height": batch.in_height,
        "width": batch.in_width,
        "channels": batch.in_channels,
        "bits": batch.input_bits,
        "kernel_height": batch.kernel_height,
        "kernel_width": batch.kernel_width,
        "padding": batch.padding,
    }
    yield Part("sliding_window", window, one, where)
    padded = batch.in_width + 2 * batch.padding
    has_lines = (batch.kernel_height > 1) & (batch.kernel_width != padded)
    lines = (batch.kernel_height - 1) * batch.in_channels * batch.input_bits
    yield Part("ram", {"depth": padded, "width": np.maximum(lines, 1)}, one * has_lines, where)

    pooled = batch.out_width // batch.pool
    pool = {
        "height": batch.out_height,
        "width": batch.out_width,
        "channels": batch.outputs,
        "sum_bits": sum_bits,
        "size": np.maximum(batch.pool, 2),
    }
    has_pool = batch.pool > 1
    yield Part("max_pool", pool, one * has_pool, where)
    partial = {"depth": np.maximum(pooled, 1), "width": batch.outputs * sum_bits}
    yield Part("ram", partial, one * (has_pool & (pooled > 1)), where)

    added = batch.residual * np.minimum(batch.input_bits, batch.output_bits)
    residual = np.flatnonzero(added)
    if len(residual):
        chosen = pick(batch, residual)
        held, width = shortcut_depth(chosen, generator), added[residual]
        shortcut = {"depth": held, "channels": chosen.outputs, "bits": width}
        yield Part("shortcut", shortcut, np.ones_like(residual), where[residual])
        queue = {"depth": held, "width": chosen.outputs * width}
        yield Part("ram", queue, (held > 1).astype(np.int64), where[residual])

    lanes = requantizer_lanes(batch, generator)
    chunks = _ceil(batch.outputs, lanes)
    requantizer = {
        "channels": batch.outputs,
        "lanes": lanes,
        "chunks": chunks,
        "sum_bits": sum_bits,
        "output_bits": batch.output_bits,
        "shortcut_bits": added,
    }
    yield Part("requantizer", requantizer, one, where)
    yield Part("requantizer_lane", requantizer, lanes, where)
    scales = {"depth": chunks, "width": scale_bits(batch.output_bits)}
    yield Part("ram", scales, lanes * (chunks > 1), where)
    yield Part("layer", {"one": one}, one, where)


def generator_parts(generator: str, layers: list[tuple[int, int, int]]) -> Iterator[Part]:
    """The weight generator of ``layers`` (channels, window, outputs) and what is below it."""
    where = np.zeros(1, np.int64)
    one = np.ones(1, np.int64)
    blocks = max(-(-outputs // WORD) for _, _, outputs in layers)
    weights = max(channels * window * outputs for channels, window, outputs in layers)
    sizes = {
        "layers": one * len(layers),
        "max_rows": one * max(channels * window for channels, window, _ in layers),
        "max_blocks": one * blocks,
        "max_outputs": one * max(outputs for _, _, outputs in layers),
        "max_mask_words": one * -(-MAX_TOKEN * weights // WORD),
        "one": one,
    }
    for kind in ("weight_generator", "image_reader", "crc32"):
        yield Part(kind, sizes, one, where)
    for kind in ("masked_signs", "mask_decoder", "bit_reader"):
        yield Part(kind, sizes, one, where)
    signs = {
        "max_channels": one * max(channels for channels, _, _ in layers),
        "max_window": one * max(window for _, window, _ in layers),
        "max_blocks": one * blocks,
        "windows": one * len({window for _, window, _ in layers}),
    }
    yield from _sign_parts(signs, where, generator)


def shared_parts(config: Config) -> Iterator[Part]:
    """What an accelerator has once: all but its layers."""
    assert isinstance(config.weights, HiddenWeights)
    where = np.zeros(1, np.int64)
    one = np.ones(1, np.int64)
    height, width, channels = config.shape
    shared = {
        "one": one,
        "layers": one * len(config.layers),
        "image_words": one * -(-height * width * channels // 4),
        "pixels": one * height * width,
        "channels": one * channels,
        "bits": one * config.layers[0].input_bits,
        "classes": one * config.geometry[-1].outputs,
    }
    for kind in ("accelerator", "register_bank", "counters", "spatial_core"):
        yield Part(kind, shared, one, where)
    for kind in ("stream_register", "frame_gate", "pixel_unpacker", "result_sender"):
        yield Part(kind, shared, one, where)
    layers = [(g.in_channels, g.window, g.outputs) for g in config.geometry]
    yield from generator_parts(config.weights.generator, layers)
