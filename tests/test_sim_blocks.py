# amaranth: UnusedElaboratable=no
"""The blocks on Verilator against the reference, and what a mismatch says."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from kakure.hdl.emission.design import Design
from kakure.hdl.emission.emit import emit
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.model.errors import UserError
from kakure.sim.blocks.build_cache import compiled
from kakure.sim.blocks.fields import Field, Fields, signed_bits
from kakure.sim.blocks.pairwise import covering
from kakure.sim.blocks.sweep import (
    BLOCKS,
    Checked,
    check_point,
    main,
    points,
    run_point,
    simulate,
    sweep,
)
from kakure.sim.blocks.vectors import Vectors
from kakure.sim.runner import simulator_cache
from kakure.sim.runner.simulator import run

QUICK = [point for block in BLOCKS for point in points(block, quick=True)]
FULL = [point for block in BLOCKS for point in points(block) if not point.is_quick]


@pytest.mark.parametrize("point", QUICK, ids=lambda point: point.name)
def test_a_block_equals_the_reference(point):
    assert run_point(point) is None


@pytest.mark.full
@pytest.mark.parametrize("point", FULL, ids=lambda point: point.name)
def test_a_block_equals_the_reference_at_every_point(point):
    assert run_point(point) is None


def changed(design: Design, module: str, old: str, new: str) -> Design:
    """The design with a piece of one module's text replaced."""
    source = design.modules[module]
    assert old in source.verilog
    text = source.verilog.replace(old, new, 1)
    return Design(design.top, {**design.modules, module: replace(source, verilog=text)})


def test_a_mismatch_names_everything_and_leaves_a_waveform(tmp_path):
    [point, *_] = points("max_pool", quick=True)
    good = emit(point.make(), "dut")
    design = changed(good, "dut", "assign after[15:8] = ", "assign after[15:8] = ~")
    report = simulate(point, design, tmp_path / "run")
    assert report is not None
    assert report.startswith(f"{point.name}: ")
    found = re.search(
        r"MISMATCH .*: vector 0, map 0, position \(0, 0\), channel 1: "
        r"expected (-?\d+), got (-?\d+); waveform: (.+)$",
        report,
    )
    assert found, report
    assert found[1] != found[2]
    assert "$enddefinitions" in Path(found[3]).read_text()


def test_a_block_that_never_answers_fails(tmp_path):
    [point, *_] = points("sliding_window", quick=True)
    design = emit(point.make(), "dut")
    stuck = design.modules["dut"].verilog.replace("o__valid <=", "o__valid <= 0 &")
    design = Design("dut", {**design.modules, "dut": replace(design.modules["dut"], verilog=stuck)})
    report = simulate(point, design, tmp_path / "run", waves=False)
    assert report is not None
    assert "o.valid: expected 1, got 0" in report


def test_the_same_verilog_is_compiled_once(monkeypatch):
    design = emit(points("max_pool", quick=True)[0].make(), "dut")
    executable = compiled(design)
    monkeypatch.setattr(simulator_cache, "build", lambda *_, **__: pytest.fail("compiled again"))
    assert compiled(design) == executable


@pytest.mark.parametrize(("columns", "sharing"), [(6, 4), (32, 3), (1, 2), (3, 0)])
def test_sharing_that_does_not_divide_the_columns_is_refused(columns, sharing):
    with pytest.raises(ValueError, match=f"sharing must divide columns = {columns}, not {sharing}"):
        CrossbarTile(
            rows=9, columns=columns, sharing=sharing, adc_type="sar", adc_bits=3, input_bits=2
        )


def test_the_tile_points_reach_every_end():
    parameters = [point.parameters for point in points("crossbar_tile")]
    for name, values in {
        "rows": {1, 3, 9, 64, 65},
        "columns": {1, 3, 6, 32},
        "adc_type": {"flash", "sar"},
        "input_bits": {1, 2, 3, 8},
    }.items():
        assert {p[name] for p in parameters} == values
    assert {p["adc_shift"] for p in parameters if "adc_shift" in p} == {0, 1, 2}
    assert any(p["sharing"] == p["columns"] == 32 for p in parameters)
    assert any(p["adc_bits"] == 7 and p["rows"] in (64, 65) for p in parameters)  # lossless


def test_no_such_block():
    with pytest.raises(UserError, match=r"block: must be one of crossbar_tile, .*, not 'alu'"):
        points("alu")
    with pytest.raises(UserError, match="not 'alu'"):
        main(["alu"])


