"""cocotb bench of sliding windows, with a stride or without."""

import cocotb

from .handshake import deadline_ns
from .stream_bench import OUTCOME, given_vectors, run_cases, run_interrupted

VECTORS = given_vectors()
DEADLINE_NS = deadline_ns(VECTORS)


def promise(parameters, case):
    """One position of the padded map a cycle, a window in the cycle after its last position."""
    padding = parameters["padding"]
    height, width = parameters["height"], parameters["width"]
    stride = parameters.get("stride", 1)
    taken = []
    offered = []
    cycle = 0
    while len(taken) < len(case.inputs) or len(offered) < len(case.outputs) - case.extra:
        y, x = divmod(cycle, width + 2 * padding)
        y %= height + 2 * padding
        if 0 <= y - padding < height and 0 <= x - padding < width:
            taken.append(cycle)
        begin = y + 1 - parameters["kernel_height"], x + 1 - parameters["kernel_width"]
        if all(at >= 0 and at % stride == 0 for at in begin):
            offered.append(cycle + 1)
        cycle += 1
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
