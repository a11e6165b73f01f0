"""The Verilog text of a module: independent of all others, and accepted by a strict linter."""

from collections import Counter
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from pyslang import DiagnosticEngine
from pyslang.ast import Compilation
from pyslang.syntax import SyntaxTree

from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.emit import emit
from kakure.hdl.emission.verilog import START, verilog_texts
from kakure.model.config.config import load_config
from kakure.model.config.presets import PRESETS, preset
from kakure.model.errors import UserError

ROOT = Path(__file__).resolve().parent.parent

TOLERATED = {
    "SignConversion": "a signed sum goes into a wire without sign: its bits are the same",
    "ArithOpMismatch": "reg and logic are the same bits",
    "WidthTruncate": "Amaranth keeps the low bits of a wider result, and so does Verilog",
    "CaseDefault": "all that a case assigns has a value before it",
}
"""Kinds of warnings that Yosys' Verilog leads to, and why each is none."""

NO_HARDWARE = "resnet-cifar"
"""It has crossbars and shortcuts over two layers: each accelerator refuses one of them."""
CONFIGS = ("digits", "fashion-mnist", "cifar10", "cifar10-temporal", "progressive-digits")
SHIPPED = {
    **dict.fromkeys(name for name in PRESETS if name != NO_HARDWARE),
    **{name: ROOT / "configs" / f"{name}.json" for name in CONFIGS},
}
QUICK = ("digits", "residual")


class Parts(wiring.Component):
    """One output in three parts: a copy, a constant, and what depends on an input."""

    i: Signal
    o: Signal

    def __init__(self):
        super().__init__({"i": In(2), "o": Out(6)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.o[:2].eq(self.i), self.o[2:4].eq(2)]
        with m.If(self.i[0]):
            m.d.comb += self.o[4:].eq(3)
        return m


def linted(name):
    """Diagnostics of all files of a configuration: Counter of kinds, and the errors' texts."""
    path = SHIPPED[name]
    config = preset(name) if path is None else load_config(path)
    compilation = Compilation()
    for module in design_of(config, name).modules.values():
        compilation.addSyntaxTree(SyntaxTree.fromText(module.verilog, module.name))
    found = compilation.getAllDiagnostics()
    errors = [one for one in found if one.isError()]
    kinds = Counter(str(one.code).removeprefix("DiagCode(").rstrip(")") for one in found)
    return kinds, DiagnosticEngine.reportAll(compilation.sourceManager, errors)


def check_lint(name):
    kinds, errors = linted(name)
    assert errors == ""
    assert set(kinds) <= set(TOLERATED)
    return kinds


@pytest.mark.parametrize("name", QUICK)
def test_a_shipped_configuration_has_no_error_and_only_known_warnings(name):
    kinds = check_lint(name)
    assert set(kinds) == set(TOLERATED), "what is tolerated without need leaves the list"


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in QUICK])
def test_every_shipped_configuration_has_no_error_and_only_known_warnings(name):
    check_lint(name)


def test_what_is_not_linted_has_no_hardware_and_all_else_is():
    with pytest.raises(UserError, match=r"layers\[2\]\.residual: must be true or false"):
        design_of(preset(NO_HARDWARE), NO_HARDWARE)
    files = {path.stem for path in (ROOT / "configs").glob("*.json")}
    assert set(CONFIGS) == {n for n in files if n != "schema" and not n.startswith("search")}


def test_every_combinational_block_runs_at_time_0():
    """A copy into a part of a signal, which Yosys starts only when its source changes."""
    text = emit(Parts(), "parts").modules["parts"].verilog
    assert text.count("always @*") == text.count(f"    if ({START}) begin end\n") >= 3
    assert text.count(f"  initial begin\n    {START}<= 1'h1;\n  end\n") == 1
    assert "    o[3:2] = 2'h2;\n" in text
    assert "$auto$" not in text


def test_a_module_that_yosys_refuses_is_an_error_with_its_words():
    with pytest.raises(RuntimeError, match=r"^Yosys writes no Verilog: ERROR: .* line 2: syntax"):
        verilog_texts(["module \\good\nend\n", "module \\bad\n  nonsense\nend\n"])


def test_no_module_is_no_text():
    assert verilog_texts([]) == []


def test_a_home_that_cannot_be_written_is_no_hindrance(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    expected = verilog_texts(["module \\good\nend\n"])
    for variable in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
    assert verilog_texts(["module \\good\nend\n"]) == expected