def test_a_sweep_says_what_failed_and_counts_what_it_compared(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "kakure.sim.blocks.sweep.check_point", lambda point, _: Checked(f"{point.name}: broken")
    )
    failures = sweep("max_pool")
    assert failures == [f"{point.name}: broken" for point in points("max_pool")]
    assert main(["max_pool"]) == 1
    shown = capsys.readouterr().out
    assert f"FAIL {failures[0]}" in shown
    count = len(points("max_pool"))
    assert f"max_pool             0 of {count} points, 0 vectors, 0 values equal" in shown
    monkeypatch.setattr("kakure.sim.blocks.sweep.check_point", lambda *_: Checked(None, 3, 20))
    assert main(["max_pool", "pe_array"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("PASS ") == count + len(points("pe_array"))
    assert f"of {count} points, {3 * count} vectors, {20 * count} values equal" in shown


def test_a_sweep_that_compared_nothing_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kakure.sim.blocks.sweep.check_point", lambda *_: Checked(None))
    assert main(["max_pool"]) == 1
    shown = capsys.readouterr().out
    assert "FAILED" in shown and "PASSED" not in shown


def test_a_bench_counts_what_it_compares(tmp_path):
    [point, *_] = points("max_pool", quick=True)
    checked = check_point(point, tmp_path)
    assert checked.failure is None
    assert list((tmp_path / "max_pool").iterdir()) == []
    point.save_vectors(tmp_path / "vectors.json")
    vectors = Vectors.load(tmp_path / "vectors.json")
    # Four times with and without gaps and stalls, then eight resets and a case after each.
    assert len(vectors.cases) == 1
    assert checked.vectors == 4 + 8
    assert checked.values == (4 + 8) * len(vectors.cases[0].outputs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda o: None, "the bench left no outcome: nothing was compared"),
        (lambda o: o | {"run": "another"}, "of another run: run must be "),
        (lambda o: o | {"vectors": "0" * 64}, "of another run: vectors must be "),
        (lambda o: o | {"seed": 7}, "of another run: seed must be 0, not 7"),
        (lambda o: o | {"tests": {}}, "did not run to its end: equals_the_reference"),
        (lambda o: o | {"declared": [], "tests": {}}, "did not run to its end: every test"),
        (lambda o: {"run": 1}, "is no outcome of a bench"),
        (
            lambda o: o | {"tests": {name: {"runs": 1} for name in o["declared"]}},
            "5 tests ran, but 2 say what they compared",
        ),
        (
            lambda o: o | {"tests": {n: {"runs": 4 - 3 * i} for i, n in enumerate(o["declared"])}},
            "must compare 160 values, not 0",
        ),
    ],
)
def test_a_bench_that_cannot_say_what_it_compared_fails(tmp_path, monkeypatch, change, said):
    """What the bench leaves is missing, of another run, or of less than there is to compare."""
    [point, *_] = points("max_pool", quick=True)

    def spoiled(folder, *args, **kwargs):
        counted = run(folder, *args, **kwargs)
        path = folder / "outcome.json"
        outcome = change(json.loads(path.read_text()))
        path.unlink()
        if outcome is not None:
            path.write_text(json.dumps(outcome))
        return counted

    monkeypatch.setattr("kakure.sim.blocks.sweep.run", spoiled)
    failure = check_point(point, tmp_path).failure
    assert failure is not None and said in failure


def test_fields_are_packed_from_the_least_significant_bit_on():
    fields = Fields([Field("a", 3), Field("none", 0), Field("b", 4, is_signed=True)])
    assert fields.bits == 7
    assert fields.pack([5, 0, -2]) == 0b1110_101
    assert fields.unpack(0b1110_101) == [5, 0, -2]
    assert fields.difference(0b1110_101, 0b1110_101) is None
    assert fields.difference(0b1110_101, 0b0110_101) == "b: expected -2, got 6"
    with pytest.raises(ValueError, match="a must fit 3 bits, not 8"):
        fields.pack([8, 0, 0])
    with pytest.raises(ValueError, match="b must fit 4 bits, not -9"):
        fields.pack([0, 0, -9])
    assert [signed_bits(peak) for peak in (1, 2, 3, 4)] == [2, 3, 3, 4]


def test_combinations_hold_every_pair_that_is_allowed():
    values = {"a": (1, 2, 3), "b": ("x", "y"), "c": (True, False), "d": (0, 1, 2, 3)}
    chosen = covering(values, is_allowed=lambda c: (c["a"], c["b"]) != (1, "x"))
    pairs = {(a, c[a], b, c[b]) for c in chosen for a in values for b in values if a < b}
    expected = {
        (a, u, b, v) for a in values for b in values if a < b for u in values[a] for v in values[b]
    }
    assert pairs == expected - {("a", 1, "b", "x")}
    assert len(chosen) < 24
