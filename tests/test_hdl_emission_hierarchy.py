"""Placing a component: by name for the emitter, inline for a simulation and for any board."""

import json
import re

import pytest
from amaranth.hdl import Module
from amaranth.lib import io
from amaranth_boards.arty_a7 import ArtyA7_35Platform
from amaranth_boards.icestick import ICEStickPlatform
from amaranth_boards.ulx3s import ULX3S_85F_Platform

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.emission.emit import emit
from kakure.model.config.config import parse_config
from tests.test_sim_generation_generate import TINY

CONFIG = parse_config(json.dumps(TINY))


def blinking(platform):
    """An accelerator that lights a LED while it offers a result."""
    m = Module()
    m.submodules.accelerator = accelerator = Accelerator(config=CONFIG)
    m.submodules.led = led = io.Buffer(io.Direction.Output, platform.request("led", 0, dir="-"))
    m.d.comb += [
        led.o.eq(accelerator.m_axis_tvalid),
        accelerator.s_axis_tvalid.eq(1),
        accelerator.m_axis_tready.eq(1),
    ]
    return m


@pytest.mark.parametrize("board", [ULX3S_85F_Platform, ICEStickPlatform, ArtyA7_35Platform])
def test_a_board_builds_the_same_tree_of_blocks_as_the_emitter(board, monkeypatch):
    """All but the bitstream, for which the maker's tools are needed."""
    monkeypatch.setenv("AMARANTH_ENV_VIVADO", "true")
    platform = board()
    plan = platform.build(blinking(platform), do_build=False)
    text = next(text for name, text in plan.files.items() if name in ("top.il", "top.v"))
    text = text if isinstance(text, str) else text.decode()
    found = set(re.findall(r"^module \\(top\.accelerator\S*)", text, re.MULTILINE))
    emitted = emit(Accelerator(config=CONFIG), "accelerator")
    assert {f"top.{path}" for path, _ in emitted.instances()} == found
