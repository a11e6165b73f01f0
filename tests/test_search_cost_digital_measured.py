"""Samples, their measurement, and the file that keeps it."""

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from kakure.hdl.engines.crossbar import engine as grids
from kakure.model.errors import UserError
from kakure.model.files.seal import seal_line
from kakure.model.provenance import sources
from kakure.search.cost.digital.library import CLOCK_GATE_UM2, FLIP_FLOP_UM2
from kakure.search.cost.digital.measured import (
    MEASURED,
    SOURCES,
    Measurement,
    emitted,
    measure,
    read_measured,
    run,
)
from kakure.search.cost.digital.measured_tools import common_tools
from kakure.search.cost.digital.samples.plan import plan
from kakure.search.cost.digital.samples.sample import Sample

SMALL = Sample("popcount", {"lanes": 3, "cap_bits": None})


def test_the_plan_is_the_same_every_time_and_holds_no_sample_twice():
    keys = [sample.key for sample in plan()]
    assert keys == [sample.key for sample in plan()]
    assert len(set(keys)) == len(keys)


def test_every_planned_sample_can_be_built_and_is_measured_and_no_other():
    samples = plan()
    for sample in samples:
        sample.build()
    assert {m.sample.key for m in read_measured()} == {sample.key for sample in samples}


def test_a_third_of_the_samples_is_held_out_of_every_block_with_many():
    held = defaultdict(list)
    for sample in plan():
        held[sample.block].append(sample.is_held_out)
    for block, flags in held.items():
        if len(flags) >= 20 and block != "accelerator":
            assert 0.15 < sum(flags) / len(flags) < 0.6, block


def test_all_points_are_of_the_same_tools():
    tools = common_tools(m.tools for m in read_measured())
    assert tools is not None
    assert "LOP" in tools["memory_model"] and "LSTP" in tools["memory_model"]
    assert common_tools([tools, tools | {"yosys": "another"}]) is None


def test_flip_flops_and_clock_gates_are_the_only_sequential_cells():
    for measurement in read_measured():
        for module in measurement.modules:
            counted = FLIP_FLOP_UM2 * module.flops + CLOCK_GATE_UM2 * module.clock_gates
            assert module.sequential_um2 == pytest.approx(counted, abs=0.01)


def test_the_smallest_sample_of_each_block_is_of_todays_generators():
    smallest: dict[str, Measurement] = {}
    for measurement in read_measured():
        block = measurement.sample.block
        if block not in smallest or measurement.area_um2 < smallest[block].area_um2:
            smallest[block] = measurement
    changed = [m.sample.key for m in smallest.values() if emitted(m.sample)[1] != m.verilog]
    assert not changed, "run: make calibrate ARGS=--check"


def test_a_run_measures_what_is_missing_and_stores_it_at_once(tmp_path):
    path, cache = tmp_path / "measured.jsonl", tmp_path / "cache"
    samples = [SMALL, Sample("popcount", {"lanes": 1, "cap_bits": None})]
    assert run(samples[:1], path=path, cache=cache, progress=False) == 1
    first = path.read_text()
    assert run(samples, path=path, cache=cache, progress=False, jobs=2) == 1
    assert path.read_text().startswith(first)
    assert run(samples, path=path, cache=cache, progress=False, check=True) == 0
    found = {m.sample.key: m for m in read_measured(path)}
    assert sorted(found) == sorted(sample.key for sample in samples)
    assert found[SMALL.key] == measure(SMALL, cache=cache)


def test_columns_of_tiles_that_are_modules_of_their_own_count_to_the_grid(tmp_path, monkeypatch):
    config = {
        "name": "columns",
        "dataset": "images",
        "input_shape": [1, 1, 6],
        "weights": {"kind": "hidden"},
        "crossbar": {"rows": 2, "columns": 2},
        "pe_array": {"inputs": 1, "outputs": 1, "pixels": 1},
        "layers": [
            {"kind": "linear", "channels": 5, "engine": "crossbar", "column_sharing": 2}
            | {"adc_type": "sar", "adc_bits": 2, "input_bits": 1}
        ],
    }
    sample = Sample("crossbar_engine", config)
    together = measure(sample, cache=tmp_path)
    monkeypatch.setattr(grids, "MOST_ADDERS", -1)
    apart = measure(sample, cache=tmp_path)
    kinds = {module.kind for module in emitted(sample)[0].modules.values()}
    assert "crossbar_column" in kinds
    counts, areas = [], []
    for measurement in (together, apart):
        count = {m.kind: 0 for m in measurement.modules}
        for module in measurement.modules:
            count[module.kind] += module.instances
        counts.append(count)
        area = sum(m.instances * m.area_um2 for m in measurement.modules)
        assert area == pytest.approx(measurement.area_um2)
        areas.append(sum(m.area_um2 for m in measurement.modules if m.kind == "crossbar_grid"))
    assert counts[0] == counts[1]
    assert areas[1] == pytest.approx(areas[0], rel=0.1)


