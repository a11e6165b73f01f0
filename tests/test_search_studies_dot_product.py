# amaranth: UnusedElaboratable=no
"""BISMO's unit computes what it should, and ours takes fewer look-up tables."""

from pathlib import Path
from random import Random

import pytest

from kakure.hdl.synthesis.yosys import Engine, find_engine
from kakure.search.commands.kakure import main
from kakure.search.studies import dot_product
from kakure.search.studies.dot_product import DotProductUnit, table
from kakure.sim.drivers.streams import simulate


@pytest.mark.parametrize("is_summed", [False, True])
def test_the_unit_multiplies_plane_by_plane(is_summed):
    """Two's complement vectors of 4 and 3 bits, the sum over all pairs of planes."""
    dut = DotProductUnit(lanes=9, is_summed=is_summed)
    rng = Random(1)

    def plane(values, bit):
        return sum((value >> bit & 1) << lane for lane, value in enumerate(values))

    async def drive(ctx):
        for _ in range(20):
            left = [rng.randrange(-8, 8) for _ in range(9)]
            right = [rng.randrange(-4, 4) for _ in range(9)]
            for n in range(12):
                i, j = divmod(n, 3)
                ctx.set(dut.left, plane(left, i))
                ctx.set(dut.right, plane(right, j))
                ctx.set(dut.shift, i + j)
                ctx.set(dut.negate, (i == 3) != (j == 2))
                ctx.set(dut.clears, n == 0)
                ctx.set(dut.step, 1)
                await ctx.tick()
            assert ctx.get(dut.o) == sum(a * b for a, b in zip(left, right, strict=True))
            ctx.set(dut.step, 0)

    simulate(dut, drive, deadline=1000)


@pytest.mark.full
def test_ours_takes_fewer_tables():
    lines = table((32,), 2, 8, find_engine()).splitlines()
    lanes, theirs, ours, shared, ratio = (cell.strip(" *") for cell in lines[2].split("|")[1:-1])
    assert (lanes, f"{(int(ours) + float(shared)) / int(theirs):.2f}") == ("32", ratio)
    assert float(ratio) < 1


@pytest.mark.parametrize("option", ["--lanes", "--pixels", "--rows"])
@pytest.mark.parametrize(("value", "rule"), [("0", "at least 1"), ("4097", "at most 4096")])
def test_numbers_out_of_range_are_refused(option, value, rule, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["study", "dot-product", option, value])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}: must be" in error and rule in error


def test_a_synthesis_that_fails_names_lanes_reason_and_a_log_that_stays(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    broken = Engine("native", "Yosys 0", ("sh", "-c", "echo 'no memory'; exit 1"))
    monkeypatch.setattr(dot_product, "find_engine", lambda: broken)
    assert main(["study", "dot-product", "--lanes", "7"]) == 2
    log = Path("build", "dot-product", "DotProductUnit-abc9.log")
    said = f"error: --lanes 7: Yosys 0: exit status 1: no memory (log: {log})\n"
    assert capsys.readouterr().err == said and log.read_text() == "no memory\n"
