# amaranth: UnusedElaboratable=no
"""What is synthesized to calibrate the model: a seeded plan of blocks, and how each is built."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.lib import wiring

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.engines.crossbar.engine import CrossbarEngine
from kakure.hdl.engines.crossbar.readout import Readout
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.hdl.engines.pe_array.array import PeArray
from kakure.hdl.engines.pe_array.engine import PeEngine
from kakure.hdl.memory.ram import Ram
from kakure.hdl.stages.max_pool import MaxPool
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.stages.shortcut import Shortcut
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.hdl.stages.sum_pool import SumPool
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import Config, parse_config

from .temporal_samples import temporal_chip
from .tree import takes_turns

__all__ = [
    "ALONE",
    "SAMPLED",
    "SEED",
    "SETTLED",
    "WHOLE",
    "Sample",
    "block_of",
    "plan",
    "validation",
]

SEED = 20240601
HELD_OUT = {"accelerator": 0.6, "result_sender": 0.15}
"""Share of a block's samples that is kept out of the fit; of other blocks a third."""


@dataclass(frozen=True)
class Sample:
    """One design to synthesize: a block and what it is built with, as JSON holds it."""

    block: str
    parameters: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The sample's name: equal samples, equal keys."""
        values = json.dumps(self.parameters, sort_keys=True, separators=(",", ":"))
        return f"{self.block} {values}"

    @property
    def is_held_out(self) -> bool:
        """Whether the fit may not see it; by a hash, so that new samples move no old ones."""
        digest = hashlib.sha256(f"{SEED} {self.key}".encode()).digest()
        return int.from_bytes(digest[:4]) < HELD_OUT.get(self.block, 1 / 3) * 2**32

    @property
    def config(self) -> Config | None:
        """The configuration, of blocks that are built from one."""
        if self.block not in FROM_CONFIG:
            return None
        return parse_config(json.dumps(self.parameters), self.block)

    def build(self) -> wiring.Component:
        """The component."""
        config = self.config
        if config is not None:
            return FROM_CONFIG[self.block](config)
        values = dict(self.parameters)
        if self.block == "weight_generator":
            values["layers"] = tuple(LayerWeights(*layer) for layer in values["layers"])
        return FROM_NUMBERS[self.block](**values)


FROM_NUMBERS: dict[str, Callable[..., wiring.Component]] = {
    "popcount": Popcount,
    "readout": Readout,
    "crossbar_tile": CrossbarTile,
    "pe_array": PeArray,
    "sliding_window": SlidingWindow,
    "strided_window": StridedWindow,
    "sum_pool": SumPool,
    "max_pool": MaxPool,
    "requantizer": Requantizer,
    "shortcut": Shortcut,
    "ram": Ram,
    "weight_generator": WeightGenerator,
    "result_sender": ResultSender,
    "pixel_unpacker": PixelUnpacker,
    "frame_gate": FrameGate,
}

FROM_CONFIG: dict[str, Callable[[Config], wiring.Component]] = {
    "crossbar_engine": lambda config: CrossbarEngine(config=config, index=0),
    "pe_engine": lambda config: PeEngine(config=config, index=0),
    "accelerator": lambda config: Accelerator(config=config),
    "temporal_accelerator": lambda config: Accelerator(config=config),
}
"""Built from a whole configuration; the engines are those of its first layer."""


def block_of(config: Config) -> str:
    """What a sample of a whole accelerator is called."""
    return "temporal_accelerator" if takes_turns(config) else "accelerator"


class _Draw:
    """A Latin hypercube over lists of values: each list is walked evenly, in an order of its own.

    ``draw[name](values)`` takes the value of this sample; the same name always has the same place
    in the hypercube, whatever the values.
    """

    def __init__(self, block: str, count: int) -> None:
        self.block = block
        self.count = count
        self.columns: dict[str, np.ndarray] = {}
        self.sample = 0

    def __call__(self, name: str, values: Any) -> Any:
        if name not in self.columns:
            seed = hashlib.sha256(f"{SEED} {self.block} {name}".encode()).digest()[:8]
            rng = np.random.default_rng(int.from_bytes(seed))
            places = rng.permutation(self.count) + rng.random(self.count)
            self.columns[name] = places / self.count
        values = list(values)
        return values[int(self.columns[name][self.sample] * len(values))]


def _spread(low: int, high: int, count: int = 24) -> list[int]:
    """Integers from ``low`` to ``high``, evenly apart in their logarithm."""
    return [round(low * (high / low) ** (n / (count - 1))) for n in range(count)]


