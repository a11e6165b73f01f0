# amaranth: UnusedElaboratable=no
"""Emitted Verilog: one module a distinct component, the same text wherever it stands."""

import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.emit import LONGEST_NAME, Emission, emit, module_name
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.emission.verilog import verilog_texts
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.hdl.weights.weight_order import WeightOrder
from kakure.model.config.config import parse_config
from kakure.sim.benchmark.module_at_a_time import module_at_a_time
from kakure.sim.random_config import random_config

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {"module", "input", "output", "wire", "reg", "begin", "end", "case", "table", "cell"}


class Register(wiring.Component):
    """One bit with a reset."""

    i: Signal
    o: Signal

    def __init__(self):
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.i)
        return m


class Pair(wiring.Component):
    """Two registers in a row, in either order, the first reset by ``clear``."""

    i: Signal
    o: Signal
    clear: Signal

    def __init__(self, *, is_backward=False):
        self.is_backward = is_backward
        super().__init__({"i": In(1), "clear": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        first, second = Register(), Register()
        parts = {"first": (first, self.clear), "second": (second, None)}
        for name in sorted(parts, reverse=self.is_backward):
            part, reset = parts[name]
            m.submodules[name] = place(part, platform, reset=reset)
        m.d.comb += [first.i.eq(self.i), second.i.eq(first.o), self.o.eq(second.o)]
        return m


class Several(wiring.Component):
    """Counts of different sizes."""

    i: Signal
    o: Signal

    def __init__(self, *, sizes):
        self.sizes = sizes
        super().__init__({"i": In(max(sizes)), "o": Out(8)})

    def elaborate(self, platform):
        m = Module()
        for n, size in enumerate(self.sizes):
            count = Popcount(lanes=size)
            m.submodules[f"count_{n}"] = place(count, platform)
            m.d.comb += count.i.eq(self.i)
            m.d.comb += self.o.eq(count.o)
        return m


def tile():
    return CrossbarTile(
        rows=3, columns=4, sharing=2, adc_type="sar", adc_bits=2, input_bits=2, adc_shift=1
    )


def texts(design):
    return {name: module.verilog for name, module in design.modules.items()}


def test_the_same_component_gives_the_same_bytes():
    assert texts(emit(tile(), "tile")) == texts(emit(tile(), "tile"))


def test_equal_components_share_one_module():
    design = emit(tile(), "tile")
    kinds = sorted(module.kind for module in design.modules.values())
    assert kinds == ["crossbar_tile", "popcount", "readout"]
    assert list(design.modules)[-1] == design.top == "tile"  # children first
    readouts = [path for path, module in design.instances() if module.kind == "readout"]
    assert len(readouts) == len(set(readouts)) == 4
    assert all(re.fullmatch(r"tile\.(positive|negative)_[01]", path) for path in readouts)


def test_a_module_is_the_same_whatever_else_is_there_and_in_whatever_order():
    alone = emit(Popcount(lanes=5), module_name(Popcount(lanes=5)))
    sizes = [(5,), (5, 9), (9, 3, 5), (5, 5, 3)]
    for design in (emit(Several(sizes=size), "several") for size in sizes):
        assert texts(design)["popcount_5_all"] == texts(alone)["popcount_5_all"]


def test_a_reset_reaches_the_registers_of_what_is_placed_with_it():
    for is_backward in (False, True):
        design = emit(Pair(is_backward=is_backward), "pair")
        assert set(design.modules) == {"register", "pair"}
        assert design.modules["pair"].instances == {"first": "register", "second": "register"}
        text = design.modules["pair"].verilog
        resets = dict(re.findall(r"register (\w+) \([^;]*?\.rst\((.*?)\)[,\n]", text))
        assert resets["second"].strip() == "rst"
        driver = re.escape(resets["first"].strip())
        assert re.search(rf"assign {driver}\s*= (rst\s*\| clear|clear\s*\| rst);", text)


def test_names_are_legal_and_files_need_nothing_of_this_machine():
    layers = (LayerWeights(1, 1, 1), LayerWeights(3, 4, 40))
    generator = WeightGenerator(generator="xorshift32", seed=5, layers=layers)
    design = emit(generator, "top")
    assert len(design.modules) > 5
    for name, module in design.modules.items():
        assert re.fullmatch(r"[a-z]\w*", name)
        assert len(name) <= LONGEST_NAME
        assert name not in KEYWORDS
        assert re.findall(r"^module (\S+)\(", module.verilog, re.MULTILINE) == [name]
        assert module.verilog.count("endmodule") == 1
        assert module.verilog.startswith("// ")
        assert str(ROOT) not in module.verilog
        assert ".py" not in module.verilog
        assert not re.search(r"\(\* src =", module.verilog)
        assert set(module.instances.values()) <= set(design.modules)


def test_parameters_say_what_a_module_is():
    design = emit(tile(), "tile")
    module = design.modules["tile"]
    assert (module.kind, module.parameters["rows"]) == ("crossbar_tile", 3)
    assert module.parameters["adc_type"] == "sar"
    assert "// rows = 3\n" in module.verilog


def test_ports_and_wires_of_no_bits_are_left_out():
    order = WeightOrder(generator="xorshift32", max_channels=1, max_window=1, max_blocks=1)
    assert len(order.row) == len(order.block) == 0
    text = emit(order, "order").modules["order"].verilog
    assert "[-1:0]" not in text
    header = re.search(r"^module order\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert header is not None
    ports = set(re.split(r",\s*", header[1]))
    assert ports == set(re.findall(r"^  (?:input|output) (?:\[.*?\] )?(\w+);", text, re.MULTILINE))
    assert {"start", "step", "is_last", "clk"} <= ports
    assert not {"row", "block", "channel"} & ports


@pytest.mark.parametrize(
    ("component", "name"),
    [
        (Popcount(lanes=5, cap_bits=3), "popcount_5_3"),
        (Popcount(lanes=5), "popcount_5_all"),
        (Several(sizes=(1, 2)), "several_1x2"),
        (Register(), "register"),
    ],
)
def test_short_names_say_the_parameters(component, name):
    assert module_name(component) == name


def test_long_names_become_a_digest_that_tells_parameters_apart():
    first, second = (Several(sizes=tuple(range(1, n))) for n in (40, 41))
    names = {module_name(first), module_name(second), module_name(Several(sizes=first.sizes))}
    assert len(names) == 2
    assert all(re.fullmatch(r"several_[0-9a-f]{10}", name) for name in names)


def test_an_accelerator_has_the_ports_that_its_users_expect():
    config = {
        "name": "tiny",
        "dataset": "images",
        "input_shape": [1, 2, 1],
        "weights": {"kind": "hidden"},
        "layers": [
            {"kind": "linear", "channels": 1, "engine": "pe_array", "input_bits": 1},
        ],
    }
    design = emit(Accelerator(config=parse_config(json.dumps(config))), "accelerator")
    text = design.modules["accelerator"].verilog
    ports = re.findall(r"^  (input|output) (?:\[\d+:0\] )?(\w+);", text, re.MULTILINE)
    assert {name for _, name in ports if not name.startswith("s_axi_")} == {
        "clk",
        "rst",
        *(f"{side}_axis_t{part}" for side in "sm" for part in ("data", "valid", "ready", "last")),
    }
    assert ("output", "s_axis_tready") in ports
    assert all("[-1:0]" not in module.verilog for module in design.modules.values())


def test_no_line_is_too_long_for_verilator():
    """A window of 3136 values is one list of as many names."""
    window = SlidingWindow(
        height=7, width=7, channels=64, bits=4, kernel_height=7, kernel_width=7, padding=0
    )
    text = emit(window, "window").modules["window"].verilog
    assert max(map(len, text.splitlines())) <= 2000


def check_names(seeds):
    texts = {}
    shared = 0
    for seed in seeds:
        top = Accelerator(config=random_config(seed, weights=700, cycles=1500, blocks=40))
        for name, module in emit(top, f"top_{seed}").modules.items():
            shared += name in texts
            assert texts.setdefault(name, module.verilog) == module.verilog, name
    always = ("register_bank", "crc32", "bit_reader", "mask_decoder")
    assert shared >= len(always) * (len(seeds) - 1)
    assert texts.keys() >= set(always)


@pytest.mark.full
def test_an_equal_name_means_an_equal_text_in_any_two_configurations():
    check_names(range(6))


@pytest.mark.full
def test_an_equal_name_means_an_equal_text_in_many_configurations():
    check_names(range(6, 100))


def test_one_process_for_all_modules_writes_what_one_for_each_does():
    emitter = Emission()
    emitter.add(tile(), "tile")
    rtlil = [module.rtlil for module in emitter.modules.values()]
    texts = verilog_texts(rtlil)
    assert len(texts) == 3
    assert texts == module_at_a_time(rtlil)
    assert texts[::-1] == verilog_texts(rtlil[::-1])
