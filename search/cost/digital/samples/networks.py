"""Configurations, drawn: engines within their first layer, and whole small accelerators."""

from collections.abc import Callable, Mapping
from typing import Any

from .draw import Draw, divisors, spread
from .temporal import temporal_chip

__all__ = ["NETWORKS", "chain", "residual", "wide_grid"]


def _crossbar_engine(draw: Draw) -> dict[str, Any]:
    """One layer of small tiles: it is the grid around them that is looked at."""
    rows = draw("rows", [1, 2, 3, 4, 6])
    columns = draw("columns", [1, 2, 3, 4])
    fan_in = rows * draw("groups", [1, 2, 3, 4, 5, 6, 8, 9, 12, 16, 18]) - draw("rest", [0, 0, 1])
    return _config(
        (1, 1, max(1, fan_in)),
        [
            {
                "kind": "linear",
                "channels": columns * draw("tiles", [1, 1, 2, 3, 4, 6, 8, 12]),
                "engine": "crossbar",
                "column_sharing": draw("sharing", divisors(columns, 4)),
                "adc_type": draw("adc_type", ["flash", "sar"]),
                "adc_bits": draw("adc_bits", [2, 3, 4]),
                "input_bits": draw("input_bits", range(1, 9)),
                "copies": draw("copies", [1, 1, 1, 2, 3, 4, 8]),
            }
        ],
        rows=rows,
        columns=columns,
    )


def wide_grid(rows: int, groups: int, input_bits: int, adc_bits: int) -> dict[str, Any]:
    """A layer of two outputs, of many row groups with wide sums."""
    layer = {
        "kind": "linear",
        "channels": 2,
        "engine": "crossbar",
        "column_sharing": 2,
        "adc_type": "flash",
        "adc_bits": adc_bits,
        "input_bits": input_bits,
    }
    return _config((1, 1, rows * groups), [layer], rows=rows, columns=2)


def chain(
    in_channels: int,
    channels: int,
    rows: int,
    adc_type: str,
    adc_bits: int,
    input_bits: int,
    copies: int,
) -> dict[str, Any]:
    """An accelerator whose clock is set by the chain from its tiles through adders to the pool."""
    layer = {
        "kind": "conv",
        "kernel": 3,
        "pool": 2,
        "channels": channels,
        "engine": "crossbar",
        "column_sharing": 2,
        "adc_type": adc_type,
        "adc_bits": adc_bits,
        "input_bits": input_bits,
        "copies": copies,
    }
    last = {"kind": "linear", "channels": 4, "engine": "pe_array", "input_bits": 3}
    config = _config((4, 4, in_channels), [layer, last], rows=rows, columns=channels)
    config["pe_array"] = {"inputs": 8, "outputs": 4, "pixels": 1}
    return config


def _pe_engine(draw: Draw) -> dict[str, Any]:
    is_linear = draw("is_linear", [False, True])
    side = draw("side", [2, 3, 4, 6])
    kernel = side if is_linear else min(side, draw("kernel", [1, 2, 3]))
    layer = {
        "kind": "conv",
        "kernel": kernel,
        "padding": 0,
        "channels": draw("channels", [2, 5, 8, 10, 16, 24, 32, 40, 64]),
        "engine": "pe_array",
        "input_bits": draw("input_bits", range(1, 9)),
    }
    last = {"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 1}
    config = _config((side, side, draw("in_channels", spread(1, 40))), [layer, last])
    config["pe_array"] = {
        "inputs": draw("inputs", [4, 8, 12, 16, 24, 32]),
        "outputs": draw("outputs", [4, 8, 16, 16, 32]),
        "pixels": draw("pixels", [1, 2, 4, 8, 16]),
    }
    config["weights"]["generator"] = draw("generator", ["xorshift32", "xorshift32", "xorshift16"])
    return config


def _accelerator(draw: Draw) -> dict[str, Any]:
    side = draw("side", [6, 8, 12])
    columns = draw("columns", [8, 16, 32])
    layers = []
    for n in range(draw("layers", [1, 2, 2, 3])):
        layers.append({
            "kind": "conv",
            "kernel": 3,
            "pool": draw(f"pool_{n}", [1, 2]) if side // 2**n >= 4 else 1,
            "channels": draw(f"channels_{n}", [4, 8, 12, 16, 24]),
            "input_bits": draw(f"input_bits_{n}", range(2, 7)),
            **_engine(draw, columns, n),
        })
    layers.append({
        "kind": "linear",
        "channels": draw("classes", [2, 4, 10]),
        "input_bits": draw("input_bits", range(2, 7)),
        **_engine(draw, columns, 9),
    })
    config = _config(
        (side, side, draw("in_channels", [1, 1, 3])),
        layers,
        rows=draw("rows", [16, 32, 64]),
        columns=columns,
    )
    sizes = {"inputs": [8, 16], "outputs": [4, 8, 16], "pixels": [1, 4, 8]}
    config["pe_array"] = {name: draw(f"pe_{name}", values) for name, values in sizes.items()}
    config["weights"]["generator"] = draw("generator", ["xorshift32", "xorshift32", "xorshift16"])
    return config


def _engine(draw: Draw, columns: int, n: int) -> dict[str, Any]:
    if draw(f"engine_{n}", ["crossbar", "crossbar", "pe_array"]) == "pe_array":
        return {"engine": "pe_array"}
    return {
        "engine": "crossbar",
        "column_sharing": draw(f"sharing_{n}", divisors(columns, 16)),
        "adc_type": draw(f"adc_type_{n}", ["flash", "sar"]),
        "adc_bits": draw(f"adc_bits_{n}", range(2, 7)),
        "copies": draw(f"copies_{n}", [1, 1, 2]),
    }


def residual(draw: Draw) -> dict[str, Any]:
    """An accelerator with a shortcut around every convolution but the first."""
    config = _accelerator(draw)
    first, *others = config["layers"][:-1]
    for layer in others:
        layer |= {"channels": first["channels"], "pool": 1, "residual": True}
    return config


def _config(
    shape: tuple[int, int, int],
    layers: list[dict[str, Any]],
    *,
    rows: int = 1,
    columns: int = 1,
) -> dict[str, Any]:
    return {
        "name": "sample",
        "dataset": "images",
        "input_shape": list(shape),
        "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32"},
        "crossbar": {"rows": rows, "columns": columns},
        "layers": layers,
    }


NETWORKS: Mapping[str, Callable[[Draw], dict[str, Any]]] = {
    "crossbar_engine": _crossbar_engine,
    "pe_engine": _pe_engine,
    "accelerator": _accelerator,
    "temporal_accelerator": temporal_chip,
}
"""How the configuration of a sample of each kind is drawn, as JSON holds it."""
