"""Zero-delay simulation of a mapped netlist, up to 64 runs side by side, counting every toggle."""

import ctypes
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError

from .flat_netlist import FlatNetlist
from .nldm import Ints
from .simulation_kernel import kernel, operand_pins

__all__ = ["LANES", "Activity", "NetlistSimulation"]

LANES = 64
"""Runs that one simulation can hold: each net is a word of as many bits."""
PARTS = 64
ALL = np.uint64((1 << PARTS) - 1)
"""Every part must be evaluated."""

Words = NDArray[np.uint64]
FLIP_FLOPS = frozenset({"DFF_X1", "DFF_X2"})


@dataclass(frozen=True)
class Activity:
    """What happened in some cycles, summed over all lanes.

    Attributes
    ----------
    cycles, lanes : int
    toggles : int array (nets,)
        By net of the flat netlist; clock nets have none here.
    flop_clocks, flop_toggles : dict of str to int array
        By type of flip-flop and cell: clock pulses it got, and changes of its state.
    gate_clocks : dict of str to int array
        By type of clock gate and cell: pulses it let through.
    reads, writes : int array
        Accesses of each memory macro.
    """

    cycles: int
    lanes: int
    toggles: Ints
    flop_clocks: dict[str, Ints]
    flop_toggles: dict[str, Ints]
    gate_clocks: dict[str, Ints]
    reads: Ints
    writes: Ints

    def __sub__(self, other: "Activity") -> "Activity":
        def less(name: str) -> dict[str, Ints]:
            mine, theirs = getattr(self, name), getattr(other, name)
            return {kind: mine[kind] - theirs[kind] for kind in mine}

        return Activity(
            cycles=self.cycles - other.cycles,
            lanes=self.lanes,
            toggles=self.toggles - other.toggles,
            flop_clocks=less("flop_clocks"),
            flop_toggles=less("flop_toggles"),
            gate_clocks=less("gate_clocks"),
            reads=self.reads - other.reads,
            writes=self.writes - other.writes,
        )


