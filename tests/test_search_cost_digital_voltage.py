"""The model of another voltage: its limits, by hand, and what a user is told."""

import pytest

from kakure.search.commands.kakure import main
from kakure.search.cost.digital.energy import at_volts
from kakure.search.cost.digital.energy_measured import EnergyPoint, Row
from kakure.search.cost.digital.voltage import MEASURED_VOLTS, energy_at, period_ratio

ROW = Row(-1, "popcount", 1, 0, 0, 1.0, 0.0, 60.0, 30.0, 10.0, 5.0)
POINT = EnergyPoint(
    config={}, digest="", training={}, images={}, tools={}, cycles=1000.0, loading_pj=0.0,
    rows=(ROW,),
)  # fmt: skip


def test_nothing_changes_at_the_measured_voltage():
    assert period_ratio(MEASURED_VOLTS) == 1
    assert energy_at(POINT, 2.0, MEASURED_VOLTS) == pytest.approx(POINT.energy_pj(2.0))


def test_by_hand():
    ratio = (0.7 / 0.25**1.3) / (1.1 / 0.65**1.3)
    assert period_ratio(0.7) == pytest.approx(ratio) == pytest.approx(2.2034, abs=1e-3)
    expected = 100 * (0.7 / 1.1) ** 2 + 5 * 1000 * 2 / 1000 * 0.7 / 1.1 * ratio
    assert energy_at(POINT, 2.0, 0.7) == pytest.approx(expected)


def test_lower_is_slower():
    ratios = [period_ratio(volts / 100) for volts in range(55, 130, 5)]
    assert ratios == sorted(ratios, reverse=True)
    with pytest.raises(ValueError, match=r"volts must be 0.55 to 1.4, not 0.5"):
        period_ratio(0.5)


def test_it_is_said_to_be_a_model():
    line = at_volts(POINT, 2.0, 0.7)
    assert line.startswith("model, not measured: 0.05 nJ per image at 0.7 V instead of 1.1 V")
    assert "cycles of 4.41 ns" in line


@pytest.mark.parametrize("volts", ["0.5", "nan", "-1", "much", "inf"])
def test_bad_volts_are_one_line(volts, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["study", "energy", "--volts", volts])
    assert stopped.value.code == 2
    assert "--volts: must be a voltage of" in capsys.readouterr().err