def _divisors(number: int, most: int) -> list[int]:
    return [n for n in range(1, min(number, most) + 1) if number % n == 0]


def _peak(draw: _Draw, low: int = 3, high: int = 18) -> int:
    """A peak whose values have ``low`` to ``high`` bits, sign included."""
    bits = draw("sum_bits", range(low, high + 1))
    return round((1 << (bits - 2)) * draw("peak", [1.1, 1.5, 1.9]))


def _popcount(draw: _Draw) -> dict[str, Any]:
    return {
        "lanes": draw("lanes", _spread(2, 128)),
        "cap_bits": draw("cap_bits", [None, None, 1, 2, 3, 4, 5, 6, 7]),
    }


def _readout(draw: _Draw) -> dict[str, Any]:
    return {
        "rows": draw("rows", _spread(4, 128)),
        "adc_type": draw("adc_type", ["flash", "sar"]),
        "adc_bits": draw("adc_bits", range(1, 9)),
        "adc_shift": draw("adc_shift", [0, 1, 2, 3]),
    }


def _tile(draw: _Draw) -> dict[str, Any]:
    columns = draw("columns", [4, 8, 10, 16, 24, 32, 64])
    rows = draw("rows", _spread(4, 128))
    return {
        "rows": max(4, min(rows, 1536 // columns)),
        "columns": columns,
        "sharing": draw("sharing", _divisors(columns, 32)),
        "adc_type": draw("adc_type", ["flash", "sar"]),
        "adc_bits": draw("adc_bits", range(1, 9)),
        "input_bits": draw("input_bits", range(1, 9)),
        "adc_shift": draw("adc_shift", [0, 0, 0, 0, 1, 2]),
    }


def _large_tile(draw: _Draw) -> dict[str, Any]:
    """A tile of many rows, whose path may set the clock of a whole accelerator."""
    columns = draw("columns", [8, 10, 12, 14, 16, 20, 24])
    return {
        "rows": draw("rows", range(64, 129)),
        "columns": columns,
        "sharing": draw("sharing", _divisors(columns, 16)[1:]),
        "adc_type": draw("adc_type", ["sar", "sar", "flash"]),
        "adc_bits": draw("adc_bits", range(3, 9)),
        "input_bits": draw("input_bits", range(2, 9)),
        "adc_shift": draw("adc_shift", [0, 1, 1, 2]),
    }


def _pe_array(draw: _Draw) -> dict[str, Any]:
    return {
        "inputs": draw("inputs", _spread(2, 64)),
        "outputs": draw("outputs", [1, 2, 4, 8, 10, 16]),
        "pixels": draw("pixels", [1, 2, 4, 8, 16]),
        "input_bits": draw("input_bits", range(1, 9)),
        "kind": "hidden",
        "peak": _peak(draw, 6),
        "banks": draw("banks", [1, 1, 1, 2, 3, 4]),
    }


def _sliding_window(draw: _Draw) -> dict[str, Any]:
    is_linear = draw("is_linear", [False, False, False, True])
    side = draw("side", [2, 4, 5, 8, 14, 28, 32])
    channels = draw("channels", _spread(1, 48))
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


def _strided_window(draw: _Draw) -> dict[str, Any]:
    side = draw("side", [3, 4, 5, 7, 8, 14, 16, 28, 32])
    kernel = min(side, draw("kernel", [1, 1, 2, 3, 3, 3, 5]))
    channels = draw("channels", _spread(1, 48))
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


def _sum_pool(draw: _Draw) -> dict[str, Any]:
    positions, bits = (
        draw("positions", [1, 4, 9, 16, 16, 49, 64, 64, 256]),
        draw("bits", range(1, 9)),
    )
    output_bits = draw("output_bits", range(1, 9))
    least = max(0, (positions * ((1 << bits) - 1)).bit_length() - output_bits)
    return {
        "positions": positions,
        "channels": draw("channels", _spread(2, 64)),
        "bits": bits,
        "shift": draw("shift", [least, least, least, max(0, least - 1), max(0, least - 2), 0]),
        "output_bits": output_bits,
    }


def _max_pool(draw: _Draw) -> dict[str, Any]:
    size = draw("size", [2, 2, 2, 3, 4])
    side = size * draw("blocks", [1, 2, 4, 7, 14, 16]) + draw("rest", [0, 0, 1])
    return {
        "height": side,
        "width": side,
        "channels": draw("channels", _spread(2, 64)),
        "peak": _peak(draw),
        "size": size,
    }


def _requantizer(draw: _Draw) -> dict[str, Any]:
    channels = draw("channels", [2, 5, 8, 10, 16, 24, 32, 48, 64])
    lanes = 1 << draw("lanes", range(4))
    return {
        "channels": channels,
        "lanes": min(lanes, channels),
        "peak": _peak(draw),
        "output_bits": draw("output_bits", [None, 1, 2, 3, 4, 5, 6, 8]),
    }


def _shortcut(draw: _Draw) -> dict[str, Any]:
    channels = draw("channels", _spread(1, 64))
    depth = draw("depth", [1, 1, 2, 4, 6, 8, 16])
    return {
        "depth": depth,
        "channels": min(channels, max(1, 512 // depth)),
        "bits": draw("bits", range(1, 9)),
    }


def _with_shortcut(draw: _Draw) -> dict[str, Any]:
    """A requantizer that adds what comes over a shortcut."""
    values = _requantizer(draw)
    values["output_bits"] = draw("output_bits", range(1, 9))
    values["shortcut_bits"] = draw("shortcut_bits", range(1, values["output_bits"] + 1))
    return values


def _ram(draw: _Draw) -> dict[str, Any]:
    depth = draw("depth", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 31])
    return {"depth": depth, "width": min(draw("width", _spread(1, 256)), 2400 // depth)}


def _weight_generator(draw: _Draw) -> dict[str, Any]:
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


def _result_sender(draw: _Draw) -> dict[str, Any]:
    return {"classes": draw("classes", [1, 2, 4, 10, 10, 16, 32])}


def _pixel_unpacker(draw: _Draw) -> dict[str, Any]:
    return {
        "pixels": draw("pixels", [16, 64, 784, 1024]),
        "channels": draw("channels", [1, 1, 2, 3, 4]),
        "bits": draw("bits", range(1, 9)),
    }


def _frame_gate(draw: _Draw) -> dict[str, Any]:
    return {"image_words": draw("image_words", [4, 16, 196, 768, 1000])}


def _crossbar_engine(draw: _Draw) -> dict[str, Any]:
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
                "column_sharing": draw("sharing", _divisors(columns, 4)),
                "adc_type": draw("adc_type", ["flash", "sar"]),
                "adc_bits": draw("adc_bits", [2, 3, 4]),
                "input_bits": draw("input_bits", range(1, 9)),
                "copies": draw("copies", [1, 1, 1, 2, 3, 4, 8]),
            }
        ],
        rows=rows,
        columns=columns,
    )


def _wide_grid(rows: int, groups: int, input_bits: int, adc_bits: int) -> dict[str, Any]:
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


def _chain(
    in_channels: int,
    channels: int,
    rows: int,
    adc_type: str,
    adc_bits: int,
    input_bits: int,
    copies: int,
) -> dict[str, Any]:
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


def _pe_engine(draw: _Draw) -> dict[str, Any]:
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
    config = _config((side, side, draw("in_channels", _spread(1, 40))), [layer, last])
    config["pe_array"] = {
        "inputs": draw("inputs", [4, 8, 12, 16, 24, 32]),
        "outputs": draw("outputs", [4, 8, 16, 16, 32]),
        "pixels": draw("pixels", [1, 2, 4, 8, 16]),
    }
    config["weights"]["generator"] = draw("generator", ["xorshift32", "xorshift32", "xorshift16"])
    return config


def _accelerator(draw: _Draw) -> dict[str, Any]:
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


def _engine(draw: _Draw, columns: int, n: int) -> dict[str, Any]:
    if draw(f"engine_{n}", ["crossbar", "crossbar", "pe_array"]) == "pe_array":
        return {"engine": "pe_array"}
    return {
        "engine": "crossbar",
        "column_sharing": draw(f"sharing_{n}", _divisors(columns, 16)),
        "adc_type": draw(f"adc_type_{n}", ["flash", "sar"]),
        "adc_bits": draw(f"adc_bits_{n}", range(2, 7)),
        "copies": draw(f"copies_{n}", [1, 1, 2]),
    }


def _residual(draw: _Draw) -> dict[str, Any]:
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


SAMPLED: dict[str, tuple[Callable[[_Draw], dict[str, Any]], int]] = {
    "popcount": (_popcount, 40),
    "crossbar_tile": (_tile, 42),
    "readout": (_readout, 24),
    "requantizer": (_requantizer, 27),
    "pe_array": (_pe_array, 26),
    "shortcut": (_shortcut, 15),
    "sliding_window": (_sliding_window, 24),
    "strided_window": (_strided_window, 28),
    "sum_pool": (_sum_pool, 24),
    "max_pool": (_max_pool, 24),
    "ram": (_ram, 24),
    "crossbar_engine": (_crossbar_engine, 33),
    "pe_engine": (_pe_engine, 27),
    "weight_generator": (_weight_generator, 24),
    "result_sender": (_result_sender, 7),
    "pixel_unpacker": (_pixel_unpacker, 10),
    "frame_gate": (_frame_gate, 5),
    "accelerator": (_accelerator, 9),
    "temporal_accelerator": (temporal_chip, 36),
}
"""How many of each block are drawn, and how."""

ALONE = frozenset({"strided_window", "sum_pool"})
"""Blocks that came later: what a sample of theirs holds of other kinds is not looked at, so that
they move no coefficient but their own."""

SETTLED = {"temporal_accelerator": frozenset({"accelerator", "popcount", "ram"})}
"""Kinds of blocks in samples of a block that are not looked at: other samples settle them."""

WHOLE = frozenset({"accelerator", "temporal_accelerator"})
"""Samples that are whole accelerators."""

VALIDATED = {
    "crossbar_tile": (1, 10),
    "requantizer": (1, 6),
    "pe_array": (2, 8),
    "pe_engine": (2, 6),
    "strided_window": (1, 5),
    "sum_pool": (1, 8),
    "weight_generator": (1, 8),
    "accelerator": (2, 6),
    "temporal_accelerator": (1, 6),
}
"""How many more are drawn of some blocks, all held out, after the closed forms were settled.

The first number is the round: a block whose form is changed later needs samples that are new.
"""

LARGE = 6
"""Large tiles drawn, all held out, after the form of a tile's critical path was last changed."""

CHOSEN: tuple[tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...]], ...] = (
    (
        "crossbar_tile",
        ("rows", "columns", "sharing", "adc_type", "adc_bits", "input_bits", "adc_shift"),
        (
            (64, 64, 8, "sar", 6, 8, 0),
            (64, 64, 2, "flash", 5, 4, 0),
            (64, 32, 1, "flash", 7, 4, 0),
            (64, 32, 32, "sar", 8, 6, 0),
            (1, 32, 4, "flash", 4, 4, 0),
            (1, 16, 2, "sar", 3, 6, 0),
            (2, 24, 8, "sar", 5, 8, 0),
            (2, 32, 1, "flash", 3, 2, 0),
            (3, 16, 16, "flash", 6, 5, 0),
            (3, 64, 8, "sar", 2, 3, 0),
            (100, 28, 14, "sar", 5, 5, 0),
            (100, 28, 14, "sar", 5, 5, 1),
            (100, 28, 14, "sar", 6, 5, 1),
            (100, 16, 16, "sar", 4, 6, 1),
            (100, 16, 16, "sar", 6, 5, 1),
            (100, 16, 4, "sar", 6, 6, 2),
            (128, 16, 8, "sar", 5, 4, 1),
            (128, 8, 8, "sar", 8, 7, 0),
            (112, 16, 16, "sar", 4, 4, 0),
            (110, 24, 12, "sar", 3, 6, 0),
            (96, 12, 6, "sar", 7, 8, 1),
            (80, 16, 16, "sar", 5, 5, 2),
            (72, 16, 16, "sar", 5, 6, 1),
            (64, 14, 14, "sar", 6, 5, 1),
            (96, 16, 2, "flash", 6, 5, 1),
            (120, 8, 4, "flash", 6, 6, 0),
        ),
    ),
    (
        "requantizer",
        ("channels", "lanes", "peak", "output_bits"),
        (
            (16, 2, 300_000, 8),
            (12, 4, 1_200_000, 4),
            (32, 1, 1_900_000, None),
            (256, 2, 500_000, 6),
            (8, 1, 1, 4),
            (3, 1, 2, 2),
            (1, 1, 700, 4),
            (1, 1, 700, None),
        ),
    ),
    (  # all held out: the fit sees shortcuts of up to 7 bits, and takes one more for known
        "requantizer",
        ("channels", "lanes", "peak", "output_bits", "shortcut_bits"),
        (
            (4, 4, 90, 8, 8),
            (10, 5, 60, 8, 8),
            (16, 2, 5_000, 8, 8),
            (48, 2, 900, 8, 8),
            (32, 8, 900, 8, 8),
            (64, 4, 2_000, 8, 8),
        ),
    ),
    (
        "max_pool",
        ("height", "width", "channels", "peak", "size"),
        ((8, 8, 10, 400_000, 2), (4, 4, 8, 1_900_000, 2), (6, 6, 9, 1, 3), (2, 2, 16, 900_000, 2)),
    ),
    (
        "pe_array",
        ("inputs", "outputs", "pixels", "input_bits", "kind", "peak", "banks"),
        (
            (1, 8, 4, 4, "hidden", 60, 2),
            (16, 4, 2, 8, "hidden", 1_200_000, 2),
            (64, 2, 2, 8, "hidden", 300_000, 1),
            (2, 4, 1, 1, "hidden", 2, 1),
            (8, 16, 1, 1, "hidden", 8, 6),
        ),
    ),
    (
        "sum_pool",
        ("positions", "channels", "bits", "shift", "output_bits"),
        (
            (16, 128, 4, 0, 8),
            (64, 256, 4, 2, 8),
            (16, 512, 4, 0, 8),
            (64, 512, 4, 2, 8),
            (1024, 3, 8, 10, 8),
            (1, 10, 4, 2, 2),
            (1, 3, 2, 0, 4),
            (2, 3, 1, 0, 1),
        ),
    ),
    ("ram", ("depth", "width"), ((40, 8), (60, 4), (48, 10), (33, 2))),
)
"""Sizes at the edges of what is drawn, and those that are built."""

