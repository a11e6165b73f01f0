"""The fit, on the stored points: reproducible, exact where it counts, and within the bars."""

import json
import os
from dataclasses import replace
from functools import cache
from math import log2
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pytest

from kakure.hdl.accelerators.temporal.block_maker_shape import BlockMakerShape
from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.synthesis.memory_macro import is_macro
from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.cost.digital import calibrate
from kakure.search.cost.digital.calibrate import report, to_json
from kakure.search.cost.digital.coefficients import COEFFICIENTS, Coefficients
from kakure.search.cost.digital.description import describe
from kakure.search.cost.digital.fit import fit, points_of, rank_correlation
from kakure.search.cost.digital.library import BLOCKS
from kakure.search.cost.digital.measured import MEASURED, Measurement, read_measured
from kakure.search.cost.digital.period import KINDS, PATHS, path_ns
from kakure.search.cost.digital.period_fit import shape_of
from kakure.search.cost.digital.samples.plan import ALONE
from kakure.search.cost.digital.tree import Part, config_layers, layer_parts, shared_parts

DOCUMENT = Path(__file__).parents[1] / "docs" / "digital-model.md"
BARS = {"crossbar_tile": 0.05, "pe_array": 0.05, "weight_generator": 0.05, "accelerator": 0.05}


@cache
def _data() -> dict[str, Any]:
    return json.loads(COEFFICIENTS.read_text())


@cache
def _measured() -> tuple[Measurement, ...]:
    return tuple(read_measured())


def test_the_coefficients_are_those_of_the_stored_points():
    assert to_json(fit(_measured())) == COEFFICIENTS.read_text()


def test_a_fit_names_the_lines_that_it_rests_on():
    measured = list(_measured())
    digest = fit(measured)["measured"]
    assert digest == _data()["measured"] == fit(measured[::-1])["measured"]
    changed = replace(measured[0], area_um2=measured[0].area_um2 + 1)
    assert fit([changed, *measured[1:]])["measured"] != digest


@pytest.mark.parametrize("block", sorted(BARS))
def test_held_out_samples_are_within_the_bars(block):
    held = _data()["designs"][block]["held_out"]
    assert held["points"] >= 5
    assert held["mean"] <= BARS[block]
    assert held["max"] <= 0.15
    assert held["rank_correlation"] >= 0.98


def test_held_out_critical_paths_that_set_the_clock_are_within_the_bars():
    """Of large tiles too: before they were 10 % off on average, and low in nearly every case."""
    kinds = _data()["period"]["kinds"]
    assert set(kinds) == set(KINDS)
    for kind, errors in kinds.items():
        assert errors["points"] >= 3, kind
        assert 0 < errors["mean"] < errors["max"]
        low, high = errors["ns"]
        assert low <= high
    for kind in ("crossbar_tile sar", "crossbar_tile flash"):
        assert kinds[kind]["mean"] < 0.07 and kinds[kind]["max"] < 0.2


def test_large_sar_tiles_with_a_shift_are_held_out_and_near():
    """Rows 64 and more; the six of ``LARGE`` were drawn after the form was settled."""
    period = _data()["period"]
    errors = []
    for measurement in _measured():
        sample = measurement.sample
        values = sample.parameters
        if sample.block == "crossbar_tile" and sample.is_held_out and values["rows"] >= 64:
            if values["adc_type"] == "sar" and values["adc_shift"]:
                path = path_ns(shape_of(measurement, "crossbar_tile"), period)
                errors.append(float(path) / measurement.critical_path_ns - 1)
    assert len(errors) >= 6
    assert np.abs(errors).mean() < 0.05
    assert abs(np.mean(errors)) < 0.04
    assert np.abs(errors).max() < 0.1


def test_errors_of_extrapolation_are_those_of_the_ends_of_the_ranges():
    for kind, block in _data()["blocks"].items():
        bounded = [name for name in BLOCKS[kind].parameters if name not in BLOCKS[kind].repeated]
        low_high = [block["ranges"][name] for name in bounded]
        if block["beyond"]["points"]:
            assert any(low < high for low, high in low_high), kind
    beyond = Coefficients.read().beyond
    assert all(beyond[kind] >= error for kind, error in Coefficients.read().errors.items())
    assert beyond["crossbar_tile"] > 2 * Coefficients.read().errors["crossbar_tile"]


def test_every_block_has_points_and_no_negative_coefficient():
    for kind, block in _data()["blocks"].items():
        assert block["fitted"]["points"] >= 1, kind
        assert min(block["terms_um2"].values()) >= 0
        assert set(block["ranges"]) == set(BLOCKS[kind].parameters)


def test_flip_flops_and_clock_gates_are_counted_exactly():
    wrong = total = 0
    for measurement in _measured():
        for module in measurement.modules:
            if module.memory_um2:
                continue
            shape = describe(measurement, module)
            total += 1
            if isinstance(shape, BlockMakerShape):  # bits that are always 0 are not always seen
                assert 0 <= shape.flops - module.flops <= log2(shape.many), shape
            else:
                assert shape.flops == module.flops, shape
            # A tile whose words of columns differ in width may have one with too few cells.
            wrong += shape.gates != module.clock_gates
    assert total > 1000
    assert wrong <= 3


def test_the_closed_form_of_the_tree_is_what_was_elaborated():
    accelerators = [m for m in _measured() if m.sample.block == "accelerator"]
    assert len(accelerators) >= 8
    for measurement in accelerators:
        config = measurement.sample.config
        assert config is not None and config.weights.kind == "hidden"
        parts = [*shared_parts(config), *layer_parts(config_layers(config))]
        assert _by_kind(parts) == _measured_by_kind(measurement)


