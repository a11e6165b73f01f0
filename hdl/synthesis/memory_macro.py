"""Area, energy and access time of an on-chip memory at 45 nm, by a formula fitted to CACTI."""

import argparse
import csv
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kakure.hdl.memory.ram_shape import CELLS
from kakure.hdl.shape.numbers import Number, at_least, ceil_div

__all__ = [
    "SOURCE",
    "Fit",
    "MemoryMacro",
    "fit",
    "is_macro",
    "memory_macro",
    "options",
    "run",
    "source_of",
    "table_of",
]

COEFFICIENTS = Path(__file__).with_name("memory_macro.json")
SOURCE = "CACTI 7 (zigzag-dse 3.9.1), 45 nm LOP, 1R1W, fitted: hdl/synthesis/memory_macro.json"

LEAST_DEPTH, MOST_DEPTH = 32, 2048
LEAST_WIDTH, MOST_WIDTH = 8, 64
LEAST_BITS = 512

TERMS = ("1", "width", "depth", "depth*width", "width*sqrt(depth)", "sqrt(depth*width)")
QUANTITIES = {
    "area_um2": ("1", "width", "depth", "depth*width"),
    "read_pj": ("1", "width", "depth", "depth*width", "width*sqrt(depth)"),
    "write_pj": ("1", "width", "depth", "depth*width", "width*sqrt(depth)"),
    "leakage_mw": ("1", "width", "depth", "depth*width"),
    "access_ns": ("1", "width", "depth", "sqrt(depth*width)"),
}


@dataclass(frozen=True)
class Fit:
    """One quantity as a sum of non-negative coefficients × terms, and how far off it is.

    ``mean_error`` and ``max_error`` are relative, over the points of the table.
    """

    coefficients: dict[str, float]
    mean_error: float
    max_error: float

    def __call__(self, depth: Any, width: Any) -> Any:
        """Evaluate for ``depth`` words of ``width`` bits."""
        return sum(c * _term(name, depth, width) for name, c in self.coefficients.items())


@dataclass(frozen=True)
class MemoryMacro:
    """A memory of one read and one write port, or many: then each attribute is an array.

    Attributes
    ----------
    depth, width, banks : int
        Words, bits of a word, and the number of equal macros that it is made of.
    cells : str
        One of :data:`kakure.hdl.memory.ram_shape.CELLS`.
    area_um2, access_ns : float
        Of the whole memory.
    bank_leakage_mw : float
        Of each macro.
    read_pj, write_pj : float
        Of one access to one whole word.
    """

    depth: Number
    width: Number
    banks: Number
    cells: str
    area_um2: Any
    access_ns: Any
    read_pj: Any
    write_pj: Any
    bank_leakage_mw: Any

    @property
    def leakage_mw(self) -> Any:
        """Of the whole memory."""
        return self.banks * self.bank_leakage_mw


def _term(name: str, depth: Any, width: Any) -> Any:
    match name:
        case "1":
            return 1.0
        case "width":
            return width
        case "depth":
            return depth
        case "depth*width":
            return depth * width
        case "width*sqrt(depth)":
            return width * _root(depth)
        case _:
            return _root(depth * width)


def _root(number: Any) -> Any:
    return np.sqrt(number) if isinstance(number, np.ndarray) else math.sqrt(number)


def table_of(cells: str) -> Path:
    """What CACTI says of memories of some cells."""
    return Path(__file__).with_name(f"cacti_45nm_{cells}.csv")


def fit(cells: str) -> dict[str, Fit]:
    """Fit every quantity to a table: least squares of the relative error, no negative terms."""
    with table_of(cells).open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    sizes = [(float(row["depth_words"]), float(row["width_bits"])) for row in rows]
    fits = {}
    for quantity, names in QUANTITIES.items():
        measured = np.array([float(row[quantity]) for row in rows])
        kept = list(names)
        while True:
            terms = np.array([[_term(n, d, w) for n in kept] for d, w in sizes])
            solution = np.linalg.lstsq(terms / measured[:, None], np.ones(len(rows)), rcond=None)[0]
            if solution.min() >= 0:
                break
            kept.pop(int(solution.argmin()))
        coefficients = {n: float(f"{c:.6g}") for n, c in zip(kept, solution, strict=True)}
        errors = np.abs(terms @ np.array(list(coefficients.values())) / measured - 1)
        fits[quantity] = Fit(
            coefficients, *(round(float(e), 4) for e in (errors.mean(), errors.max()))
        )
    return fits


