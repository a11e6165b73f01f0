"""What the energy of a layer grows with: its cells, and how often each kind of block works."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.synthesis.memory_macro import is_macro

from .library import macro_of
from .tree import Part

__all__ = ["TERMS", "RoleCells", "role_cells", "terms_of", "works"]

Floats = NDArray[Any]

Pairs = tuple[tuple[str, str], ...]


def _dynamic(*names: str, cells: tuple[str, ...] = ("logic", "flops")) -> Pairs:
    return tuple((cell, name) for name in names for cell in cells)


def _both(*names: str) -> dict[str, Pairs]:
    """Switching of logic and registers with some work; clocks with it, and in every cycle."""
    clock = _dynamic(*names, cells=("held",))
    return {
        "switching": _dynamic(*names),
        "clock": (*clock, ("held", "cycles"), ("instances", "cycles")),
    }


def _ram(*names: str, always: bool = False) -> dict[str, Pairs]:
    """A memory of flip-flops or a macro; one that reads ``always`` clocks its word every cycle."""
    reads = ("cycles",) if always else names
    return {
        "switching": _dynamic(*names),
        "clock": () if always else _dynamic(*names, cells=("words",)),
        "memory": (*_dynamic(*reads, cells=("read",)), *_dynamic(*names, cells=("write",))),
    }


def _macro(read: str, write: str | None = None) -> dict[str, Pairs]:
    """A memory that is read with one work, and written with another, or once for all."""
    work = write or read
    return {
        "switching": _dynamic(work),
        "clock": _dynamic(work, cells=("words",)),
        "memory": (("read", read), *((("write", write),) if write else ())),
    }


_PE = ("pe_bits", "pe_signs")
_SHARED = {
    "switching": (("logic", "cycles"), ("flops", "cycles"), ("logic", "pixels")),
    "clock": (("held", "cycles"), ("held", "pixels"), ("instances", "cycles")),
}

TERMS: dict[str, dict[str, Pairs]] = {
    "crossbar_tile": {
        "switching": (
            ("seen", "turning_cycles"),
            ("seen", "still_cycles"),
            *_dynamic("vector_cycles", "codes", "planes", "pixels", cells=("logic",)),
            ("held", "codes"),
        ),
        "clock": (
            *_dynamic("codes", "vectors", "cycles", cells=("held",)),
            ("instances", "cycles"),
        ),
    },
    "memory_tile": {
        "switching": (
            ("seen", "vector_cycles"),
            *_dynamic("vector_cycles", "codes", "planes", "pixels", cells=("logic",)),
            ("held", "codes"),
        ),
        "clock": (
            *_dynamic("codes", "vectors", "cycles", cells=("held",)),
            ("instances", "cycles"),
        ),
    },
    "ram_cells": {
        "switching": (("read", "cell_reads"),),
        "clock": (("words", "cell_reads"),),
        "memory": (("read", "cell_reads"),),
    },
    "readout": _both("vector_cycles"),
    "popcount": {
        "switching": _dynamic("turning_cycles", "still_cycles", "pixels", cells=("logic",))
    },
    "crossbar_grid": {"switching": _dynamic("vector_cycles", "codes", "pixels", cells=("logic",))},
    "crossbar_engine": _both("vectors", "positions"),
    "pe_engine": {
        "switching": (
            *_dynamic("pe_bits", "pe_signs", "pe_stores", cells=("flops",)),
            *_dynamic("pixels", "pe_stores", cells=("logic",)),
        ),
        "clock": (*_dynamic("pe_signs", cells=("held",)), ("instances", "cycles")),
    },
    "pe_array": _both(*_PE),
    "processing_element": {
        "switching": (*_dynamic(*_PE, cells=("logic",)), ("held", "pe_rounds")),
        "clock": (*_dynamic("pe_rounds", "positions", cells=("held",)), ("instances", "cycles")),
    },
    "pe_popcount": {"switching": _dynamic(*_PE, cells=("logic",))},
    "pe_sign_generator": _both("pe_signs"),
    "pe_weight_order": _both("pe_signs"),
    "pe_xorshift32": _both("pe_signs"),
    "pe_xorshift16": _both("pe_signs"),
    "ram_store": _ram("pe_bits", "pe_stores", always=True),
    "ram_mask": _ram("pe_signs", always=True),
    "sum_pool": _both("summed"),
    "sliding_window": {
        "switching": _dynamic("pixels"),
        "clock": (("held", "pixels"),),
    },
    "ram_lines": _ram("pixels"),
    "max_pool": {
        "switching": (*_dynamic("positions"), ("logic", "codes")),
        "clock": (*_dynamic("positions", "maps", cells=("held",)), ("instances", "cycles")),
    },
    "ram_partial": _ram("positions"),
    "shortcut": _both("positions"),
    "ram_shortcut": _ram("positions"),
    "requantizer": _both("results", "maps"),
    "requantizer_lane": {
        "switching": (*_dynamic("results"), ("logic", "loose_codes")),
        "clock": (*_dynamic("results", "cycles", cells=("held",)), ("instances", "cycles")),
    },
    "ram_scales": _ram("results"),
    "layer": _both("positions"),
    "horner_element": {
        "switching": _dynamic("uses", "computes"),
        "clock": (("held", "computes"), ("instances", "cycles")),
    },
    "array_popcount": {"switching": _dynamic("uses", "computes", "blocks", cells=("logic",))},
    "temporal_array": {
        "switching": (
            *_dynamic("uses", "computes", "steps", "sent", cells=("logic",)),
            *_dynamic("words", "blocks", "groups", cells=("held",)),
        ),
        "clock": (
            *_dynamic("steps", "blocks", "groups", cells=("held",)),
            ("gates", "groups"),
            ("instances", "cycles"),
        ),
    },
    "excess_counter": _both("groups", "blocks"),
    "row_signs": _both("mask_reads", "groups", "passes"),
    "ram_masks": _macro("mask_reads"),
    "block_maker": _both("groups", "blocks"),
    "window_reader": _both("words", "windows", "steps"),
    "ram_activations": {
        "switching": _dynamic("words", "written"),
        "clock": _dynamic("words", "written", cells=("words",)),
        "memory": (("read", "words"), ("read", "added"), ("write", "written"), ("write", "bytes")),
    },
    "ram_sums": _macro("sum_reads", "steps"),
    "finisher": _both("sent", "finished"),
    "scale_lane": _both("finished", "passes"),
    "ram_lane_scales": _macro("passes"),
    "summer": _both("summed", "written"),
    "temporal_processor": {
        "switching": _dynamic("words", "written", "cycles", cells=("logic",)),
        "clock": (("instances", "cycles"),),
    },
    "work_counters": _both("computes", "cycles"),
    "image_writer": _both("bytes"),
    "ram_logits": _ram("passes"),
    "ram_program": _macro("fetches"),
    "logit_sender": _both("passes"),
    "temporal_core": _both("fetches", "cycles"),
    "program_reader": {
        "switching": _dynamic("cycles", cells=("logic",)),
        "clock": (("instances", "cycles"),),
    },
}
"""By role and kind of energy: pairs of what there is and how often it works."""


def terms_of(role: str) -> Mapping[str, Pairs]:
    """The terms of a role; what an accelerator has once is idle but for its pixels."""
    return TERMS.get(role, _SHARED)


@dataclass
class RoleCells:
    """What there is of one role in each layer: float arrays (layers,).

    Attributes
    ----------
    instances, flops, gates : blocks, flip-flops, clock gates
    free, held : of the flip-flops, those that every cycle clocks, and those behind clock gates;
        in tiles held are the sums alone, as the weights stand still
    logic : area of the other cells [µm²]
    seen : cells of tiles that are read at a time
    words : bits of a word of each memory that is no macro
    read, write : energy of one read of all macros, and of one write of one of them [pJ]
    macro_leakage : of the macros [µW]
    """

    instances: Floats
    flops: Floats
    gates: Floats
    free: Floats
    held: Floats
    logic: Floats
    seen: Floats
    words: Floats
    read: Floats
    write: Floats
    macro_leakage: Floats

    @classmethod
    def empty(cls, size: int) -> "RoleCells":
        """Nothing, of ``size`` layers."""
        return cls(*(np.zeros(size) for _ in range(11)))


def role_cells(parts: Iterable[Part], size: int, blocks: Mapping[str, Any]) -> dict[str, RoleCells]:
    """What there is of each role, in closed form; ``blocks`` are the fitted areas."""
    found: dict[str, RoleCells] = {}
    for part in parts:
        cells = found.setdefault(part.role, RoleCells.empty(size))
        shape, areas = part.shape, blocks[part.kind]["terms_um2"]
        logic = sum((areas[n] * t for n, t in shape.terms.items() if areas[n]), np.zeros(1))
        present = part.count
        if isinstance(shape, TileShape):
            cells.seen[part.where] += part.count * shape.seen_cells
        if isinstance(shape, RamShape):
            depth, width = np.asarray(shape.depth), np.asarray(shape.width)
            is_large, macro = is_macro(depth, width), macro_of(shape)
            cells.read[part.where] += part.count * is_large * macro.read_pj
            cells.write[part.where] += is_large * macro.write_pj
            cells.words[part.where] += part.count * ~is_large * width
            leakage_uw = 1000 * macro.banks * macro.bank_leakage_mw
            cells.macro_leakage[part.where] += part.count * is_large * leakage_uw
            present = part.count * ~is_large
        cells.instances[part.where] += part.count
        cells.flops[part.where] += present * shape.flops
        cells.gates[part.where] += present * shape.gates
        cells.free[part.where] += present * shape.free_flops
        cells.held[part.where] += present * shape.held_flops
        cells.logic[part.where] += present * logic
    return found


def works(layers: LayerShape, cycles: Floats) -> dict[str, Floats]:
    """How often blocks work for one image, by name; ``cycles`` from one image to the next."""
    positions = layers.positions.astype(np.float64)
    crossbar = layers.is_crossbar == 1
    grid = layers.crossbar.grid.cycles
    vectors = np.where(crossbar, positions / layers.copies, 0.0)
    vector_cycles = vectors * grid
    # A ring of sums moves with every code; with memories with every share, and its end with codes.
    planes, shares = layers.input_bits, layers.column_sharing
    in_memory = layers.crossbar.grid.has_memory == 1
    codes = vectors * np.where(in_memory, shares + planes - 1, planes * shares)
    reads = np.where(layers.is_sar == 1, vector_cycles, vectors * shares)
    # With one column to a readout that takes all rows, only the inputs change.
    is_still = grid == layers.input_bits
    pe = layers.pe_array
    batches = np.where(crossbar, 0, -(-pe.positions // pe.pixels))
    maps = (layers.out_height // layers.pool) * (layers.out_width // layers.pool)
    return {
        "cycles": np.asarray(cycles, np.float64),
        "positions": positions,
        "vectors": vectors,
        "vector_cycles": vector_cycles,
        "turning_cycles": vector_cycles * ~is_still,
        "still_cycles": vector_cycles * is_still,
        "codes": codes,
        "planes": vectors * planes * np.where(in_memory, shares, 1),
        "cell_reads": np.where(in_memory, reads, 0.0),
        "loose_codes": codes * (layers.pool == 1),
        "pe_signs": batches * pe.mask_words,
        "pe_bits": batches * pe.blocks * pe.banks * layers.input_bits,
        "pe_rounds": batches * pe.blocks * layers.input_bits,
        "pe_stores": np.where(crossbar, 0.0, positions * pe.blocks),
        "summed": layers.summed * 1.0,
        "pixels": layers.window.padded_height * layers.window.padded_width * 1.0,
        "maps": maps * 1.0,
        "results": maps * layers.requantizer.chunks * 1.0,
    }