def test_blocks_that_came_later_are_looked_at_alone():
    """Of other kinds, the memories of strided windows among them, no point is theirs."""
    every = points_of(_measured())
    earlier = points_of([m for m in _measured() if m.sample.block not in ALONE])
    assert set(every) == set(earlier) | ALONE
    for kind, points in earlier.items():
        assert every[kind].area_um2.tolist() == points.area_um2.tolist(), kind
        assert every[kind].is_held_out.tolist() == points.is_held_out.tolist(), kind


def test_blocks_without_a_path_of_their_own_set_no_clock():
    measured = [(m.sample.block, m.critical_path_ns) for m in _measured()]
    longest = max(ns for block, ns in measured if block in ALONE - set(PATHS))
    assert longest < min(ns for block, ns in measured if block == "weight_generator")


def _by_kind(parts: list[Part]) -> dict[str, tuple[int, int, int]]:
    """Instances, flip-flops and macros of each kind."""
    found: dict[str, np.ndarray] = {}
    for part in parts:
        is_memory = np.zeros(len(part.where), bool)
        if isinstance(part.shape, RamShape):
            is_memory = is_macro(part.shape.depth, part.shape.width)
        flops = np.where(is_memory, 0, part.count * part.shape.flops).sum()
        row = np.array([part.count.sum(), flops, (part.count * is_memory).sum()])
        found[part.kind] = found.get(part.kind, np.zeros(3)) + row
    return {kind: tuple(row.astype(int).tolist()) for kind, row in found.items() if row[0]}


def _measured_by_kind(measurement: Measurement) -> dict[str, tuple[int, int, int]]:
    found: dict[str, np.ndarray] = {}
    for module in measurement.modules:
        row = np.array([1, module.flops, module.memory_um2 > 0]) * module.instances
        found[module.kind] = found.get(module.kind, np.zeros(3)) + row
    return {kind: tuple(row.astype(int).tolist()) for kind, row in found.items()}


def test_points_of_different_tools_are_not_mixed():
    first = _measured()[0]
    other = replace(first, tools=first.tools | {"yosys": "another"})
    with pytest.raises(UserError, match="points of different tools must not be mixed"):
        fit([*_measured(), other])


def test_missing_blocks_are_named():
    with pytest.raises(UserError, match=r"no point of .*crossbar_tile.*; run kakure calibrate"):
        fit([m for m in _measured() if m.sample.block == "frame_gate"])


def test_the_rank_correlation_is_spearmans():
    assert rank_correlation([1, 2, 3], [10, 20, 300]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert rank_correlation([1, 1, 2], [5, 5, 6]) == pytest.approx(1)


def test_the_report_names_every_block_and_the_rank_correlation():
    text = report(_data())
    for kind in (*BLOCKS, "rank"):
        assert kind in text


def test_the_document_shows_what_the_command_prints():
    text = DOCUMENT.read_text(encoding="utf-8")
    first, _, *tables = report(_data()).split("\n\n")
    assert first in text
    for table in tables:
        assert indent(table, "    ") in text


def test_the_command_fits_without_synthesis(tmp_path, capsys):
    path = tmp_path / "coefficients.json"
    assert main(["calibrate", "--fit-only", "--coefficients", str(path)]) == 0
    assert path.read_bytes() == COEFFICIENTS.read_bytes()
    assert "held out" in capsys.readouterr().out


def test_the_command_names_what_is_wrong(tmp_path, capsys):
    assert main(["calibrate", "--blocks", "ram,rom"]) == 2
    assert "--blocks must be of accelerator, " in capsys.readouterr().err
    assert main(["calibrate", "--fit-only", "--measured", str(tmp_path / "no")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["calibrate", "--blocks", ""]) == 2
    assert capsys.readouterr().err.endswith(", not ''\n")
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert main(["calibrate", "--fit-only", "--measured", str(empty)]) == 2
    assert f"{empty}: must hold measurements; run kakure calibrate" in capsys.readouterr().err


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibrate, "measure", lambda *_, **__: pytest.fail("it measures"))
    monkeypatch.setattr(calibrate, "read_measured", lambda *_: pytest.fail("it fits"))
    os.mkfifo(pipe := tmp_path / "pipe")
    for place in (pipe, tmp_path, tmp_path / "nothing" / "x"):
        assert main(["calibrate", "--fit-only", "--coefficients", str(place)]) == 2
        assert f"{place}: --coefficients: must be a file in" in capsys.readouterr().err
        written = str(tmp_path / "coefficients.json")
        assert main(["calibrate", "--measured", str(place), "--coefficients", written]) == 2
        assert f"{place}: --measured: must be a file in" in capsys.readouterr().err
    assert main(["calibrate", "--measured", written, "--coefficients", written]) == 2
    assert f"{written}: --coefficients: must be another file than --measured" in (
        capsys.readouterr().err
    )
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_broken_coefficients_are_named(tmp_path):
    with pytest.raises(UserError, match=r"no\.json: cannot be read: No such file"):
        Coefficients.read(tmp_path / "no.json")
    path = tmp_path / "coefficients.json"
    path.write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        Coefficients.read(path)
    path.write_text("{}")
    with pytest.raises(UserError, match="lacks accelerator; run kakure calibrate"):
        Coefficients.read(path)


def test_the_measurements_are_read_in_an_order_of_their_own():
    assert MEASURED.exists()
    keys = [m.sample.key for m in _measured()]
    assert keys == sorted(keys)
