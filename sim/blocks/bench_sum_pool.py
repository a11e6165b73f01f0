"""cocotb bench of :class:`kakure.hdl.stages.sum_pool.SumPool`."""

import cocotb

from .handshake import deadline_ns
from .stream_bench import OUTCOME, given_vectors, run_cases, run_interrupted

VECTORS = given_vectors()
DEADLINE_NS = deadline_ns(VECTORS)


def promise(parameters, case):
    """A pixel a cycle, a result in the cycle after the last pixel of its map."""
    taken = list(range(len(case.inputs)))
    offered = [cycle + 1 for cycle in taken if (cycle + 1) % parameters["positions"] == 0]
    return taken, offered


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@cocotb.parametrize(has_gaps=[False, True], has_stalls=[False, True])
@OUTCOME.counted
async def equals_the_reference_in_exactly_the_cycles_promised(dut, has_gaps, has_stalls):
    """Compare every payload and, in every cycle, both handshakes."""
    await run_cases(dut, VECTORS, has_gaps=has_gaps, has_stalls=has_stalls, promise=promise)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def starts_anew_after_a_reset_in_the_middle(dut):
    """Nothing of what was going on is left."""
    await run_interrupted(dut, VECTORS)
