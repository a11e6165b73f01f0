"""Table lookups: at the points, between them and beyond them."""

import numpy as np
import pytest

from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.nldm import TableStack

CELLS = library()
STACK = TableStack(CELLS)


def look_up(table: int, x: float, y: float) -> float:
    return float(STACK.lookup(np.array([table]), np.array([x]), np.array([y]))[0])


def rising_delay():
    edge = next(e for e in STACK.edges["INV_X1"] if e.target_fall == 0)
    table = CELLS.cells["INV_X1"].arcs[0].cell_rise
    assert table is not None
    return edge.delay, table


def test_points_are_exact():
    index, table = rising_delay()
    for i, x in enumerate(table.index_1):
        for j, y in enumerate(table.index_2):
            assert look_up(index, x, y) == pytest.approx(table.values[i][j], rel=1e-12)


def test_the_middle_of_a_square_is_its_mean():
    index, table = rising_delay()
    x, y = sum(table.index_1[2:4]) / 2, sum(table.index_2[3:5]) / 2
    corners = [table.values[i][j] for i in (2, 3) for j in (3, 4)]
    assert look_up(index, x, y) == pytest.approx(sum(corners) / 4)


def test_beyond_the_edge_it_goes_on_straight():
    index, table = rising_delay()
    last, before = table.index_2[-1], table.index_2[-2]
    end, start = table.values[0][-1], table.values[0][-2]
    beyond = look_up(index, table.index_1[0], last + (last - before))
    assert beyond == pytest.approx(end + (end - start))


def test_a_smaller_table_is_not_changed_by_its_padding():
    (setup,) = CELLS.cells["DFF_X1"].setups
    assert setup.rise is not None
    rise, _ = STACK.setups["DFF_X1"]["D"]
    for i, x in enumerate(setup.rise.index_1):
        for j, y in enumerate(setup.rise.index_2):
            assert look_up(rise, x, y) == pytest.approx(setup.rise.values[i][j], rel=1e-9)


def test_an_inverter_inverts_and_an_xor_does_both():
    assert {(e.source_fall, e.target_fall) for e in STACK.edges["INV_X1"]} == {(0, 1), (1, 0)}
    assert {(e.source_fall, e.target_fall) for e in STACK.edges["XOR2_X1"]} == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    }


def test_registers_launch_at_the_rising_clock_and_clock_gates_do_not():
    assert STACK.edges["DFF_X1"] == ()
    assert {e.source_fall for e in STACK.launches["DFF_X1"]} == {0}
    assert STACK.launches["CLKGATE_X1"] == ()
    assert "E" in STACK.setups["CLKGATE_X1"]