WIDE_GRIDS = ((64, 4, 8, 8), (64, 9, 8, 7), (32, 3, 8, 8), (64, 2, 7, 8), (50, 6, 6, 7))
"""Rows, row groups, input and readout bits of layers of two outputs with wide sums."""

CHAINS = (
    (32, 16, 32, "flash", 6, 6, 2),
    (64, 12, 48, "flash", 5, 5, 1),
    (24, 24, 18, "flash", 5, 6, 2),
    (20, 16, 20, "sar", 4, 8, 2),
)
"""Input and output channels, rows, converter, its bits, input bits and copies of accelerators whose
clock is set by the chain from the tiles through the adders of many row groups and the pool."""

SHIPPED = ("digits",)
"""Configurations of ``configs/`` that are measured whole."""


def _drawn(
    block: str, name: str, count: int, make: Callable[[_Draw], dict[str, Any]] | None = None
) -> list[Sample]:
    make = make or SAMPLED[block][0]
    draw = _Draw(name, count)
    samples = []
    for draw.sample in range(count):
        samples.append(Sample(block, make(draw)))
    return samples


def validation() -> list[Sample]:
    """Samples that neither the fit nor the choice of the closed forms has seen."""
    samples: list[Sample] = []
    for block, (turn, count) in VALIDATED.items():
        name = f"{block} validation" if turn == 1 else f"{block} validation {turn}"
        drawn = _drawn(block, name, 8 * count)
        samples += [sample for sample in drawn if sample.is_held_out][:count]
    drawn = _drawn("crossbar_tile", "large tile validation", 8 * LARGE, _large_tile)
    return [*samples, *[sample for sample in drawn if sample.is_held_out][:LARGE]]