@lru_cache(maxsize=1)
def _fits() -> dict[str, dict[str, Fit]]:
    """The fitted quantities, by cells."""
    return {
        cells: {name: Fit(**entry) for name, entry in entries.items()}
        for cells, entries in json.loads(COEFFICIENTS.read_text(encoding="utf-8")).items()
    }


def is_macro(depth: Number, width: Number) -> Any:
    """Say whether a memory is big enough for a macro; a smaller one is made of flip-flops."""
    return (depth >= LEAST_DEPTH) & (depth * at_least(width, LEAST_WIDTH) >= LEAST_BITS)


def source_of(macros: Iterable[MemoryMacro]) -> str:
    """What the estimates of some memories come from; where there are none, of LOP cells."""
    kinds = {macro.cells for macro in macros} or {CELLS[0]}
    return SOURCE.replace("LOP", " and ".join(one.upper() for one in CELLS if one in kinds))


def memory_macro(depth: Number, width: Number, cells: str = "lop") -> MemoryMacro:
    """Estimate a memory of one read and one write port at 45 nm, or many.

    Each quantity is Σ coefficient × term, for instance ``area = a + b·width + c·depth +
    d·depth·width``, with the coefficients in ``memory_macro.json``. The fit covers 32 to 2048
    words of 8 to 64 bits. A bigger memory is a grid of equal banks within that range, whose
    selection is not counted; a word of less than 8 bits costs as much as one of 8.

    Parameters
    ----------
    depth : int, at least 32, or array
        Words.
    width : int, at least 1, or array
        Bits of a word.
    cells : str
        One of :data:`kakure.hdl.memory.ram_shape.CELLS`.

    Raises
    ------
    ValueError
        If the memory is too small for a macro (:func:`is_macro`). Of many such ones the numbers
        mean nothing.

    Source
    ------
    CACTI 7 (Balasubramonian et al., ACM TACO 14(2), 2017, doi:10.1145/3085572), from the wheel
    zigzag-dse 3.9.1; ``cacti_45nm_lop.csv`` and ``cacti_45nm_lstp.csv`` state its settings.
    """
    if not isinstance(depth, np.ndarray) and not is_macro(depth, width):
        raise ValueError(
            f"a macro must have at least {LEAST_DEPTH} words and {LEAST_BITS} bits, "
            f"not {depth!r} words of {width!r} bits"
        )
    deep, wide = ceil_div(depth, MOST_DEPTH), ceil_div(width, MOST_WIDTH)
    words, bits = depth / deep, at_least(width / wide, LEAST_WIDTH)
    one = {name: quantity(words, bits) for name, quantity in _fits()[cells].items()}
    return MemoryMacro(
        depth=depth,
        width=width,
        banks=deep * wide,
        cells=cells,
        area_um2=deep * wide * one["area_um2"],
        access_ns=one["access_ns"],
        read_pj=wide * one["read_pj"],
        write_pj=wide * one["write_pj"],
        bank_leakage_mw=one["leakage_mw"],
    )


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--write", action="store_true", help="write the coefficients as data")


def run(args: argparse.Namespace) -> None:
    """Fit, and print the formulas with their errors."""
    fits = {cells: fit(cells) for cells in CELLS}
    if args.write:
        entries = {
            cells: {name: vars(entry) for name, entry in found.items()}
            for cells, found in fits.items()
        }
        COEFFICIENTS.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    for cells, found in fits.items():
        for name, entry in found.items():
            sum_ = " + ".join(f"{c:.4g}·{term}" for term, c in entry.coefficients.items())
            print(f"{cells} {name} = {sum_}")
            print(f"    off by {entry.mean_error:.1%} on average, {entry.max_error:.1%} at most")
