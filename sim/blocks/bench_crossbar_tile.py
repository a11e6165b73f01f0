"""cocotb bench of crossbar tiles, whatever their cells are."""

import cocotb

from .handshake import deadline_ns
from .stream_bench import OUTCOME, given_vectors, run_cases, run_interrupted

VECTORS = given_vectors()
DEADLINE_NS = deadline_ns(VECTORS)


def promise(parameters, case):
    """IP · CS · (1 for flash, AP for sar) cycles a vector, the sums in the cycle after it."""
    conversion = parameters["adc_bits"] if parameters["adc_type"] == "sar" else 1
    cycles = parameters["input_bits"] * parameters["sharing"] * conversion
    ends = [cycles * (n + 1) for n in range(len(case.inputs))]
    return [end - 1 for end in ends], ends


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