def test_a_changed_generator_is_measured_again(tmp_path):
    path, cache = tmp_path / "measured.jsonl", tmp_path / "cache"
    run([SMALL], path=path, cache=cache, progress=False)
    line = json.loads(path.read_text())
    line.pop("sha256")
    path.write_text(seal_line(json.dumps(line | {"verilog": "of another day"})) + "\n")
    assert run([SMALL], path=path, cache=cache, progress=False) == 0
    assert run([SMALL], path=path, cache=cache, progress=False, check=True) == 1
    assert [m.verilog for m in read_measured(path)] == [emitted(SMALL)[1]]


def test_a_line_that_a_crash_cut_off_is_left_out_and_written_over(tmp_path):
    path, cache = tmp_path / "measured.jsonl", tmp_path / "cache"
    whole = MEASURED.read_text().splitlines()[0]
    path.write_text(f"{whole}\n{whole[:100]}")
    assert len(read_measured(path)) == 1
    run([SMALL], path=path, cache=cache, progress=False)
    assert len(path.read_text().splitlines()) == 2
    assert len(read_measured(path)) == 2


@pytest.mark.parametrize("wrong", ["{}", "nothing", '{"sample": {"block": "ram"}}', "[1]"])
def test_any_other_broken_line_is_named(tmp_path: Path, wrong: str):
    path = tmp_path / "measured.jsonl"
    whole = MEASURED.read_text().splitlines()[0]
    path.write_text(f"{whole}\n{wrong}\n{whole}\n")
    with pytest.raises(UserError, match=r"measured\.jsonl: line 2 is not a measurement"):
        read_measured(path)


def test_no_flipped_byte_of_a_line_is_used(tmp_path, capsys):
    path = tmp_path / "measured.jsonl"
    lines = MEASURED.read_bytes().splitlines(keepends=True)[:3]
    path.write_bytes(b"".join(lines))
    known = {m.sample.key: m for m in read_measured(path)}
    whole = path.read_bytes()
    draw = random.Random(1)
    for place in [len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(200))]:
        damaged = bytearray(whole)
        damaged[place] ^= draw.randrange(1, 256)
        path.write_bytes(damaged)
        with pytest.raises(
            UserError, match=r"line \d is not a measurement, or damaged; run kakure calibrate"
        ):
            read_measured(path)
        found = read_measured(path, is_mended=True)
        assert len(found) in (1, 2) and all(known[m.sample.key] == m for m in found)
        assert "damaged: it is cut out, and measured anew" in capsys.readouterr().err
        assert read_measured(path) == found


def test_a_damaged_line_is_measured_anew(tmp_path, capsys):
    path, cache = tmp_path / "measured.jsonl", tmp_path / "cache"
    path.write_bytes(MEASURED.read_bytes().splitlines(keepends=True)[0])
    run([SMALL], path=path, cache=cache, progress=False)
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[1]
    path.write_bytes(whole.replace(last, last.replace(b'"area_um2":', b'"area_um2":1', 1)))
    assert run([SMALL], path=path, cache=cache, progress=False) == 1
    assert path.read_bytes() == whole
    assert json.loads(last)["sources"] == sources(*SOURCES)


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize(
    "text",
    [
        "my notes\nlast line",
        '{\n "name": "digits"\n}',
        '{"name": "digits"',
        seal_line('{"name":"digits"}'),
        f"{MEASURED.read_text().splitlines()[0]}\n" + seal_line('{"name":"digits"}'),
    ],
)
def test_another_file_is_refused_and_stays_as_it_is(tmp_path, text, end):
    path = tmp_path / "notes"
    path.write_text(text + end)
    with pytest.raises(UserError, match=r"is (not )?a measurement; move the file away"):
        run([SMALL], path=path, cache=tmp_path / "cache", progress=False)
    assert path.read_text() == text + end


def test_a_line_that_lacks_nothing_but_its_end_is_read_and_kept(tmp_path):
    path, cache = tmp_path / "measured.jsonl", tmp_path / "cache"
    whole = MEASURED.read_text().splitlines()[0]
    path.write_text(whole)
    assert len(read_measured(path)) == 1
    run([SMALL], path=path, cache=cache, progress=False)
    assert path.read_text().startswith(f"{whole}\n") and len(read_measured(path)) == 2


def test_a_device_is_not_read(tmp_path):
    with pytest.raises(UserError, match="must be an ordinary file, not a device"):
        read_measured(Path("/dev/zero"))


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(UserError, match=r"cannot be read: No such file .*; run kakure calibrate"):
        read_measured(tmp_path / "nothing.jsonl")