def plan() -> list[Sample]:
    """All samples; the same seed, the same plan. A block's samples do not depend on another's."""
    samples: list[Sample] = []
    for block, (_, count) in SAMPLED.items():
        samples += _drawn(block, block, count)
    samples += _drawn("requantizer", "requantizer with shortcut", 24, _with_shortcut)
    residual = _drawn("accelerator", "residual accelerator", 12, _residual)
    samples += [sample for sample in residual if len(sample.parameters["layers"]) > 2]
    for block, names, rows in CHOSEN:
        samples += [Sample(block, dict(zip(names, row, strict=True))) for row in rows]
    samples += [Sample("crossbar_engine", _wide_grid(*row)) for row in WIDE_GRIDS]
    samples += [Sample("accelerator", _chain(*row)) for row in CHAINS]
    for generator in ("xorshift32", "xorshift16"):
        layers = [[3, 9, 64], *([64, 9, 128], [256, 9, 512], [512, 9, 512]) * 4, [512, 1, 10]]
        values = {"generator": generator, "seed": 1, "layers": layers}
        samples.append(Sample("weight_generator", values))
    folder = Path(__file__).parents[3] / "configs"
    for name in SHIPPED:
        config = json.loads((folder / f"{name}.json").read_text())
        for field in ("$schema", "parameters"):
            config.pop(field, None)
        samples.append(Sample("accelerator", config))
    unique = {sample.key: sample for sample in [*samples, *validation()]}
    return list(unique.values())
