"""Mapped netlists: names of nets, nets that ports join, paths that begin at memories."""

import json

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.emission.emit import emit
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.synthesis.flat_netlist import flatten
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.memory_macro import memory_macro
from kakure.hdl.synthesis.netlist import Instance, Netlist, Port
from kakure.hdl.synthesis.simulation_kernel import kernel, operand_pins


def test_nets_have_the_names_that_a_person_gave_them():
    nets = {
        "a": {"bits": [2], "hide_name": 0},
        "$auto$7": {"bits": [2], "hide_name": 1},
        "a_much_longer_name": {"bits": [2], "hide_name": 0},
        "y": {"bits": [3, 4, "0"], "hide_name": 0, "offset": 5},
        "$auto$8": {"bits": [5, 99], "hide_name": 1},
    }
    ports = {
        "a": {"direction": "input", "bits": [2]},
        "y": {"direction": "output", "bits": [3, 4, "0"]},
        "z": {"direction": "output", "bits": [5]},
    }
    text = json.dumps({"modules": {"m": {"ports": ports, "cells": {}, "netnames": nets}}})
    netlist = Netlist.read(text, "m")
    assert netlist.names == ("a", "y[5]", "y[6]", "$auto$8[0]")
    assert netlist.ports["y"].bits == (1, 2, -1)


def test_nets_that_a_child_passes_on_are_one():
    child = Netlist(
        "child", {"i": Port("input", (0,)), "o": Port("output", (0,))}, (), {}, ("through",)
    )
    top = Netlist(
        "top",
        {"a": Port("input", (0,)), "y": Port("output", (1,)), "b": Port("input", (2,))},
        (Instance("c", "child", {"i": (0,), "o": (1,)}),),
        {"child": ("o",)},
        ("a", "y", "b"),
    )
    design = Design(
        "top",
        {
            "child": ModuleSource("child", "child", ""),
            "top": ModuleSource("top", "top", "", {"c": "child"}),
        },
    )
    flat = flatten(design, {"child": child, "top": top}, {}, library())
    assert flat.nets == 2
    assert flat.ports["a"].tolist() == flat.ports["y"].tolist() != flat.ports["b"].tolist()


class Reads(wiring.Component):
    """A memory, and nothing behind it."""

    address: Signal
    o: Signal

    def __init__(self) -> None:
        super().__init__({"address": In(6), "o": Out(16)})

    def elaborate(self, platform) -> Module:
        m = Module()
        ram = Ram(depth=64, width=16)
        m.submodules.ram = place(ram, platform)
        m.d.comb += [
            ram.read_address.eq(self.address),
            ram.read_enable.eq(1),
            self.o.eq(ram.read_data),
        ]
        return m


def test_a_path_from_a_memory_has_its_access_time():
    path = synthesize(emit(Reads(), "reads"), progress=False).critical_path
    assert path.delay_ns >= memory_macro(64, 16).access_ns


def test_gates_of_six_inputs_are_simulated():
    most = max(kernel().codes, key=lambda function: len(operand_pins(function)))
    assert len(operand_pins(most)) == 6
