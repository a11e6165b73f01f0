import re
from xml.etree import ElementTree

import pytest

from kakure.sim.report.charts import bars, curves
from kakure.sim.report.svg import THIN, grouped


def test_numbers_are_grouped_by_thin_spaces():
    assert grouped(1234567.6) == f"1{THIN}234{THIN}568"
    assert grouped(999) == "999"


def test_bars_are_as_long_as_their_numbers_and_say_the_sum():
    rows = [("a<b>", {"window": 1000.0, "engine": 3000.0}), ("b", {"weights": 500.0}), ("c", {})]
    picture = bars(rows, "Area", "µm²")
    ElementTree.fromstring(picture)
    found = re.findall(r'class="k-(\w+)" x="([\d.]+)"[^>]* width="([\d.]+)"', picture)
    widths = {look: float(width) for look, _, width in found if float(width) != 12}
    assert widths["engine"] == pytest.approx(3 * widths["window"], abs=0.02)
    assert widths["window"] == pytest.approx(2 * widths["weights"], abs=0.02)
    for sum_ in (f"4{THIN}000", "500", "0"):
        assert f">{sum_}</text>" in picture
    assert "a&lt;b&gt;" in picture and "a<b>" not in picture
    assert ">sliding window</text>" in picture and ">requantizer</text>" not in picture
    assert ">engine</text>" not in bars([("a", {"engine": 1.0})], "Cycles", "cycles")


def test_bars_of_nothing_can_be_drawn():
    assert ">0.00</text>" in bars([("a", {"engine": 0.0})], "Energy", "nJ", digits=2)


def points(picture: str, look: str) -> list[tuple[float, float]]:
    found = re.search(rf'class="k-{look}" points="(.*?)"', picture)
    assert found
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in found[1].split())]


def test_curves_go_through_their_values():
    picture = curves([1, 2, 3], [2.0, 1.0, 0.5], [0.0, 0.5, 1.0], 2)
    ElementTree.fromstring(picture)
    losses, right = points(picture, "other"), points(picture, "curve")
    assert [x for x, _ in losses] == [x for x, _ in right] == [60.0, 380.0, 700.0]
    assert [y for _, y in losses] == [44.0, 142.0, 191.0]  # of 0 .. 2
    assert [y for _, y in right] == [240.0, 142.0, 44.0]  # of 0 .. 1
    assert ">kept: 2</text>" in picture and ">50 %</text>" in picture and ">1.5</text>" in picture


def test_a_curve_of_one_epoch_can_be_drawn():
    picture = curves([1], [0.0], [1.0], 0)
    assert points(picture, "curve") == [(60.0, 44.0)]
    ElementTree.fromstring(picture)
