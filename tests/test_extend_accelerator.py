# amaranth: UnusedElaboratable=no
"""An accelerator from outside the packages: the spatial one, whose results come some cycles later.

docs/extend.md walks through this file, as through test_extend.py.
"""

import json
from dataclasses import replace
from typing import Literal

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped
from pydantic import Field

from kakure.hdl.accelerators.architecture import Part, hidden_weights
from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.accelerators.spatial.architecture import Spatial
from kakure.hdl.accelerators.spatial.core import SpatialCore
from kakure.hdl.accelerators.table import ARCHITECTURES, architecture_of
from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.hierarchy import place
from kakure.model.config.accelerators.accelerator import AcceleratorConfig
from kakure.model.config.accelerators.table import ACCELERATORS
from kakure.model.config.config import Config, load_config, parse_config
from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.report.area import area_parts
from kakure.sim.drivers.core import compare_core
from kakure.sim.report.plain_diagram import plain_diagram
from kakure.sim.report.svg import grouped
from tests.test_sim_report_diagram import synthesized

LAYERS = [
    {"kind": "conv", "kernel": 2, "channels": 3, "engine": "pe_array", "input_bits": 2},
    {"kind": "linear", "channels": 4, "engine": "pe_array", "input_bits": 2},
]
DOCUMENT = {
    "name": "late",
    "dataset": "images",
    "input_shape": [3, 3, 1],
    "weights": {"kind": "hidden", "seed": 5},
    "accelerator": {"kind": "late", "cycles": 3},
    "layers": LAYERS,
}


SPATIAL = {"accelerator": {"kind": "spatial"}}


class LateConfig(AcceleratorConfig):
    """A spatial accelerator whose results come later."""

    kind: Literal["late"]
    cycles: int = Field(1, ge=1, le=64)
    """So much later."""


def cycles_of(config: Config) -> int:
    """By how many cycles results come later."""
    assert isinstance(config.accelerator, LateConfig)
    return config.accelerator.cycles


class LateCore(Core):
    """A spatial core, and registers that its results pass one after the other."""

    def elaborate(self, platform) -> Module:
        m = Module()
        inner = SpatialCore(config=self.config)
        m.submodules.inner = place(inner, platform)
        connect(m, flipped(self.i), inner.i)
        for name in ("sends_class", "is_split", "is_batch", "load", "clear"):
            m.d.comb += getattr(inner, name).eq(getattr(self, name))
        for name in ("loaded", "error", "error_layer", "restarts", "is_waiting", "dropped"):
            m.d.comb += getattr(self, name).eq(getattr(inner, name))
        ready, valid, payload = inner.o.ready, inner.o.valid, inner.o.payload
        is_there = inner.is_busy
        for n in range(cycles_of(self.config)):
            is_held, leaves = Signal(name=f"is_held_{n}"), Signal(name=f"leaves_{n}")
            held = Signal.like(payload, name=f"held_{n}")
            m.d.comb += ready.eq(~is_held | leaves)
            with m.If(ready):
                m.d.sync += [is_held.eq(valid), held.eq(payload)]
            is_there |= is_held
            ready, valid, payload = leaves, is_held, held
        m.d.comb += [
            ready.eq(self.o.ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(payload),
            self.is_busy.eq(is_there),
        ]
        return m


class Late(Spatial):
    """Its core, where its parts lie, and its cycles; all else is as with a spatial one."""

    schedule = "All layers work at the same time, and results wait."

    def check(self) -> None:
        hidden_weights(self.config)  # the core passes on no number of planes
        super().check()

    def core(self) -> Core:
        return LateCore(config=self.config)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(replace(part, path=f"inner.{part.path}") for part in super().parts)

    def timing(self, images: int = 1) -> ImageTiming:
        later = cycles_of(self.config)
        return ImageTiming(tuple(cycle + later for cycle in super().timing(images).results))


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setitem(ACCELERATORS.table, "late", LateConfig)
    monkeypatch.setitem(ARCHITECTURES, "late", Late)


def test_it_runs_bit_for_bit_and_cycle_for_cycle(late):
    compare_core(parse_config(json.dumps(DOCUMENT)), images=3, gaps=1, seed=4)


def test_it_is_generated_with_a_picture_and_a_page(late, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "late.json"
    path.write_text(json.dumps(DOCUMENT | {"dataset": "digits", "input_shape": None}))
    assert main(["gen", "--no-synth", "late.json"]) == 0
    [folder] = [page.parent for page in tmp_path.glob("build/*/report.html")]
    picture = (folder / "diagram.svg").read_text()
    for block in (
        "registers",
        "counters",
        "core.inner.gate",
        "core.inner.layer_1",
        "pixel unpacker",
    ):
        assert f">{block}</text>" in picture
    assert (
        "All layers work at the same time, and results wait. One image"
        in (folder / "report.html").read_text()
    )
    spatial = parse_config(json.dumps(load_config(path).model_dump(mode="json") | SPATIAL))
    latency = architecture_of(spatial).timing().latency + 3
    assert f"cycles      {latency} for one image" in (folder / "summary.txt").read_text()


def test_its_parts_have_their_areas(late):
    config = parse_config(json.dumps(DOCUMENT))
    design = design_of(config, "late.json")
    report = synthesized(design)
    areas = {item.path: item.total_um2 for item in report.instances}
    parts = area_parts(config, report)
    assert [name for name, _ in parts] == [
        *("layer 0", "layer 1", "weight generator", "streams, registers")
    ]
    inner = f"{design.top}.core.inner"
    assert sum(parts[1][1].values()) == areas[f"{inner}.layer_1"] > 0
    assert sum(sum(blocks.values()) for _, blocks in parts) == report.totals.area_um2
    picture = plain_diagram(config, design, report)
    assert f">{grouped(areas[f'{inner}.generator'])} µm²</text>" in picture


@pytest.mark.parametrize("path", ["core", "core.inner", "core.inner.gate"])
def test_the_picture_of_a_core_of_few_blocks_shows_them(late, path):
    """A core alone, one block in it, and one in that."""
    config = parse_config(json.dumps(DOCUMENT))
    design = design_of(config, "late.json")
    kept = dict(design.modules)
    for name in (path, path.rpartition(".")[0]):
        module = dict(design.instances()).get(f"{design.top}.{name}")
        if module is not None:
            own = {i: m for i, m in module.instances.items() if path == f"{name}.{i}"}
            kept[module.name] = replace(module, instances=own)
    picture = plain_diagram(config, replace(design, modules=kept))
    assert f">{path}</text>" in picture


def test_no_accelerator_is_known_before_it_is_added():
    with pytest.raises(UserError) as error:
        parse_config(json.dumps(DOCUMENT))
    assert str(error.value) == (
        "config: accelerator.kind: must be 'spatial' or 'temporal', not 'late'"
    )


def test_its_sizes_are_checked_and_the_cost_model_refuses_it(late):
    with pytest.raises(UserError, match=r"accelerator\.cycles: must be at most 64, not 65"):
        parse_config(json.dumps(DOCUMENT | {"accelerator": {"kind": "late", "cycles": 65}}))
    with pytest.raises(UserError) as error:
        DigitalModel().metrics(parse_config(json.dumps(DOCUMENT)))
    assert str(error.value) == (
        "accelerator.kind: must be 'spatial' or 'temporal' in a cost model, not 'late'"
    )
