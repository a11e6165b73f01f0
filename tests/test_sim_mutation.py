"""Whether the benches notice blocks that are wrong."""

import pytest

from kakure.hdl.emission.emit import emit
from kakure.sim.blocks.mutation import (
    KINDS,
    LETHAL,
    chosen_mutants,
    mutants,
    survivors,
    with_mutants,
)
from kakure.sim.blocks.sweep import points

MUTANTS = 50


def point_of(block, index):
    return points(block, quick=True)[index]


def report(alive):
    return "\n".join(map(str, alive))


def test_mutants_are_of_every_kind_and_none_where_nothing_is_seen():
    design = emit(point_of("crossbar_tile", 1).make(), "dut")
    every = mutants(design)
    lines = {name: module.verilog.splitlines() for name, module in design.modules.items()}
    assert {mutant.kind for mutant in every} == set(KINDS) - {"bound"}
    for mutant in every:
        assert mutant.old in lines[mutant.module][mutant.line]
        assert mutant.old != mutant.new
        assert "verilog_backend" not in mutant.old
        assert not lines[mutant.module][mutant.line].startswith(r"  assign \o__payload[")
    assert chosen_mutants(design, 5, seed=1) == chosen_mutants(design, 5, seed=1)
    both = [mutant for mutant in every if mutant.kind == "operator"][:2]
    text = "".join(module.verilog for module in with_mutants(design, both).modules.values())
    assert "(mutant[0] == 1) ?" in text
    assert "(mutant[0] == 2) ?" in text


@pytest.mark.full
def test_the_bench_notices_every_signal_of_ours_that_is_wrong(tmp_path):
    """In the tile itself, not below: each mutant of a line that names a signal of our sources."""
    point = point_of("crossbar_tile", 1)
    design = emit(point.make(), "dut")
    chosen = [m for m in mutants(design, LETHAL) if m.is_named and m.module == "dut"]
    assert chosen
    alive = survivors(point, design, chosen, tmp_path / "run")
    assert not alive, report(alive)


@pytest.mark.full
@pytest.mark.parametrize(
    ("block", "index", "share"),
    [
        ("crossbar_tile", 1, 0.95),
        ("pe_array", 0, 0.95),
        ("pe_array", 1, 0.95),
        ("sliding_window", 0, 0.95),
        ("sliding_window", 2, 0.95),
        ("sum_pool", 0, 0.9),
        ("requantizer", 0, 0.9),
        ("requantizer", 2, 0.9),
        ("max_pool", 0, 0.75),
        ("weight_generator", 0, 0.75),
        ("weight_generator", 2, 0.75),
    ],
)
def test_the_bench_notices_mutants_by_chance(block, index, share, tmp_path):
    """Those that survive leave the block as it was; so it was for all found until now.

    A pool's counters beyond the last block and a memory that is read more often than needed; in the
    mask decoder, widths that the layers at hand do not have, and what happens while the weights are
    not taken, as they always are; a sum that is the largest result and need not saturate; a job
    that is held all the time; resets of what only counts while something else is valid.
    """
    point = point_of(block, index)
    design = emit(point.make(), "dut")
    chosen = chosen_mutants(design, MUTANTS, seed=1, kinds=LETHAL)
    alive = survivors(point, design, chosen, tmp_path / "run")
    print(report(alive))
    assert len(chosen) - len(alive) >= share * len(chosen), report(alive)
