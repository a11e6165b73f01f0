"""Sizes of single blocks, drawn: what each is built with."""

from collections.abc import Callable, Mapping
from typing import Any

from kakure.hdl.engines.crossbar.grid_shape import LEAST_WORDS

from .draw import Draw, divisors, spread

__all__ = ["BLOCKS", "large_tile", "with_shortcut"]


def _peak(draw: Draw, low: int = 3, high: int = 18) -> int:
    """A peak whose values have ``low`` to ``high`` bits, sign included."""
    bits = draw("sum_bits", range(low, high + 1))
    return round((1 << (bits - 2)) * draw("peak", [1.1, 1.5, 1.9]))


def _popcount(draw: Draw) -> dict[str, Any]:
    return {
        "lanes": draw("lanes", spread(2, 128)),
        "cap_bits": draw("cap_bits", [None, None, 1, 2, 3, 4, 5, 6, 7]),
    }


def _readout(draw: Draw) -> dict[str, Any]:
    return {
        "rows": draw("rows", spread(4, 128)),
        "adc_type": draw("adc_type", ["flash", "sar"]),
        "adc_bits": draw("adc_bits", range(1, 9)),
        "adc_shift": draw("adc_shift", [0, 1, 2, 3]),
    }


def _tile(draw: Draw) -> dict[str, Any]:
    columns = draw("columns", [4, 8, 10, 16, 24, 32, 64])
    rows = draw("rows", spread(4, 128))
    return {
        "rows": max(4, min(rows, 1536 // columns)),
        "columns": columns,
        "sharing": draw("sharing", divisors(columns, 32)),
        "adc_type": draw("adc_type", ["flash", "sar"]),
        "adc_bits": draw("adc_bits", range(1, 9)),
        "input_bits": draw("input_bits", range(1, 9)),
        "adc_shift": draw("adc_shift", [0, 0, 0, 0, 1, 2]),
    }


def _memory_tile(draw: Draw) -> dict[str, Any]:
    """A tile of as many words as a memory must have, or more."""
    adc_type = draw("adc_type", ["sar", "sar", "flash"])
    adc_bits = draw("adc_bits", range(2, 9))
    parts = adc_bits if adc_type == "sar" else 1
    sharing = draw("sharing", [n for n in (4, 8, 16, 32, 64) if n * parts >= LEAST_WORDS])
    columns = sharing * draw("readouts", [1, 2, 3, 4, 8])
    while columns > 128:
        columns -= sharing
    groups = min(draw("groups", [1, 1, 1, 2, 3]), columns // 4)
    return {
        "rows": draw("rows", spread(8, 128)),
        "columns": columns,
        "sharing": sharing,
        "adc_type": adc_type,
        "adc_bits": adc_bits,
        "input_bits": draw("input_bits", range(1, 9)),
        "adc_shift": draw("adc_shift", [0, 0, 0, 0, 1, 2]),
        "write_groups": [columns - 2 * (groups - 1), *[2] * (groups - 1)],
    }


def large_tile(draw: Draw) -> dict[str, Any]:
    """A tile of many rows, whose path may set the clock of a whole accelerator."""
    columns = draw("columns", [8, 10, 12, 14, 16, 20, 24])
    return {
        "rows": draw("rows", range(64, 129)),
        "columns": columns,
        "sharing": draw("sharing", divisors(columns, 16)[1:]),
        "adc_type": draw("adc_type", ["sar", "sar", "flash"]),
        "adc_bits": draw("adc_bits", range(3, 9)),
        "input_bits": draw("input_bits", range(2, 9)),
        "adc_shift": draw("adc_shift", [0, 1, 1, 2]),
    }


def _pe_array(draw: Draw) -> dict[str, Any]:
    return {
        "inputs": draw("inputs", spread(2, 64)),
        "outputs": draw("outputs", [1, 2, 4, 8, 10, 16]),
        "pixels": draw("pixels", [1, 2, 4, 8, 16]),
        "input_bits": draw("input_bits", range(1, 9)),
        "kind": "hidden",
        "peak": _peak(draw, 6),
        "banks": draw("banks", [1, 1, 1, 2, 3, 4]),
    }


def _sliding_window(draw: Draw) -> dict[str, Any]:
    is_linear = draw("is_linear", [False, False, False, True])
    side = draw("side", [2, 4, 5, 8, 14, 28, 32])
    channels = draw("channels", spread(1, 48))
    side = min(side, 4) if is_linear else max(side, 3)
    kernel = side if is_linear else draw("kernel", [1, 2, 3, 3, 3, 5])
    return {
        "height": side,
        "width": side,
        "channels": channels,
        "bits": draw("bits", range(1, 9)),
        "kernel_height": min(kernel, side),
        "kernel_width": min(kernel, side),
        "padding": 0 if is_linear else draw("padding", [0, (kernel - 1) // 2, (kernel - 1) // 2]),
    }


def _strided_window(draw: Draw) -> dict[str, Any]:
    side = draw("side", [3, 4, 5, 7, 8, 14, 16, 28, 32])
    kernel = min(side, draw("kernel", [1, 1, 2, 3, 3, 3, 5]))
    channels = draw("channels", spread(1, 48))
    return {
        "height": side,
        "width": side,
        "channels": max(1, min(channels, 400 // kernel**2)),
        "bits": draw("bits", range(1, 9)),
        "kernel_height": kernel,
        "kernel_width": kernel,
        "padding": draw("padding", [0, (kernel - 1) // 2, (kernel - 1) // 2]),
        "stride": 2,
    }


def _sum_pool(draw: Draw) -> dict[str, Any]:
    positions, bits = (
        draw("positions", [1, 4, 9, 16, 16, 49, 64, 64, 256]),
        draw("bits", range(1, 9)),
    )
    output_bits = draw("output_bits", range(1, 9))
    least = max(0, (positions * ((1 << bits) - 1)).bit_length() - output_bits)
    return {
        "positions": positions,
        "channels": draw("channels", spread(2, 64)),
        "bits": bits,
        "shift": draw("shift", [least, least, least, max(0, least - 1), max(0, least - 2), 0]),
        "output_bits": output_bits,
    }


def _max_pool(draw: Draw) -> dict[str, Any]:
    size = draw("size", [2, 2, 2, 3, 4])
    side = size * draw("blocks", [1, 2, 4, 7, 14, 16]) + draw("rest", [0, 0, 1])
    return {
        "height": side,
        "width": side,
        "channels": draw("channels", spread(2, 64)),
        "peak": _peak(draw),
        "size": size,
    }


def _requantizer(draw: Draw) -> dict[str, Any]:
    channels = draw("channels", [2, 5, 8, 10, 16, 24, 32, 48, 64])
    lanes = 1 << draw("lanes", range(4))
    return {
        "channels": channels,
        "lanes": min(lanes, channels),
        "peak": _peak(draw),
        "output_bits": draw("output_bits", [None, 1, 2, 3, 4, 5, 6, 8]),
    }


def _shortcut(draw: Draw) -> dict[str, Any]:
    channels = draw("channels", spread(1, 64))
    depth = draw("depth", [1, 1, 2, 4, 6, 8, 16])
    return {
        "depth": depth,
        "channels": min(channels, max(1, 512 // depth)),
        "bits": draw("bits", range(1, 9)),
    }


def with_shortcut(draw: Draw) -> dict[str, Any]:
    """A requantizer that adds what comes over a shortcut."""
    values = _requantizer(draw)
    values["output_bits"] = draw("output_bits", range(1, 9))
    values["shortcut_bits"] = draw("shortcut_bits", range(1, values["output_bits"] + 1))
    return values


def _ram(draw: Draw) -> dict[str, Any]:
    depth = draw("depth", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 31])
    return {"depth": depth, "width": min(draw("width", spread(1, 256)), 2400 // depth)}


def _weight_generator(draw: Draw) -> dict[str, Any]:
    count = draw("layers", range(1, 9))
    channels = [1, 3, 8, 16, 32, 64, 128, 256]
    windows = [1, 4, 9, 9, 25, 49]
    outputs = [8, 10, 32, 48, 64, 100, 128, 256]
    return {
        "generator": draw("generator", ["xorshift32", "xorshift32", "xorshift16"]),
        "seed": draw("seed", [0, 1, 12345]),
        "layers": [
            [
                draw(f"channels_{n}", channels),
                draw(f"window_{n}", windows),
                draw(f"outputs_{n}", outputs),
            ]
            for n in range(count)
        ],
    }


def _result_sender(draw: Draw) -> dict[str, Any]:
    return {"classes": draw("classes", [1, 2, 4, 10, 10, 16, 32])}


def _pixel_unpacker(draw: Draw) -> dict[str, Any]:
    return {
        "pixels": draw("pixels", [16, 64, 784, 1024]),
        "channels": draw("channels", [1, 1, 2, 3, 4]),
        "bits": draw("bits", range(1, 9)),
    }


def _frame_gate(draw: Draw) -> dict[str, Any]:
    return {"image_words": draw("image_words", [4, 16, 196, 768, 1000])}


BLOCKS: Mapping[str, Callable[[Draw], dict[str, Any]]] = {
    "popcount": _popcount,
    "crossbar_tile": _tile,
    "memory_tile": _memory_tile,
    "readout": _readout,
    "requantizer": _requantizer,
    "pe_array": _pe_array,
    "shortcut": _shortcut,
    "sliding_window": _sliding_window,
    "strided_window": _strided_window,
    "sum_pool": _sum_pool,
    "max_pool": _max_pool,
    "ram": _ram,
    "weight_generator": _weight_generator,
    "result_sender": _result_sender,
    "pixel_unpacker": _pixel_unpacker,
    "frame_gate": _frame_gate,
}
"""How the sizes of each block are drawn."""
