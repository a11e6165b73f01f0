# amaranth: UnusedElaboratable=no
"""What a memory returns, access by access, and the ports that its Verilog has."""

from random import Random
from typing import Any

import pytest

from kakure.hdl.emission.emit import emit
from kakure.hdl.memory.ram import Ram
from kakure.sim.drivers.streams import simulate


@pytest.mark.parametrize(("depth", "width"), [(1, 1), (1, 5), (2, 3), (7, 8), (64, 33)])
def test_reads_what_was_written_last_also_in_the_same_cycle(depth, width):
    dut = Ram(depth=depth, width=width)
    rng = Random(1)
    content = [0] * depth
    expected = None

    async def drive(ctx):
        nonlocal expected
        for _ in range(300):
            write, read = rng.randrange(depth), rng.randrange(depth)
            value = rng.getrandbits(width)
            writes, reads = rng.random() < 0.5, rng.random() < 0.7
            ctx.set(dut.write_address, write)
            ctx.set(dut.write_data, value)
            ctx.set(dut.write_enable, writes)
            ctx.set(dut.read_address, read)
            ctx.set(dut.read_enable, reads)
            await ctx.tick()
            if writes:
                content[write] = value
            if reads:
                expected = content[read]
            if expected is not None:
                assert ctx.get(dut.read_data) == expected

    simulate(dut, drive, deadline=400)


def test_one_word_still_has_an_address_in_verilog():
    module = emit(Ram(depth=1, width=3), "memory").modules["memory"]
    assert "input read_address;" in module.verilog
    assert "input write_address;" in module.verilog
    assert "[-1:0]" not in module.verilog
    assert (module.kind, module.parameters) == ("ram", {"depth": 1, "width": 3})


@pytest.mark.parametrize("name", ["depth", "width"])
def test_rejects(name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, not 0$"):
        sizes: dict[str, Any] = {"depth": 1, "width": 1, name: 0}
        Ram(**sizes)


def test_rejects_unknown_cells():
    with pytest.raises(ValueError, match=r"^cells must be lop or lstp, not 'ltsp'$"):
        Ram(depth=1, width=1, cells="ltsp")


def test_cells_that_are_not_the_common_ones_are_in_the_name():
    assert Ram(depth=4, width=3).identity == {"depth": 4, "width": 3}
    assert Ram(depth=4, width=3, cells="lstp").identity["cells"] == "lstp"