class NetlistSimulation:
    """A flat netlist that runs, cycle by cycle.

    Each cycle every gate is evaluated once, inputs before outputs, so that a net toggles at most
    once a cycle: delays, and with them glitches, are left out. Registers and macros start at 0, or,
    as after power-up, with anything.
    All flip-flops must hang on one clock, directly or behind one clock gate. Gates of modules in
    which nothing changed are passed over; so :attr:`values` is changed by :meth:`set` alone.

    Parameters
    ----------
    flat : FlatNetlist
    lanes : int, 1 to 64
        Runs side by side. Bit k of every word belongs to lane k.
    clock : str
        The clock's port.
    seed : int, optional
        Of random values in all registers and macros at the start.

    Raises
    ------
    ValueError
        If ``lanes`` is not in range.
    UserError
        If a cell is of a kind that is not known here, or gates form a loop.
    """

    def __init__(
        self, flat: FlatNetlist, *, lanes: int = LANES, clock: str = "clk", seed: int | None = None
    ) -> None:
        if not 1 <= lanes <= LANES:
            raise ValueError(f"lanes must be 1 to {LANES}, not {lanes!r}")
        self.flat = flat
        self.lanes = lanes
        self.mask = np.uint64((1 << lanes) - 1)
        self.cycles = 0
        self._kernel = kernel()
        self._clock = int(flat.ports[clock][0]) if clock in flat.ports else -1
        self._number()
        self._registers()
        self._memories()
        self._dirty = np.full(1, ALL, np.uint64)
        self.values = np.zeros(self._slots, np.uint64)
        self._counts = np.zeros(self._slots, np.uint64)
        for kind, value in (("LOGIC1_X1", self.mask), ("LOGIC0_X1", np.uint64(0))):
            if kind in flat.groups:
                self.values[self.slot[flat.groups[kind].pins["Z"]]] = value
        if seed is not None:
            rng = np.random.default_rng(seed)
            for array, places in ((self.values, self._flops), (self._memory, slice(None))):
                some = array[places]
                array[places] = rng.integers(0, 1 << 64, some.shape, np.uint64) & self.mask

    def _number(self) -> None:
        """Order the gates by level and type; give each net a slot, outputs in that order."""
        flat, codes = self.flat, self._kernel.codes
        # (code, output nets, input nets (n, 6), instances)
        parts: list[tuple[int, Ints, Ints, Ints]] = []
        for kind, group in flat.groups.items():
            if kind.startswith("LOGIC") or group.cell.is_sequential:
                continue
            for pin, entry in group.cell.pins.items():
                if entry.direction == "output" and entry.function is not None:
                    used = np.flatnonzero(group.pins[pin] >= 0)
                    ends = operand_pins(entry.function)
                    parts.append((
                        codes[entry.function],
                        group.pins[pin][used],
                        _padded([group.pins[p][used] for p in ends], len(used)),
                        group.owner[used],
                    ))
        for kind in sorted(FLIP_FLOPS & set(flat.groups)):
            pins = flat.groups[kind].pins
            used = np.flatnonzero(pins["QN"] >= 0)
            none, owner = np.zeros((len(used), 6), np.int64), flat.groups[kind].owner[used]
            parts.append((codes["!A"], pins["QN"][used], none, owner))
        code = np.concatenate([np.full(len(p[1]), p[0]) for p in parts] or [np.zeros(0, int)])
        out = np.concatenate([p[1] for p in parts] or [np.zeros(0, np.int64)])
        ins = np.concatenate([p[2] for p in parts] or [np.zeros((0, 6), np.int64)])
        owner = np.concatenate([p[3] for p in parts] or [np.zeros(0, np.int64)])
        part = self._parts(owner)
        # State of each flip-flop: the net on Q, or a net of its own; QN inverts it.
        self._nets = flat.nets
        at = len(out) - sum(
            int((flat.groups[k].pins["QN"] >= 0).sum()) for k in FLIP_FLOPS & set(flat.groups)
        )
        self._state: dict[str, Ints] = {}
        for kind in sorted(FLIP_FLOPS & set(flat.groups)):
            pins = flat.groups[kind].pins
            state = pins["Q"].copy()
            bare = state < 0
            state[bare] = self._nets + np.arange(int(bare.sum()))
            self._nets += int(bare.sum())
            self._state[kind] = state
            used = pins["QN"] >= 0
            ins[at : at + int(used.sum())] = -1
            ins[at : at + int(used.sum()), 0] = state[used]
            at += int(used.sum())
        level = self._levels(out, ins)
        order = np.lexsort((out, code, part, level))
        code, out, ins, level = code[order], out[order], ins[order], level[order]
        part = part[order]
        driven = np.zeros(self._nets, bool)
        driven[out] = True
        sources = np.flatnonzero(~driven)
        self.slot = np.zeros(self._nets + 1, np.int64)  # the last: what is not connected, always 0
        self.slot[sources] = 1 + np.arange(len(sources))
        self._first = 1 + len(sources)
        self.slot[out] = self._first + np.arange(len(out))
        self._slots = self._first + len(out)
        self._inputs = np.ascontiguousarray(self.slot[ins], np.int32)
        new = np.diff(code) | np.diff(level) | np.diff(part)
        change = np.flatnonzero(new) + 1 if len(code) else []
        starts = np.concatenate([[0], change]).astype(np.int64) if len(code) else np.zeros(0, int)
        sizes = np.diff(np.append(starts, len(code)))
        self._runs = np.ascontiguousarray(np.stack([code[starts], sizes], 1), np.int32)
        bit = np.uint64(1) << part.astype(np.uint64)
        self._run_parts = bit[starts]
        self._readers = np.zeros(self._slots, np.uint64)
        """Parts that read a slot."""
        for column in self._inputs.T:
            np.bitwise_or.at(self._readers, column, bit)
        read = self._readers[self._first :]
        self._run_readers = (
            np.bitwise_or.reduceat(read, starts) if len(code) else np.zeros(0, np.uint64)
        )

    def _parts(self, owner: Ints) -> Ints:
        """Cut the gates into at most 64 parts, by their modules: one is skipped while it rests."""
        names = np.array(self.flat.modules)[owner]
        _, which, sizes = np.unique(names, return_inverse=True, return_counts=True)
        rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
        return np.minimum(rank, PARTS - 1)[which]

    def _levels(self, out: Ints, ins: Ints) -> Ints:
        """Length of the longest path of gates before each gate."""
        driver = np.full(self._nets + 1, -1)
        driver[out] = np.arange(len(out))
        before = driver[ins]  # a net -1 is the last, which nothing drives
        rows, columns = np.nonzero(before >= 0)
        source, target = before[rows, columns], rows
        waiting = np.bincount(target, minlength=len(out))
        order = np.argsort(source, kind="stable")
        target = target[order]
        first = np.searchsorted(source[order], np.arange(len(out) + 1))
        level = np.zeros(len(out), np.int64)
        front = np.flatnonzero(waiting == 0)
        done = depth = 0
        while len(front):
            level[front] = depth
            done += len(front)
            depth += 1
            starts, counts = first[front], first[front + 1] - first[front]
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            reached = target[np.repeat(starts, counts) + within]
            np.subtract.at(waiting, reached, 1)
            reached = np.unique(reached)
            front = reached[waiting[reached] == 0]
        if done != len(out):
            raise UserError(f"{self.flat.design.top}: gates form a loop, there is no simulation")
        return level

    def _registers(self) -> None:
        groups = self.flat.groups
        gate_of: dict[int, int] = {}
        enables: list[Ints] = []
        self._gate_rows: dict[str, slice] = {}
        count = 0
        strange = [
            k
            for k, g in groups.items()
            if g.cell.is_sequential and not g.cell.is_clock_gate and k not in FLIP_FLOPS
        ]
        if strange:
            raise UserError(f"cell {strange[0]} is not known to the netlist simulation")
        for kind in (k for k, g in groups.items() if g.cell.is_clock_gate):
            pins = groups[kind].pins
            if (pins["CK"] != self._clock).any():
                raise UserError(
                    f"{kind} must hang on the clock itself", value="behind another gate"
                )
            size = len(pins["E"])
            gate_of |= {int(n): count + i for i, n in enumerate(pins["GCK"])}
            enables.append(self.slot[pins["E"]])
            self._gate_rows[kind] = slice(count, count + size)
            count += size
        self._gates = np.ascontiguousarray(np.concatenate([*enables, np.zeros(0)]), np.int32)
        data, state, gate = [], [], []
        self._flop_rows: dict[str, slice] = {}
        flops = 0
        for kind, nets in self._state.items():
            pins = groups[kind].pins
            data.append(self.slot[pins["D"]])
            state.append(self.slot[nets])
            gate.append(
                np.array([-1 if n == self._clock else gate_of[int(n)] for n in pins["CK"]], int)
            )
            self._flop_rows[kind] = slice(flops, flops + len(nets))
            flops += len(nets)
        empty = np.zeros(0)
        self._flops = np.ascontiguousarray(np.concatenate([*state, empty]), np.int32)
        self._gate = np.ascontiguousarray(np.concatenate([*gate, empty]), np.int32)
        # The kernel has them by their gates, to pass over those whose gate is closed.
        order = np.argsort(self._gate, kind="stable")
        self._data = np.ascontiguousarray(np.concatenate([*data, empty])[order], np.int32)
        self._states = np.ascontiguousarray(self._flops[order])
        found, first = np.unique(self._gate[order], return_index=True)
        groups = [*zip(found, first, strict=True), (0, len(order))]
        self._groups = np.ascontiguousarray(groups, np.int32)
        self._enabled = np.zeros(len(self._gates) + 1, np.uint64)
        self._gate_counts = np.zeros(len(self._gates) + 1, np.uint64)

    def _memories(self) -> None:
        """Lay out, for each macro: sizes, offset of its bits, then the slots of its ports."""
        table: list[int] = []
        rows = []
        offset = 0
        for macro in self.flat.macros:
            pins = {name: self.slot[nets] for name, nets in macro.pins.items()}
            rows.append(len(table))
            address = len(pins["write_address"])
            table += [macro.macro.depth, macro.macro.width, address, offset]
            for port in ("write_enable", "read_enable", "write_address", "read_address"):
                table += [int(n) for n in pins[port]]
            table += [int(n) for n in pins["write_data"]]
            table += [int(n) for n in pins["read_data"]]
            offset += macro.macro.depth * macro.macro.width
        self._memory_rows = np.array(rows, np.int32)
        self._memory_table = np.array([*table, 0], np.int64)
        self._memory = np.zeros(offset + 1, np.uint64)
        self._accesses = np.zeros((len(rows) + 1, 3), np.uint64)  # reads, writes, reads now
        words = sum(macro.macro.width for macro in self.flat.macros)
        self._next = np.zeros(len(self._flops) + words + 1, np.uint64)

    def port(self, name: str) -> Ints:
        """Slots of a top port's bits in :attr:`values`."""
        return self.slot[self.flat.ports[name]]

    def set(self, name: str, words: Words) -> None:
        """Put one word (all lanes) on each bit of an input."""
        places = self.port(name)
        new = np.asarray(words, np.uint64) & self.mask
        change = self.values[places] ^ new
        self._counts[places] += np.bitwise_count(change)
        self._dirty[0] |= np.bitwise_or.reduce(self._readers[places[change != 0]])
        self.values[places] = new

    def evaluate(self) -> None:
        """Let the gates follow the inputs and registers; call once a cycle."""
        self._kernel.library.evaluate(
            _at(self._runs),
            _at(self._run_parts),
            _at(self._run_readers),
            ctypes.c_int64(len(self._runs)),
            _at(self._inputs),
            _at(self.values),
            _at(self._counts),
            ctypes.c_int64(self._first),
            ctypes.c_uint64(int(self.mask)),
            _at(self._dirty),
        )

    def clock(self) -> None:
        """Make the clock edge: registers and macros take what stands at their inputs."""
        self._kernel.library.clock_edge(
            _at(self.values),
            _at(self._counts),
            ctypes.c_int64(len(self._gates)),
            _at(self._gates),
            _at(self._enabled),
            _at(self._gate_counts),
            ctypes.c_int64(len(self._groups) - 1),
            _at(self._groups),
            ctypes.c_int64(len(self._flops)),
            _at(self._data),
            _at(self._states),
            _at(self._next),
            ctypes.c_int64(len(self._memory_rows)),
            _at(self._memory_rows),
            _at(self._memory_table),
            _at(self._memory),
            _at(self._accesses),
            _at(self._readers),
            ctypes.c_uint64(int(self.mask)),
            _at(self._dirty),
        )
        self.cycles += 1

    def activity(self) -> Activity:
        """Return what happened until now; a difference of two says what happened in between."""
        pulses = self._gate_counts[:-1].astype(np.int64)
        always = np.full(1, self.cycles * self.lanes, np.int64)
        of_flop = np.append(pulses, always)[self._gate]  # gate -1 is the last: the clock itself
        toggles = self._counts[self.slot[: self.flat.nets]].astype(np.int64)
        state = self._counts[self._flops].astype(np.int64)
        return Activity(
            cycles=self.cycles,
            lanes=self.lanes,
            toggles=toggles,
            flop_clocks={kind: of_flop[rows] for kind, rows in self._flop_rows.items()},
            flop_toggles={kind: state[rows] for kind, rows in self._flop_rows.items()},
            gate_clocks={kind: pulses[rows] for kind, rows in self._gate_rows.items()},
            reads=self._accesses[:-1, 0].astype(np.int64),
            writes=self._accesses[:-1, 1].astype(np.int64),
        )


def _padded(columns: list[Ints], count: int) -> Ints:
    table = np.full((count, 6), -1, np.int64)
    for n, column in enumerate(columns):
        table[:, n] = column
    return table


def _at(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
