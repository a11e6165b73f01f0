"""The reference sweep: figures of a circuit simulator for one layer under many readouts."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.json_file import read_text
from kakure.model.errors import UserError

from .work import Readout

__all__ = ["SWEEP", "Sweep", "read_sweep"]

SWEEP = Path(__file__).with_name("xpert_sweep.csv")
"""Units and meaning of the columns: README.md beside it."""

TEXT = ("config", "layer", "AT")


@dataclass(frozen=True)
class Sweep:
    """Points of the sweep, one per row.

    Attributes
    ----------
    kind : str array of shape (n,)
        Column ``config``: cell, array size, node.
    readout : Readout
        What was varied.
    columns : dict of float arrays of shape (n,)
        Every column of numbers, by the name that the file gives it.
    """

    kind: NDArray[np.str_]
    readout: Readout
    columns: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.columns[name]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Sweep":
        """The points of ``rows``, a mask or indices."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Sweep(self.kind[rows], self.readout.take(rows), columns)


def read_sweep(path: Path = SWEEP) -> Sweep:
    """Read a sweep file.

    Raises
    ------
    UserError
        If the file cannot be read, lacks a column, or holds what is no number.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise UserError(f"is no table of points: {error}", file=path) from None
    if not rows:
        raise UserError("must hold at least one point", file=path)
    try:
        columns = {
            name: np.array([float(row[name]) for row in rows])
            for name in rows[0]
            if name not in TEXT
        }
        readout = Readout(
            column_sharing=columns["CS"],
            is_sar=np.array([row["AT"] == "SAR" for row in rows]),
            adc_bits=columns["AP_bits"],
            input_bits=columns["IP_bits"],
        )
        kind = np.array([row["config"] for row in rows])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"every point must have every column, as a number: {error}", file=path
        ) from None
    return Sweep(kind, readout, columns)
