"""What the study of LAM says, held to what it follows from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kakure.hdl.arithmetic.lam_multiplier import LamMultiplier
from kakure.model.reference.floating_point.exact import multiply
from kakure.model.reference.floating_point.float_format import FORMATS
from kakure.model.reference.floating_point.lam import compensation_of
from kakure.model.training.lam.lam import VARIANTS, Lam
from kakure.search.commands.kakure import main
from kakure.search.studies import lam_speed, lam_training
from kakure.search.studies.lam_errors import errors, errors_table
from kakure.search.studies.lam_hardware import Unit, measure, units
from kakure.search.studies.lam_training import PROBLEMS, accuracy, training_table

PERCENT = {
    (0, 0): (-3.849, 3.849, 4.842, -11.11, 0),
    (compensation_of(23), 0): (-0.14, 2.56, 3.05, -7.8, 5.5),
    (0, 2): (0.16, 2.00, 2.44, -5.9, 6.6),
    (0, 3): (0.04, 1.00, 1.22, -3.2, 3.2),
}
"""Mean, mean size, RMS, least and most, by integration over all fractions."""


@pytest.mark.parametrize("kind", PERCENT)
def test_errors_of_long_fractions(kind):
    e = errors(FORMATS["fp32"], *kind)
    found = [100 * x for x in (e.mean, e.mean_absolute, e.rms, e.least, e.most)]
    assert found == pytest.approx(PERCENT[kind], abs=0.25)
    assert found[:3] == pytest.approx(PERCENT[kind][:3], abs=0.01)


def test_the_table_of_errors_has_a_row_for_each():
    rows = errors_table(("fp8_e5m2", "bf16")).splitlines()
    assert len(rows) == 2 + 2 + 4
    assert rows[2].startswith("| fp8_e5m2 | plain | -") and rows[4].startswith("| bf16 | plain | -")


@pytest.mark.parametrize("has_sum", [False, True])
def test_lam_takes_less_than_an_exact_unit(has_sum):
    exact, _, plain, *_ = units("fp8_e4m3", has_sum=has_sum)
    exact, plain = (measure(unit, "fp8_e4m3", operations=20) for unit in (exact, plain))
    assert plain.area_um2 < 0.8 * exact.area_um2
    assert plain.delay_ns < exact.delay_ns and plain.energy_fj < 0.8 * exact.energy_fj


def test_a_netlist_that_computes_something_else_is_found_out():
    fmt = FORMATS["fp8_e4m3"]
    wrong = Unit(
        "wrong",
        lambda: LamMultiplier(exponent_bits=4, fraction_bits=3),
        lambda a, b: multiply(fmt, a, b, has_subnormals=False),
    )
    with pytest.raises(AssertionError, match="the netlist must be right"):
        measure(wrong, "fp8_e4m3", operations=2)


def test_every_unit_has_its_format_and_reference():
    names = [unit.name for unit in units("bf16", has_sum=False)]
    lams = ["LAM, plain", "LAM, constant", "LAM, table2", "LAM, table3"]
    assert names == ["exact", "exact, subnormals", *lams]
    assert [unit.name for unit in units("fp8_e5m2", has_sum=True)][2:] == [lams[0], lams[2]]
    codes = np.array([0x3FC0])  # 1.5
    assert [int(unit.reference(codes, codes)[0]) for unit in units("bf16", has_sum=False)] == [
        0x4010, 0x4010, 0x4000, 0x4007, 0x4019, 0x4014,
    ]  # fmt: skip


def test_a_network_learns_with_lam(monkeypatch):
    """Within a point of exact products; and the products are LAM's indeed."""
    digits = replace(PROBLEMS["digits"], epochs=10)
    exact, lam = accuracy(digits, None, 1), accuracy(digits, Lam.named("constant", 4), 1)
    assert exact > 0.93 and lam > exact - 0.01
    seen = []

    def counted(x, weight, bias, lam):
        seen.append(lam)
        return torch.nn.functional.linear(x, weight, bias)

    monkeypatch.setattr(lam_training, "lam_linear", counted)
    assert accuracy(digits, Lam(4), 1) == exact
    assert set(seen) == {Lam(4)} and len(seen) == 3 * (10 * (1437 // 64) + 1)


def test_the_table_of_trainings_says_what_is_lost(monkeypatch):
    def half(problem, lam, seed):
        return 0.9 if lam is None else 0.9 - 0.001 * seed * (lam.fraction_bits < 7)

    monkeypatch.setattr(lam_training, "accuracy", half)
    rows = training_table(range(1, 4), (7, 4)).splitlines()
    assert rows[0] == "| problem | products | 7 bits | 4 bits |"
    assert rows[2] == "| two spirals | exact, float32 | 90.00 | |"
    assert rows[3] == "| two spirals | LAM, plain | 90.00 (+0.00) | 89.80 (-0.20) |"
    assert len(rows) == 2 + 2 * 5


def test_spirals_can_be_told_apart():
    x, y, test_x, test_y = PROBLEMS["two spirals"].load()
    assert (x.shape, test_x.shape) == ((1024, 2), (1024, 2))
    assert 0.4 < y.float().mean() < 0.6
    nearest = torch.cdist(test_x, x).argmin(1)
    assert 0.85 < (y[nearest] == test_y).float().mean() < 1


def test_the_speed_is_that_of_two_times(monkeypatch, capsys):
    monkeypatch.setattr(lam_speed, "SIZE", 64)
    monkeypatch.setattr(lam_speed, "ROUNDS", 2)
    threads = torch.get_num_threads()
    assert main(["bench", "lam"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "product of 64 x 64 x 64, float32, one thread"
    assert [line.split(":")[0] for line in lines] == [f"LAM, {v}" for v in VARIANTS]
    monkeypatch.setattr(lam_speed, "times", lambda _: (0.006, 0.002))
    assert lines != list(lam_speed.figures())[1:]
    expected = "LAM, plain: 6.0 ms; torch.matmul 2.00 ms; 3.0 times as long"
    assert list(lam_speed.figures())[1] == expected
    assert torch.get_num_threads() == threads


def test_the_command_writes_a_page(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- lam errors -->\n<!-- end lam errors -->\n")
    command = ["study", "lam", "--formats", "fp8_e4m3", "--page", str(page), "--parts"]
    assert main([*command, "errors"]) == 0
    said = capsys.readouterr().out.strip()
    assert said == errors_table(("fp8_e4m3",)) and said in page.read_text()
    assert main([*command, "errors", "training"]) == 2
    assert "must hold the lines <!-- lam training -->" in capsys.readouterr().err
