"""Zero-delay simulation of a mapped netlist, up to 64 runs side by side, counting every toggle."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from .activity import Activity
from .flat_netlist import FlatNetlist
from .gate_order import GateOrder
from .macro_layout import MacroLayout
from .nldm import Ints
from .register_layout import RegisterLayout
from .simulation_kernel import kernel

__all__ = ["ALL", "LANES", "NetlistSimulation"]

LANES = 64
"""Runs that one simulation can hold: each net is a word of as many bits."""
ALL = np.uint64((1 << 64) - 1)
"""Every part of the gates must be evaluated."""

Words = NDArray[np.uint64]


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
        clock_net = int(flat.ports[clock][0]) if clock in flat.ports else -1
        self._order = order = GateOrder.of(flat, self._kernel.codes)
        self._registers = registers = RegisterLayout.of(flat, order, clock_net)
        self._macros = macros = MacroLayout.of(flat, order)
        self.slot = order.slot
        self.values = np.zeros(order.slots, np.uint64)
        self._counts = np.zeros(order.slots, np.uint64)
        self._dirty = np.full(1, ALL, np.uint64)
        self._enabled = np.zeros(len(registers.gates) + 1, np.uint64)
        self._gate_counts = np.zeros(len(registers.gates) + 1, np.uint64)
        self._memory = np.zeros(macros.bits + 1, np.uint64)
        self._accesses = np.zeros((len(macros.rows) + 1, 3), np.uint64)  # reads, writes, reads now
        self._next = np.zeros(len(registers.flops) + macros.words + 1, np.uint64)
        for kind, value in (("LOGIC1_X1", self.mask), ("LOGIC0_X1", np.uint64(0))):
            if kind in flat.groups:
                self.values[self.slot[flat.groups[kind].pins["Z"]]] = value
        if seed is not None:
            rng = np.random.default_rng(seed)
            for array, places in ((self.values, registers.flops), (self._memory, slice(None))):
                some = array[places]
                array[places] = rng.integers(0, 1 << 64, some.shape, np.uint64) & self.mask

    def port(self, name: str) -> Ints:
        """Slots of a top port's bits in :attr:`values`."""
        return self.slot[self.flat.ports[name]]

    def set(self, name: str, words: Words) -> None:
        """Put one word (all lanes) on each bit of an input."""
        places = self.port(name)
        new = np.asarray(words, np.uint64) & self.mask
        change = self.values[places] ^ new
        self._counts[places] += np.bitwise_count(change)
        self._dirty[0] |= np.bitwise_or.reduce(self._order.readers[places[change != 0]])
        self.values[places] = new

    def evaluate(self) -> None:
        """Let the gates follow the inputs and registers; call once a cycle."""
        order = self._order
        self._kernel.library.evaluate(
            _at(order.runs),
            _at(order.run_parts),
            _at(order.run_readers),
            ctypes.c_int64(len(order.runs)),
            _at(order.inputs),
            _at(self.values),
            _at(self._counts),
            ctypes.c_int64(order.first),
            ctypes.c_uint64(int(self.mask)),
            _at(self._dirty),
        )

    def clock(self) -> None:
        """Make the clock edge: registers and macros take what stands at their inputs."""
        registers, macros = self._registers, self._macros
        self._kernel.library.clock_edge(
            _at(self.values),
            _at(self._counts),
            ctypes.c_int64(len(registers.gates)),
            _at(registers.gates),
            _at(self._enabled),
            _at(self._gate_counts),
            ctypes.c_int64(len(registers.groups) - 1),
            _at(registers.groups),
            ctypes.c_int64(len(registers.flops)),
            _at(registers.data),
            _at(registers.states),
            _at(self._next),
            ctypes.c_int64(len(macros.rows)),
            _at(macros.rows),
            _at(macros.table),
            _at(self._memory),
            _at(self._accesses),
            _at(self._order.readers),
            ctypes.c_uint64(int(self.mask)),
            _at(self._dirty),
        )
        self.cycles += 1

    def activity(self) -> Activity:
        """Return what happened until now; a difference of two says what happened in between."""
        registers = self._registers
        pulses = self._gate_counts[:-1].astype(np.int64)
        always = np.full(1, self.cycles * self.lanes, np.int64)
        of_flop = np.append(pulses, always)[registers.gate]  # gate -1 is the last: the clock itself
        toggles = self._counts[self.slot[: self.flat.nets]].astype(np.int64)
        state = self._counts[registers.flops].astype(np.int64)
        return Activity(
            cycles=self.cycles,
            lanes=self.lanes,
            toggles=toggles,
            flop_clocks={kind: of_flop[rows] for kind, rows in registers.flop_rows.items()},
            flop_toggles={kind: state[rows] for kind, rows in registers.flop_rows.items()},
            gate_clocks={kind: pulses[rows] for kind, rows in registers.gate_rows.items()},
            reads=self._accesses[:-1, 0].astype(np.int64),
            writes=self._accesses[:-1, 1].astype(np.int64),
        )


def _at(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
