"""The library's delay tables, stacked so that many lookups are one numpy expression."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .liberty import Arc, Cell, Library, Setup, Table

__all__ = ["Edge", "Floats", "Ints", "TableStack"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SIZE = 7


@dataclass(frozen=True)
class Edge:
    """One transition through a cell: rise or fall in (0, 1), rise or fall out, and its tables."""

    source: str
    target: str
    source_fall: int
    target_fall: int
    delay: int
    slew: int


def _padded(axis: tuple[float, ...]) -> list[float]:
    """Repeat the last step of an axis up to SIZE points, so that all tables have one shape."""
    points = list(axis)
    if len(points) == 1:
        points.append(points[0] + 1.0)
    step = points[-1] - points[-2]
    return [*points, *(points[-1] + step * (i + 1) for i in range(SIZE - len(points)))]


class TableStack:
    """All timing tables of a library, and the transitions of each of its cells.

    A lookup is bilinear between the four nearest table points, and linear beyond the edge.

    Parameters
    ----------
    library : Library
        Where the tables come from.

    Attributes
    ----------
    edges : dict of str to tuple of Edge
        By cell: the combinational transitions. Clock gates have none: the clock is ideal.
    launches : dict of str to tuple of Edge
        By cell: clock pin to output. ``source_fall`` is 0.
    setups : dict of str to dict of str to (int, int)
        By cell and data pin: the setup tables for a rising and a falling data pin.
    """

    def __init__(self, library: Library) -> None:
        self._axes_1: list[list[float]] = []
        self._axes_2: list[list[float]] = []
        self._values: list[Floats] = []
        self.edges: dict[str, tuple[Edge, ...]] = {}
        self.launches: dict[str, tuple[Edge, ...]] = {}
        self.setups: dict[str, dict[str, tuple[int, int]]] = {}
        for cell in library.cells.values():
            self._add(cell)
        self.axes_1 = np.array(self._axes_1)
        self.axes_2 = np.array(self._axes_2)
        self.values = np.array(self._values)

    def _table(self, table: Table) -> int:
        rows, columns = len(table.index_1), len(table.index_2)
        values = np.array(table.values)
        if columns == 1:
            values, columns = np.repeat(values, 2, axis=1), 2
        grid = np.zeros((SIZE, SIZE))
        grid[:rows, :columns] = values
        for i in range(columns, SIZE):
            grid[:, i] = 2 * grid[:, i - 1] - grid[:, i - 2]
        for i in range(rows, SIZE):
            grid[i] = 2 * grid[i - 1] - grid[i - 2]
        self._axes_1.append(_padded(table.index_1))
        self._axes_2.append(_padded(table.index_2))
        self._values.append(grid)
        return len(self._values) - 1

    def _arc(self, arc: Arc) -> list[Edge]:
        tables = (arc.cell_rise, arc.rise_transition), (arc.cell_fall, arc.fall_transition)
        launches = arc.kind.endswith("_edge")
        edges = []
        for target_fall, (delay, slew) in enumerate(tables):
            assert delay is not None and slew is not None
            sources = {
                "positive_unate": (target_fall,),
                "negative_unate": (1 - target_fall,),
                "non_unate": (0,) if launches else (0, 1),
            }[arc.sense]
            pair = self._table(delay), self._table(slew)
            edges += [Edge(arc.source, arc.target, s, target_fall, *pair) for s in sources]
        return edges

    def _setup(self, setup: Setup) -> tuple[int, int]:
        assert setup.rise is not None and setup.fall is not None
        return self._table(setup.rise), self._table(setup.fall)

    def _add(self, cell: Cell) -> None:
        def edges(*kinds: str) -> tuple[Edge, ...]:
            arcs = [arc for arc in cell.arcs if arc.kind in kinds]
            return tuple(edge for arc in arcs for edge in self._arc(arc))

        self.edges[cell.name] = () if cell.is_sequential else edges("combinational")
        is_flop = cell.is_sequential and not cell.is_clock_gate
        self.launches[cell.name] = edges("rising_edge", "falling_edge") if is_flop else ()
        self.setups[cell.name] = {s.pin: self._setup(s) for s in cell.setups}

    def lookup(self, table: Ints, x: Floats, y: Floats) -> Floats:
        """Look up ``table[i]`` at row ``x[i]`` (a slew, ns) and column ``y[i]`` (fF or ns)."""
        axes_1, axes_2 = self.axes_1[table], self.axes_2[table]
        i = np.sum(axes_1[:, 1:-1] <= x[:, None], axis=1)
        j = np.sum(axes_2[:, 1:-1] <= y[:, None], axis=1)
        n = np.arange(len(table))
        u = (x - axes_1[n, i]) / (axes_1[n, i + 1] - axes_1[n, i])
        v = (y - axes_2[n, j]) / (axes_2[n, j + 1] - axes_2[n, j])
        low = self.values[table, i, j] * (1 - v) + self.values[table, i, j + 1] * v
        high = self.values[table, i + 1, j] * (1 - v) + self.values[table, i + 1, j + 1] * v
        return low * (1 - u) + high * u
