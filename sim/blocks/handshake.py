"""Streams of flat payloads in cocotb: drive, take and check them in one coroutine.

One clock edge is waited for per cycle, and what is read after it is what it was before it: a bench
runs at some ten thousand cycles a second.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from .vectors import COMPLETES, NEEDS, TAKES, Case, Vectors

__all__ = ["PERIOD_NS", "Steps", "Trace", "deadline_ns", "exchange", "interrupt", "reset", "start"]

PERIOD_NS = 10
"""Clock period; the simulation is of cycles, not of delays."""

DRAIN = 12
"""Cycles in which nothing more may come, after everything that must."""

SLACK = 12
"""So many times the cycles of full rate may pass."""


def deadline_ns(vectors: Vectors) -> int:
    """Return the time that a test of all cases, each up to eight times, may take."""
    return PERIOD_NS * sum(9 * SLACK * case.cycles + 1000 for case in vectors.cases)


@dataclass
class Trace:
    """Cycles of one exchange, counted from its first.

    Attributes
    ----------
    taken : list of int
        When each input was taken.
    offered : list of int
        When each output was first offered.
    got : int
        How many outputs were compared and taken.
    """

    taken: list[int] = field(default_factory=list)
    offered: list[int] = field(default_factory=list)
    got: int = 0


class Steps:
    """The handshakes that a block promises, cycle by cycle.

    A block walks through steps. One is made in a cycle in which no output waits untaken and, where
    the step needs it, an input is there. What completes an output offers it in the next cycle, or
    ``delay`` unhindered cycles later.

    Parameters
    ----------
    steps, delay
        As in :class:`kakure.sim.blocks.vectors.Case` and
        :class:`kakure.sim.blocks.vectors.Vectors`.
    """

    def __init__(self, steps: str, delay: int) -> None:
        self.steps = [int(digit) for digit in steps]
        self.at = 0
        self.waits = False
        self.stages = deque([False] * delay)

    @property
    def is_at_start(self) -> bool:
        """Whether the block is as it was before the first step."""
        return self.at == 0 and not self.waits and not any(self.stages)

    def i_ready(self, o_ready: bool) -> bool:
        """Return what ``i.ready`` must be."""
        return (not self.waits or o_ready) and bool(self.steps[self.at] & TAKES)

    @property
    def o_valid(self) -> bool:
        """What ``o.valid`` must be."""
        return self.waits

    def clock(self, i_valid: bool, o_ready: bool) -> None:
        """Go on to the next cycle."""
        if self.waits and not o_ready:
            return
        current = self.steps[self.at]
        moves = i_valid or not current & NEEDS
        self.stages.append(moves and bool(current & COMPLETES))
        self.waits = self.stages.popleft()
        self.at = (self.at + moves) % len(self.steps)


async def start(dut: Any, vectors: Vectors) -> None:
    """Start the clock and reset the block, with every input at 0."""
    dut.i__valid.value = 0
    dut.i__payload.value = 0
    dut.o__ready.value = 0
    if vectors.write_port:
        getattr(dut, vectors.write_port).value = 0
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await RisingEdge(dut.clk)
    await reset(dut)


async def reset(dut: Any) -> None:
    """Reset the block for one cycle."""
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    dut.rst.value = 0


async def exchange(
    dut: Any,
    vectors: Vectors,
    case: Case,
    steps: Steps,
    *,
    gaps: Random | None = None,
    stalls: Random | None = None,
) -> Trace:
    """Set the block up for ``case``, send its inputs and compare everything that comes.

    Without ``gaps`` an input is offered in every cycle, without ``stalls`` every output is taken at
    once; with them, now and then. An output is compared in every cycle in which it is offered, and
    both handshakes in every cycle with what the block promises: that includes the rule that an
    offered payload stays until it is taken.

    Raises
    ------
    AssertionError
        If anything differs; the message names vector, channel, and both values.
    """
    await _write(dut, vectors, case, gaps)
    edge = RisingEdge(dut.clk)
    i_valid, i_ready, i_payload = dut.i__valid, dut.i__ready, dut.i__payload
    o_valid, o_ready, o_payload = dut.o__valid, dut.o__ready, dut.o__payload
    trace = Trace()
    needed = len(case.outputs) - case.extra
    limit = SLACK * case.cycles
    got = cycle = idle = 0
    is_offered = is_seen = False
    while idle < DRAIN:
        assert cycle < limit, f"DEADLINE {case.name}: {got} of {needed} results in {limit} cycles"
        sent = len(trace.taken)
        if not is_offered and sent < len(case.inputs) and (gaps is None or gaps.random() < 0.5):
            i_payload.value = case.inputs[sent]
            i_valid.value = 1
            is_offered = True
        is_ready = stalls is None or stalls.random() < 0.5
        o_ready.value = int(is_ready)
        await edge

        where = f"{case.name}, cycle {cycle}, input {sent}, output {got}"
        _same(f"{where}: i.ready", steps.i_ready(is_ready), i_ready.value)
        _same(f"{where}: o.valid", steps.o_valid, o_valid.value)
        if steps.o_valid:
            assert got < len(case.outputs), f"{where}: one output too many"
            payload = int(o_payload.value)
            if payload != case.outputs[got]:
                difference = vectors.outputs.difference(case.outputs[got], payload)
                changed = "the offered payload changed: " if is_seen else ""
                raise AssertionError(
                    f"MISMATCH {changed}{case.name}: vector {got}, {case.where[got]}, {difference}"
                )
            if not is_seen:
                trace.offered.append(cycle)
            is_seen = not is_ready
            got += is_ready
        is_taken = is_offered and steps.i_ready(is_ready)
        steps.clock(is_offered, is_ready)
        if is_taken:
            trace.taken.append(cycle)
            is_offered = False
            i_valid.value = 0
            if gaps is not None:  # what is there without ``valid`` must not matter
                i_payload.value = gaps.getrandbits(vectors.inputs.bits)
        idle += got >= needed and len(trace.taken) == len(case.inputs)
        cycle += 1
    o_ready.value = 0
    trace.got = got
    return trace


async def interrupt(dut: Any, vectors: Vectors, case: Case, rng: Random) -> None:
    """Begin with ``case``, look at nothing, and reset the block in the middle."""
    await _write(dut, vectors, case, None)
    dut.i__payload.value = case.inputs[0]
    dut.i__valid.value = 1
    for _ in range(rng.randint(1, 3 * len(case.steps))):
        dut.o__ready.value = int(rng.random() < 0.6)
        await RisingEdge(dut.clk)
    dut.i__valid.value = 0
    dut.o__ready.value = 0
    await reset(dut)


async def _write(dut: Any, vectors: Vectors, case: Case, gaps: Random | None) -> None:
    """Write what the case needs, with ``gaps`` of words that do not count between its words."""
    if not vectors.write_port:
        return
    port = getattr(dut, vectors.write_port)
    edge = RisingEdge(dut.clk)
    for word in case.writes:
        while gaps is not None and gaps.random() < 0.3:
            port.value = gaps.getrandbits(len(port)) & ~1
            await edge
        port.value = word
        for _ in range(vectors.write_cycles):
            await edge
    port.value = 0 if gaps is None else gaps.getrandbits(len(port)) & ~1


def _same(name: str, expected: bool, got: Any) -> None:
    assert int(got) == expected, f"HANDSHAKE {name}: expected {int(expected)}, got {got}"
