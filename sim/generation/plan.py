"""What a configuration would build, and whether its files belong to it."""

from dataclasses import dataclass, fields
from pathlib import Path

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.engines.crossbar.engine_shape import has_memory
from kakure.hdl.engines.crossbar.grid_shape import LEAST_WORDS
from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.datasets.images import load_images
from kakure.model.datasets.table import DATASETS
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.model.shown import printable

__all__ = ["LayerPlan", "describe", "plan"]


@dataclass(frozen=True)
class LayerPlan:
    """Sizes of one layer's hardware.

    Attributes
    ----------
    engine : str
        ``crossbar flash 4b``, or ``pe_array``; then ``, stride 2``, ``+ shortcut`` or
        ``+ sum pool`` where the layer has one.
    reads, writes : str
        Maps, height x width x channels; what is read before it is summed, what is written behind
        the pool.
    fan_in : int
        Rows of the unrolled window.
    groups : int
        Row groups of a crossbar; 1 for another engine.
    tiles : int
        Crossbar tiles, copies included; 0 for another engine.
    cells : int
        Crossbar cells in use, copies included: two for a weight.
    mask_bits : int
        Bits of the masks.
    coded_bits : int or None
        The same, coded as hardware reads it; None before training, and where none reads it.
    macs : int
        Multiply-accumulates per image.
    engine_cycles : int
        Cycles per image that the engine is busy when it never waits; on an array that all layers
        share, those in which it is this layer's turn.
    """

    engine: str
    reads: str
    writes: str
    fan_in: int
    groups: int
    tiles: int
    cells: int
    mask_bits: int
    coded_bits: int | None
    macs: int
    engine_cycles: int


SUMMED = ("tiles", "cells", "mask_bits", "coded_bits", "macs")
"""Columns that have a total; layers work at the same time, so cycles do not add up."""

OF_TILES = ("groups", "tiles", "cells")
"""Columns that say something only where a layer has crossbar tiles."""


def plan(config: Config, parameters: Parameters | None = None) -> tuple[LayerPlan, ...]:
    """The plan of every layer."""
    plans = []
    cycles = architecture_of(config).layer_cycles
    for layer, geometry in zip(config.layers, config.geometry, strict=True):
        hardware = engine_of(config, geometry.index)
        engine = layer.description
        if layer.stride > 1:
            engine += f", stride {layer.stride}"
        if layer.residual:
            engine += " + shortcut"
        if layer.sum_pool:
            engine += " + sum pool"
        coded = None
        if parameters is not None and isinstance(config.weights, HiddenWeights | BitwiseWeights):
            found = parameters.layers[geometry.index]
            sections = (
                layer_section(config, geometry, found, plane=plane)
                for plane in range(config.weights_of(geometry.index).widths)
            )
            coded = sum(32 * section.mask_words for section in sections)
        plans.append(
            LayerPlan(
                engine=engine,
                reads=f"{geometry.read_height}x{geometry.read_width}x{geometry.in_channels}",
                writes=f"{geometry.pooled_height}x{geometry.pooled_width}x{geometry.outputs}",
                fan_in=geometry.fan_in,
                groups=len(geometry.groups),
                tiles=hardware.tiles,
                cells=hardware.cells,
                mask_bits=len(config.weights_of(geometry.index).mask_names) * geometry.weights,
                coded_bits=coded,
                macs=geometry.positions * geometry.weights,
                engine_cycles=cycles[geometry.index],
            )
        )
    return tuple(plans)


def describe(config: Config, path: Path) -> str:
    """One screen about the configuration in ``path``: layers, totals, files, digest.

    Raises
    ------
    UserError
        If a file that is there does not fit the configuration, or its folder of images is missing.
    """
    parameters, parameters_line = _parameters(config, path)
    plans = plan(config, parameters)
    has_tiles = any(layer.tiles for layer in plans)
    names = [field.name for field in fields(LayerPlan) if has_tiles or field.name not in OF_TILES]
    rows = [["layer", *(name.replace("_", " ") for name in names)]]
    for index, layer in enumerate(plans):
        rows.append([str(index), *(_shown(getattr(layer, name)) for name in names)])
    totals = ["total"]
    for name in names:
        values = [getattr(layer, name) for layer in plans]
        summed = name in SUMMED and None not in values
        totals.append(_shown(sum(values)) if summed else "")
    rows.append(totals)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index in (1, 2, 3) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines += [
        "",
        f"name        {config.name}",
        f"weights     {config.weights.kind}",
        f"accelerator {config.accelerator.description}",
    ]
    if has_tiles:
        size = f"{config.crossbar.rows} rows x {config.crossbar.columns} columns per tile"
        lines.append(f"crossbar    {size}{_cells(config)}")
    lines += [
        f"dataset     {_dataset(config, path)}",
        f"parameters  {parameters_line}",
        f"digest      {config.digest}",
    ]
    return "\n".join(lines) + "\n"


def _cells(config: Config) -> str:
    """Which layers have their cells in memories, where some may."""
    if config.crossbar.cells == "registers":
        return ""
    crossbars = [n for n, layer in enumerate(config.layers) if isinstance(layer, CrossbarLayer)]
    layers = [str(n) for n in crossbars if has_memory(config, n)]
    if not layers:
        return f", cells in registers: no layer has the {LEAST_WORDS} words that a memory needs"
    return f", cells of layer{'s' * (len(layers) > 1)} {', '.join(layers)} in memory"


def _parameters(config: Config, path: Path) -> tuple[Parameters | None, str]:
    if config.parameters is None:
        return None, "none named"
    file = path.parent / config.parameters
    if not file.exists():
        return None, f"{file}, not trained yet"
    parameters = load_parameters(file, config)
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        layer.weights(config, geometry)
    validation = parameters.metadata.get("validation", "unknown")
    if parameters.metadata.get("config") != config.digest:
        return parameters, f"{file}, fits, but was trained for another configuration"
    warning = parameters.metadata.get("warning")
    if warning is not None:
        validation += f"; WARNING: {printable(warning)}"
    return parameters, f"{file}, fits; validation {validation}"


def _dataset(config: Config, path: Path) -> str:
    if config.dataset in DATASETS and not DATASETS[config.dataset].is_there:
        return f"{config.dataset}, not fetched yet: kakure data {config.dataset}"
    counts = [f"{len(load_images(config, path.parent, s))} {s}" for s in ("train", "test")]
    return f"{config.dataset}, {' and '.join(counts)} images"


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
