"""Random configurations: small, valid, and of every kind that the schema admits."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.engines.crossbar.grid_shape import LEAST_WORDS
from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError

__all__ = ["CORNERS", "corner_of", "random_config", "uneven", "with_planes"]

MOST_ADC_BITS = 12


def random_config(
    seed: int, *, weights: int = 3000, cycles: int = 20000, blocks: int = 100000
) -> Config:
    """Return the configuration of a seed, with hidden weights.

    Drawn until the schema accepts it and it is small. Two of five have one of :data:`CORNERS`, one
    of three strides and summed maps, one of three cells in memories.

    Parameters
    ----------
    weights : int
        Most weights.
    cycles : int
        Most cycles for an image alone.
    blocks : int
        Most readouts, processing elements and multipliers: what a simulation by an interpreter
        has to build.
    """
    rng = Random(seed)
    corner = corner_of(seed)
    corner_rng = Random(f"sizes of {seed}")
    strides_rng = Random(f"strides of {seed}")
    has_strides = strides_rng.random() < 1 / 3
    cells_rng = Random(f"cells of {seed}")
    has_memory = cells_rng.random() < 1 / 3
    layers = rng.choice([1, 2, 2, 3, 3, 4])
    while True:
        drawn = _draw(rng, f"random-{seed}", layers)
        if corner is not None:
            CORNERS[corner](corner_rng, drawn)
        if has_strides:
            _add_strides(strides_rng, drawn)
        if has_memory:
            _put_in_memory(cells_rng, drawn)
        try:
            config = parse_config(json.dumps(drawn))
        except UserError:
            continue
        if sum(geometry.weights for geometry in config.geometry) > weights:
            continue
        accelerator = architecture_of(config)
        if accelerator.arithmetic_blocks <= blocks and accelerator.timing().latency <= cycles:
            return config


def corner_of(seed: int) -> str | None:
    """Which of :data:`CORNERS` the configuration of a seed has."""
    rng = Random(f"corner of {seed}")
    return rng.choice(list(CORNERS)) if rng.random() < 0.4 else None


def with_planes(config: Config, bits: int) -> Config:
    """The same network on PE arrays, with bitwise weights of so many planes."""
    data: dict[str, Any] = config.model_dump(mode="json")
    data |= {"weights": {"kind": "bitwise", "bits": bits}}
    for layer in data["layers"]:
        for name in ("column_sharing", "adc_type", "adc_bits", "adc_shift", "copies"):
            layer.pop(name, None)
        layer["engine"] = "pe_array"
    return parse_config(json.dumps(data))


def uneven(config: Config, rng: Random) -> Config:
    """The same network with planes of bitwise weights drawn for each layer; one keeps all."""
    most = config.weights.widths
    planes = [rng.randint(1, most) for _ in config.layers]
    planes[rng.randrange(len(planes))] = most
    return config.at(planes)


def _draw(rng: Random, name: str, layers: int) -> dict[str, Any]:
    columns = rng.choice([1, 2, 3, 4, 6, 8, 12, 16, 30, 36, 40, 64])
    drawn = {
        "name": name,
        "dataset": "images",
        "input_shape": [rng.randint(1, 9), rng.randint(1, 9), rng.choice([1, 1, 2, 3, 4, 5])],
        "weights": {
            "kind": "hidden",
            "seed": rng.choice([0, 1, rng.getrandbits(32)]),
            "generator": rng.choice(["xorshift32", "xorshift16"]),
            "density": rng.choice([0.05, 0.3, 0.5, 0.9, 1.0]),
        },
        "crossbar": {"rows": rng.choice([1, 2, 5, 9, 16, 33, 64, 100]), "columns": columns},
        "pe_array": {
            "inputs": rng.choice([1, 2, 3, 8, 17, 40]),
            "outputs": rng.choice([1, 2, 5, 8, 33]),
            "pixels": rng.choice([1, 1, 2, 3, 5, 8]),
        },
        "layers": [_draw_layer(rng, columns, is_last=n == layers - 1) for n in range(layers)],
    }
    channels = drawn["input_shape"][2]
    for layer in drawn["layers"][:-1]:
        if layer["kind"] == "conv" and rng.random() < 0.4:
            layer |= {"residual": True, "channels": channels, "pool": 1}
            layer |= {"kernel": layer["kernel"] | 1, "padding": None}
        channels = layer["channels"]
    return drawn


def _draw_layer(rng: Random, columns: int, *, is_last: bool) -> dict[str, Any]:
    channels = rng.choice([1, 2, 3, 4, 5, 8, 10, 17, 31, 32, 33, 40, 65])
    layer: dict[str, Any] = {"channels": channels, "input_bits": rng.choice([1, 2, 3, 4, 4, 5, 8])}
    if rng.random() < (0.8 if is_last else 0.15):
        layer["kind"] = "linear"
    else:
        layer |= {"kind": "conv", "kernel": rng.choice([1, 2, 3, 3, 4, 5])}
        layer["pool"] = rng.choice([1, 1, 2, 2, 3])
        if rng.random() < 0.5:
            layer["padding"] = rng.randrange(layer["kernel"])
    if rng.random() < 0.35:
        return layer | {"engine": "pe_array"}
    return layer | {"engine": "crossbar"} | _draw_readout(rng, columns)


def _add_strides(rng: Random, drawn: dict[str, Any]) -> None:
    """Strides in convolutions without a shortcut, sums in front of linear layers."""
    for layer in drawn["layers"]:
        if rng.random() < 0.4:
            continue
        if layer["kind"] == "conv" and not layer.get("residual"):
            layer["stride"] = 2
        elif layer["kind"] == "linear":
            layer |= {"sum_pool": True, "map_bits": rng.choice([None, 1, 2, 4, 8])}
            layer["sum_shift"] = rng.choice([None, None, 0, 1, 3])


def _put_in_memory(rng: Random, drawn: dict[str, Any]) -> None:
    """Cells in memories, of tiles that can have words enough; of most of them."""
    drawn["crossbar"]["cells"] = "memory"
    for layer in _tiles(drawn):
        least = -(-LEAST_WORDS // layer["column_sharing"])
        if least <= MOST_ADC_BITS and rng.random() < 0.8:
            layer |= {"adc_type": "sar", "adc_bits": max(layer["adc_bits"], least)}


def _draw_readout(rng: Random, columns: int) -> dict[str, Any]:
    return {
        "column_sharing": rng.choice([n for n in range(1, columns + 1) if columns % n == 0]),
        "adc_type": rng.choice(["flash", "sar"]),
        "adc_bits": rng.choice([1, 2, 3, 4, 5, 7, 12]),
        "adc_shift": rng.choice([0, 0, 0, 1, 2, 4]),
        "copies": rng.choice([1, 1, 1, 2, 3, 5]),
    }


def _convolutions(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for layer in drawn["layers"] if layer["kind"] == "conv"]


def _tiles(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for layer in drawn["layers"] if layer["engine"] == "crossbar"]


def _tall_tiles(rng: Random, drawn: dict[str, Any]) -> None:
    """Tiles of more rows than any other, and a first layer that fills them."""
    drawn["crossbar"]["rows"] = rng.choice([128, 129, 200, 256, 1024])
    drawn["input_shape"] = [rng.randint(5, 7), rng.randint(5, 7), rng.randint(4, 12)]
    drawn["layers"] = drawn["layers"][-1:]
    drawn["layers"][0] |= {"kind": "linear", "channels": rng.randint(1, 5), "engine": "crossbar"}
    for name in ("kernel", "pool", "padding"):
        drawn["layers"][0].pop(name, None)
    drawn["layers"][0] |= _draw_readout(rng, drawn["crossbar"]["columns"])


def _wide_tiles(rng: Random, drawn: dict[str, Any]) -> None:
    columns = rng.choice([66, 96, 100, 128, 256])
    drawn["crossbar"]["columns"] = columns
    for layer in _tiles(drawn):
        layer["column_sharing"] = rng.choice([n for n in range(1, 33) if columns % n == 0])
    drawn["layers"][0]["channels"] = rng.choice([66, 90, 128, 130])


def _large_kernels(rng: Random, drawn: dict[str, Any]) -> None:
    side = rng.choice([6, 7, 7, 9, 15])
    drawn["input_shape"] = [rng.randint(side - 2, side + 2), rng.randint(side - 2, side + 2), 1]
    for layer in _convolutions(drawn)[:1]:
        layer |= {"kernel": side, "padding": rng.choice([side // 2, side - 1])}


def _large_pools(rng: Random, drawn: dict[str, Any]) -> None:
    pool = rng.choice([4, 5, 7, 16])
    drawn["input_shape"][:2] = [pool + rng.randint(0, 3), pool + rng.randint(0, pool)]
    for layer in _convolutions(drawn)[:1]:
        layer["pool"] = pool
        layer.pop("residual", None)


def _many_copies(rng: Random, drawn: dict[str, Any]) -> None:
    for layer in _tiles(drawn)[:1]:
        layer["copies"] = rng.choice([6, 8, 9, 16, 64])


def _large_maps(rng: Random, drawn: dict[str, Any]) -> None:
    sides = [rng.choice([10, 16, 28, 33, 64]), rng.choice([1, 2, 3, 12])]
    rng.shuffle(sides)
    drawn["input_shape"][:2] = sides
    for layer in _convolutions(drawn):
        layer["channels"] = min(layer["channels"], drawn["input_shape"][2] * 4)


def _many_input_channels(rng: Random, drawn: dict[str, Any]) -> None:
    drawn["input_shape"] = [rng.randint(1, 4), rng.randint(1, 4), rng.choice([6, 7, 16, 31, 40])]
    if drawn["layers"][0].get("residual"):
        drawn["layers"][0]["channels"] = drawn["input_shape"][2]


def _many_pixels(rng: Random, drawn: dict[str, Any]) -> None:
    drawn["pe_array"]["pixels"] = rng.choice([9, 12, 16, 17, 32])
    drawn["input_shape"][:2] = [rng.randint(3, 9), rng.randint(3, 9)]
    layer = drawn["layers"][0]
    for name in ("column_sharing", "adc_type", "adc_bits", "adc_shift", "copies"):
        layer.pop(name, None)
    layer["engine"] = "pe_array"


def _many_layers(rng: Random, drawn: dict[str, Any]) -> None:
    columns = drawn["crossbar"]["columns"]
    count = rng.randint(5, 9)
    drawn["layers"] = [_draw_layer(rng, columns, is_last=n == count - 1) for n in range(count)]
    for layer in drawn["layers"]:
        layer["channels"] = rng.randint(1, 8)
        layer["pool"] = rng.choice([1, 1, 1, 2]) if layer["kind"] == "conv" else 1


def _thin_masks(rng: Random, drawn: dict[str, Any]) -> None:
    drawn["weights"]["density"] = rng.choice([0.005, 0.01, 0.02, 0.04])


def _odd_codes(rng: Random, drawn: dict[str, Any]) -> None:
    for layer in _tiles(drawn):
        layer["adc_bits"] = rng.choice([6, 8, 9, 10, 11])


CORNERS: dict[str, Callable[[Random, dict[str, Any]], None]] = {
    "tall tiles": _tall_tiles,
    "wide tiles": _wide_tiles,
    "large kernels": _large_kernels,
    "large pools": _large_pools,
    "many copies": _many_copies,
    "large maps": _large_maps,
    "many input channels": _many_input_channels,
    "many pixels": _many_pixels,
    "many layers": _many_layers,
    "thin masks": _thin_masks,
    "odd codes": _odd_codes,
}
"""What takes one size of a drawn configuration beyond what the others have."""
