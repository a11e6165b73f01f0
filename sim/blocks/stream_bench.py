"""What the benches of all blocks with one input and one output stream do with their cases."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from kakure.sim.bench.outcome import Tally
from kakure.sim.runner.simulator import parameters

from .handshake import Steps, exchange, interrupt, reset, start
from .vectors import Case, Vectors

__all__ = ["OUTCOME", "Promise", "given_vectors", "run_cases", "run_interrupted"]

Promise = Callable[[dict[str, Any], Case], tuple[list[int], list[int]]]
"""Cycles, counted from the first input, in which inputs are taken and outputs offered."""

OUTCOME = Tally(parameters())
"""What the bench compared."""

INTERRUPTIONS = 8
"""Resets at the least."""


def given_vectors() -> Vectors:
    """Return the vectors that the runner named."""
    return Vectors.load(Path(parameters()["vectors"]))


async def run_cases(
    dut: Any, vectors: Vectors, *, has_gaps: bool, has_stalls: bool, promise: Promise
) -> None:
    """Run all cases in a row; at full rate everything comes in exactly the cycle promised."""
    await start(dut, vectors)
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    for case in vectors.cases:
        steps = Steps(case.steps, vectors.delay)
        trace = await exchange(dut, vectors, case, steps, gaps=gaps, stalls=stalls)
        OUTCOME.compared(vectors=1, values=trace.got)
        if not has_gaps and not has_stalls:
            taken, offered = promise(vectors.parameters, case)
            _same_cycles(f"{case.name}: inputs are taken", taken, trace.taken)
            _same_cycles(f"{case.name}: outputs are offered", offered, trace.offered)
        if not steps.is_at_start:
            await reset(dut)


async def run_interrupted(dut: Any, vectors: Vectors) -> None:
    """Reset the block in the middle of a case, then run the case; again and again."""
    await start(dut, vectors)
    rng = Random(4)
    for number in range(max(INTERRUPTIONS, len(vectors.cases))):
        case = vectors.cases[number % len(vectors.cases)]
        await interrupt(dut, vectors, case, rng)
        trace = await exchange(dut, vectors, case, Steps(case.steps, vectors.delay))
        OUTCOME.compared(vectors=1, values=trace.got)
        await reset(dut)


def _same_cycles(what: str, expected: list[int], got: list[int]) -> None:
    got = got[: len(expected)]
    assert got == expected, f"CYCLES {what} in cycles {expected[:6]}, not {got[:6]}"
