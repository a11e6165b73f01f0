"""Gates of a flat netlist in the order in which a simulation evaluates them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError

from .activity import FLIP_FLOPS
from .flat_netlist import FlatNetlist
from .nldm import Ints
from .simulation_kernel import operand_pins

__all__ = ["PARTS", "GateOrder"]

PARTS = 64
"""Parts that the gates are cut into at most: a word has a bit for each."""

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class GateOrder:
    """Inputs before outputs, in runs of one function, level and part; each net has a slot.

    Attributes
    ----------
    state : dict of str to int array
        By type of flip-flop, the net that holds the state of each: the one on Q, or one beyond
        those of the netlist.
    slot : int array
        By net; one more, the last, is what is not connected, always 0.
    first, slots : int
        Slot of the first gate's output, and number of all: sources come first, outputs follow in
        the order of their gates.
    inputs : int32 array (gates, 6)
        Slots.
    runs : int32 array (runs, 2)
        Code of the function, and number of gates.
    run_parts, run_readers : uint64 array (runs,)
        The part of a run, a bit, and the parts that read its outputs.
    readers : uint64 array (slots,)
        Parts that read a slot.
    """

    state: dict[str, Ints]
    slot: Ints
    first: int
    slots: int
    inputs: NDArray[np.int32]
    runs: NDArray[np.int32]
    run_parts: Words
    run_readers: Words
    readers: Words

    @classmethod
    def of(cls, flat: FlatNetlist, codes: Mapping[str, int]) -> "GateOrder":
        """Order the gates by level and function; give each net a slot, outputs in that order.

        Raises
        ------
        UserError
            If gates form a loop.
        """
        state, nets = _states(flat)
        code, out, ins, owner = _gates(flat, codes, state)
        part = _parts(flat, owner)
        level = _levels(flat, nets, out, ins)
        order = np.lexsort((out, code, part, level))
        code, out, ins, level = code[order], out[order], ins[order], level[order]
        part = part[order]
        driven = np.zeros(nets, bool)
        driven[out] = True
        sources = np.flatnonzero(~driven)
        slot = np.zeros(nets + 1, np.int64)
        slot[sources] = 1 + np.arange(len(sources))
        first = 1 + len(sources)
        slot[out] = first + np.arange(len(out))
        slots = first + len(out)
        inputs = np.ascontiguousarray(slot[ins], np.int32)
        new = np.diff(code) | np.diff(level) | np.diff(part)
        change = np.flatnonzero(new) + 1 if len(code) else []
        starts = np.concatenate([[0], change]).astype(np.int64) if len(code) else np.zeros(0, int)
        sizes = np.diff(np.append(starts, len(code)))
        bit = np.uint64(1) << part.astype(np.uint64)
        readers = np.zeros(slots, np.uint64)
        for column in inputs.T:
            np.bitwise_or.at(readers, column, bit)
        read = readers[first:]
        return cls(
            state=state,
            slot=slot,
            first=first,
            slots=slots,
            inputs=inputs,
            runs=np.ascontiguousarray(np.stack([code[starts], sizes], 1), np.int32),
            run_parts=bit[starts],
            run_readers=(
                np.bitwise_or.reduceat(read, starts) if len(code) else np.zeros(0, np.uint64)
            ),
            readers=readers,
        )


def _states(flat: FlatNetlist) -> tuple[dict[str, Ints], int]:
    """State of each flip-flop: the net on Q, or a net of its own; and how many nets there are."""
    nets = flat.nets
    states: dict[str, Ints] = {}
    for kind in sorted(FLIP_FLOPS & set(flat.groups)):
        state = flat.groups[kind].pins["Q"].copy()
        bare = state < 0
        state[bare] = nets + np.arange(int(bare.sum()))
        nets += int(bare.sum())
        states[kind] = state
    return states, nets


def _gates(
    flat: FlatNetlist, codes: Mapping[str, int], states: dict[str, Ints]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Code, output net, input nets (n, 6) and instance of each gate; QN inverts a state."""
    parts: list[tuple[int, Ints, Ints, Ints]] = []
    for kind, group in flat.groups.items():
        if kind.startswith("LOGIC") or group.cell.is_sequential:
            continue
        for pin, entry in group.cell.pins.items():
            if entry.direction == "output" and entry.function is not None:
                used = np.flatnonzero(group.pins[pin] >= 0)
                ends = operand_pins(entry.function)
                ins = _padded([group.pins[p][used] for p in ends], len(used))
                out, owner = group.pins[pin][used], group.owner[used]
                parts.append((codes[entry.function], out, ins, owner))
    for kind, state in states.items():
        group = flat.groups[kind]
        used = np.flatnonzero(group.pins["QN"] >= 0)
        ins = _padded([state[used]], len(used))
        parts.append((codes["!A"], group.pins["QN"][used], ins, group.owner[used]))
    code = np.concatenate([np.full(len(p[1]), p[0]) for p in parts] or [np.zeros(0, int)])
    out = np.concatenate([p[1] for p in parts] or [np.zeros(0, np.int64)])
    ins = np.concatenate([p[2] for p in parts] or [np.zeros((0, 6), np.int64)])
    owner = np.concatenate([p[3] for p in parts] or [np.zeros(0, np.int64)])
    return code, out, ins, owner


def _parts(flat: FlatNetlist, owner: Ints) -> Ints:
    """Cut the gates into at most 64 parts, by their modules: one is skipped while it rests."""
    names = np.array(flat.modules)[owner]
    _, which, sizes = np.unique(names, return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return np.minimum(rank, PARTS - 1)[which]


def _levels(flat: FlatNetlist, nets: int, out: Ints, ins: Ints) -> Ints:
    """Length of the longest path of gates before each gate."""
    driver = np.full(nets + 1, -1)
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
        raise UserError(f"{flat.design.top}: gates form a loop, there is no simulation")
    return level


def _padded(columns: list[Ints], count: int) -> Ints:
    table = np.full((count, 6), -1, np.int64)
    for n, column in enumerate(columns):
        table[:, n] = column
    return table
