"""cocotb bench of :class:`kakure.hdl.weights.weight_generator.WeightGenerator`."""

from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from kakure.sim.bench.outcome import Tally
from kakure.sim.runner.simulator import parameters

from .handshake import PERIOD_NS, reset
from .loads import PORTS, Load, Loads

OUTCOME = Tally(parameters())
LOADS = Loads.load(Path(parameters()["vectors"]))
GOOD = [load for load in LOADS.loads if load.error == 0]
FAULTY = [load for load in LOADS.loads if load.error != 0]
AFTER = 6
"""Cycles in which nothing may change, after the last word."""
SLACK = 8
"""So many times the cycles of full rate may pass."""


def limit(load: Load) -> int:
    """Return cycles that no load may exceed."""
    return SLACK * (LOADS.cycles + len(load.words) + AFTER)


DEADLINE_NS = PERIOD_NS * 4 * sum(limit(load) for load in LOADS.loads)


async def start(dut):
    """Start the clock and reset the generator."""
    dut.i__valid.value = 0
    dut.is_split.value = 0
    dut.i__payload.value = 0
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await RisingEdge(dut.clk)
    await reset(dut)


class Recorder:
    """Looks at every port in every cycle of a load, and compares what is written."""

    def __init__(self, dut, load: Load, *, is_full_rate: bool) -> None:
        self.load = load
        self.is_full_rate = is_full_rate
        self.ports = {port: getattr(dut, port) for port in PORTS}
        self.done, self.error, self.ready = dut.done, dut.error, dut.i__ready
        self.error_layer = getattr(dut, "error_layer", None)
        self.count = dict.fromkeys(PORTS, 0)
        self.first_error: tuple[int, int, int] | None = None
        self.weight_cycles: list[int] = []

    def look(self, cycle: int, sent: int) -> None:
        """Check a cycle in which ``sent`` words have been taken before."""
        load = self.load
        where = f"{load.name}, cycle {cycle}, word {sent}"
        error = int(self.error.value)
        if error and self.first_error is None:
            layer = int(self.error_layer.value) if self.error_layer is not None else 0
            self.first_error = (cycle, error, layer)
        if self.first_error is not None:
            assert error == self.first_error[1], f"{where}: the error changed to {error}"
        is_done = load.error == 0 and sent == len(load.words)
        assert int(self.done.value) == is_done, f"{where}: done is {self.done.value}"
        if is_done or self.first_error is not None:
            assert int(self.ready.value) == (not is_done), f"{where}: ready is {self.ready.value}"
        if load.error == 0:
            assert error == 0, f"{where}: error {error}"
        if load.writes:
            for port, handle in self.ports.items():
                word = int(handle.value)
                if word & 1:
                    self._compare(port, cycle, word)

    def _compare(self, port: str, cycle: int, word: int) -> None:
        number = self.count[port]
        expected = self.load.writes[port]
        name = f"{self.load.name}: {port}, write {number}"
        assert number < len(expected), f"MISMATCH {name}: must not come"
        write = expected[number]
        difference = LOADS.fields[port].difference(write.word, word)
        assert difference is None, f"MISMATCH {name}, {write.where}: {difference}"
        if self.is_full_rate:
            assert cycle == write.cycle, (
                f"CYCLES {name}, {write.where}: must come in cycle {write.cycle}, not {cycle}"
            )
        if port == "weights":
            self.weight_cycles.append(cycle)
        self.count[port] = number + 1

    def finish(self) -> None:
        """Check what must have come by now."""
        load = self.load
        for port, expected in load.writes.items():
            got = self.count[port]
            assert got == len(expected), (
                f"MISMATCH {load.name}: {port}: expected {len(expected)} writes, got {got}"
            )
        if load.error == 0:
            return
        assert self.first_error is not None, f"{load.name}: no error"
        cycle, error, layer = self.first_error
        assert load.error in (-1, error), f"{load.name}: expected error {load.error}, got {error}"
        assert load.error_layer in (-1, layer), (
            f"{load.name}: expected error_layer {load.error_layer}, got {layer}"
        )
        if self.is_full_rate and load.error_cycle >= 0:
            assert cycle == load.error_cycle, (
                f"CYCLES {load.name}: the error must show in cycle {load.error_cycle}, not {cycle}"
            )


async def run(dut, load: Load, gaps: Random | None = None) -> Recorder:
    """Reset, send an image, and check everything that comes of it."""
    await reset(dut)
    edge = RisingEdge(dut.clk)
    recorder = Recorder(dut, load, is_full_rate=gaps is None)
    valid, ready, payload = dut.i__valid, dut.i__ready, dut.i__payload
    sent = cycle = after = 0
    is_offered = False
    while after < AFTER:
        assert cycle < limit(load), f"DEADLINE {load.name}: {sent} of {len(load.words)} words"
        if not is_offered and sent < len(load.words) and (gaps is None or gaps.random() < 0.6):
            payload.value = load.words[sent]
            valid.value = 1
            is_offered = True
        await edge
        recorder.look(cycle, sent)
        after += sent == len(load.words)
        if is_offered and int(ready.value):
            if gaps is None and load.error == 0:
                expected = load.taken.get(str(sent), cycle)
                assert cycle == expected, (
                    f"CYCLES {load.name}: word {sent} must be taken in cycle {expected}, "
                    f"not {cycle}"
                )
            sent += 1
            is_offered = False
            valid.value = 0
            if gaps is not None:  # what is there without ``valid`` must not matter
                payload.value = gaps.getrandbits(33)
        cycle += 1
    recorder.finish()
    OUTCOME.compared(vectors=1, values=sum(recorder.count.values()))
    return recorder


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def writes_what_the_reference_says_in_exactly_the_cycles_promised(dut):
    """Compare every write and its cycle."""
    await start(dut)
    for load in GOOD:
        await run(dut, load)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def writes_what_the_reference_says_with_gaps(dut):
    """Compare every write, whenever it comes."""
    await start(dut)
    gaps = Random(2)
    for load in GOOD:
        await run(dut, load, gaps)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_raw_mask_gives_32_weights_in_every_cycle(dut):
    """From the first word of a layer to its last, where rows are multiples of 32."""
    await start(dut)
    for load in GOOD:
        if not load.raw_words:
            continue
        cycles = (await run(dut, load)).weight_cycles
        begin = 0
        for words in load.raw_words:
            got = cycles[begin : begin + words]
            assert got == list(range(got[0], got[0] + words)), f"CYCLES {load.name}: {got[:40]}"
            begin += words
        assert begin == len(cycles)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_faulty_image_is_refused_and_a_good_one_loads_after_a_reset(dut):
    """Faults of every kind give their error, in its layer, and it stays."""
    await start(dut)
    for number, load in enumerate(FAULTY):
        await run(dut, load)
        if number % 4 == 0:
            await run(dut, GOOD[number // 4 % len(GOOD)])
    await run(dut, GOOD[0])


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
@OUTCOME.counted
async def a_good_image_loads_after_a_reset_in_the_middle(dut):
    """Nothing of the load before is left."""
    await start(dut)
    rng = Random(3)
    for load in GOOD:
        dut.i__payload.value = load.words[0]
        dut.i__valid.value = 1
        sent = 0
        for _ in range(rng.randint(1, LOADS.cycles)):
            await RisingEdge(dut.clk)
            sent += int(dut.i__ready.value)
            dut.i__payload.value = load.words[min(sent, len(load.words) - 1)]
        dut.i__valid.value = 0
        await run(dut, load)
