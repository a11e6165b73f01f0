"""The macro model: its coefficients, its range and how it grows."""

import csv

import numpy as np
import pytest

from kakure.hdl.memory.ram_shape import CELLS
from kakure.hdl.synthesis import memory_macro as model
from kakure.hdl.synthesis.memory_macro import (
    SOURCE,
    fit,
    is_macro,
    memory_macro,
    source_of,
)


def rows(cells: str) -> list[dict[str, float]]:
    with model.table_of(cells).open() as lines:
        table = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [{name: float(value) for name, value in row.items()} for row in table]


def test_the_committed_coefficients_are_the_refit():
    assert {cells: fit(cells) for cells in CELLS} == model._fits()


@pytest.mark.parametrize("cells", CELLS)
def test_the_stated_errors_are_those_of_the_table(cells):
    for name, quantity in fit(cells).items():
        errors = [
            abs(quantity(row["depth_words"], row["width_bits"]) / row[name] - 1)
            for row in rows(cells)
        ]
        assert max(errors) == pytest.approx(quantity.max_error, abs=1e-4)
        assert sum(errors) / len(errors) == pytest.approx(quantity.mean_error, abs=1e-4)


@pytest.mark.parametrize("cells", CELLS)
def test_area_is_within_a_fifth_and_access_within_a_seventh(cells):
    assert fit(cells)["area_um2"].max_error < 0.2
    assert fit(cells)["access_ns"].max_error < 0.15


def test_cells_that_leak_little_are_as_large_as_others():
    area = fit("lop")["area_um2"]
    errors = [
        abs(area(row["depth_words"], row["width_bits"]) / row["area_um2"] - 1)
        for row in rows("lstp")
    ]
    assert max(errors) < 0.25 and sum(errors) / len(errors) < 0.06


@pytest.mark.parametrize("cells", CELLS)
def test_no_coefficient_is_negative(cells):
    quantities = fit(cells).values()
    assert all(c >= 0 for quantity in quantities for c in quantity.coefficients.values())


def test_the_area_formula_by_hand():
    c = model._fits()["lop"]["area_um2"].coefficients
    by_hand = c["1"] + c["width"] * 32 + c["depth"] * 256 + c["depth*width"] * 256 * 32
    assert memory_macro(256, 32).area_um2 == pytest.approx(by_hand)


def test_cells_that_leak_little_take_more_to_read():
    lop, lstp = memory_macro(512, 64), memory_macro(512, 64, "lstp")
    assert lstp.leakage_mw < lop.leakage_mw / 100
    assert 1.3 * lop.read_pj < lstp.read_pj < 3 * lop.read_pj
    assert 1.3 * lop.write_pj < lstp.write_pj < 3 * lop.write_pj
    assert lop.access_ns < lstp.access_ns < 2 * lop.access_ns
    assert 0.9 < lstp.area_um2 / lop.area_um2 < 1.1
    assert lstp.read_pj == model._fits()["lstp"]["read_pj"](512, 64)


@pytest.mark.parametrize(
    ("depth", "width", "expected"),
    [
        (31, 64, False),
        (32, 16, True),
        (32, 15, False),
        (64, 1, True),
        (63, 8, False),
        (1, 999, False),
    ],
)
def test_where_macros_begin(depth, width, expected):
    assert is_macro(depth, width) is expected


def test_what_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 32 words and 512 bits, not 16 words of 64 bits"):
        memory_macro(16, 64)


def test_a_big_memory_is_made_of_equal_banks():
    bank, whole = memory_macro(2048, 64), memory_macro(4096, 128)
    assert (bank.banks, whole.banks) == (1, 4)
    assert whole.area_um2 == pytest.approx(4 * bank.area_um2)
    assert whole.leakage_mw == pytest.approx(4 * bank.leakage_mw)
    assert whole.read_pj == pytest.approx(2 * bank.read_pj)
    assert whole.write_pj == pytest.approx(2 * bank.write_pj)
    assert whole.access_ns == bank.access_ns


def test_a_narrow_word_costs_as_much_as_a_byte():
    assert memory_macro(256, 1).area_um2 == memory_macro(256, 8).area_um2


def test_more_is_never_smaller():
    areas = [memory_macro(depth, 32).area_um2 for depth in range(32, 5000, 61)]
    assert areas == sorted(areas)
    widths = [memory_macro(256, width).area_um2 for width in range(8, 300)]
    assert widths == sorted(widths)


def test_many_memories_are_each_as_alone():
    depth, width = (
        axis.reshape(-1)
        for axis in np.meshgrid([1, 31, 32, 40, 64, 100, 2048, 2049, 5000], [1, 4, 8, 16, 64, 65])
    )
    wanted = [is_macro(int(d), int(w)) for d, w in zip(depth, width, strict=True)]
    assert is_macro(depth, width).tolist() == wanted
    for d, w, area in zip(depth, width, memory_macro(depth, width).area_um2, strict=True):
        if is_macro(int(d), int(w)):
            assert area == memory_macro(int(d), int(w)).area_um2


def test_the_source_names_the_cells():
    lop, lstp = memory_macro(64, 32), memory_macro(64, 32, "lstp")
    assert source_of([]) == source_of([lop]) == SOURCE
    assert source_of([lop, lstp]) == SOURCE.replace("LOP", "LOP and LSTP")
    assert source_of([lstp]) == SOURCE.replace("LOP", "LSTP")
