"""The instance tree of layers in closed form."""

import json
from collections import Counter
from random import Random

import numpy as np
import pytest

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.emission.emit import emit
from kakure.hdl.engines.crossbar.column import tile_columns
from kakure.hdl.engines.crossbar.engine_shape import CrossbarEngineShape
from kakure.model.config.config import Config, parse_config
from kakure.search.cost.digital.tree import Part, config_layers, layer_parts, shared_parts
from kakure.sim.random_config import random_config

COMPARED = {
    "crossbar_tile": ("rows", "columns", "sharing", "adc_bits", "adc_shift", "input_bits"),
    "readout": ("rows", "adc_bits", "adc_shift"),
    "popcount": ("lanes",),
    "pe_array": ("inputs", "outputs", "pixels", "banks", "input_bits"),
    "ram": ("depth", "width"),
    "sliding_window": ("height", "width", "channels", "bits", "kernel_height", "padding"),
    "strided_window": ("height", "width", "channels", "bits", "kernel_height", "stride"),
    "sum_pool": ("positions", "channels", "bits", "shift", "output_bits"),
    "max_pool": ("height", "width", "channels", "size"),
    "requantizer": ("channels", "lanes"),
}
"""Parameters that the generators of these kinds are called with, and the tree says."""


def _config(*, fan_in: int, outputs: int, rows: int, columns: int, sharing: int, **layer) -> Config:
    crossbar = {"rows": rows, "columns": columns}
    first = {
        "kind": "linear",
        "channels": outputs,
        "engine": "crossbar",
        "column_sharing": sharing,
        "adc_type": "flash",
        "adc_bits": 4,
        "input_bits": 4,
    }
    return parse_config(
        json.dumps({
            "name": "tree",
            "dataset": "images",
            "input_shape": [1, 1, fan_in],
            "weights": {"kind": "hidden"},
            "crossbar": crossbar,
            "layers": [first | layer],
        })
    )


def _parts(config: Config, kind: str) -> list[Part]:
    return [p for p in layer_parts(config_layers(config)) if p.kind == kind and p.count[0]]


@pytest.mark.parametrize("seed", range(40))
def test_tiles_are_those_that_the_generator_cuts(seed):
    rng = Random(seed)
    columns = rng.choice([4, 6, 12, 20, 32, 40, 64, 96])
    sharing = rng.choice([n for n in range(1, columns + 1) if columns % n == 0])
    outputs = rng.randint(1, 300)
    config = _config(
        fan_in=rng.randint(1, 70), outputs=outputs, rows=16, columns=columns, sharing=sharing
    )
    cut = tile_columns(CrossbarEngineShape.of(config, 0).grid)
    groups = config.geometry[0].groups
    tiles = _parts(config, "crossbar_tile")
    assert sum(p.count[0] for p in tiles) == len(cut) * len(groups)
    assert sum(p.count[0] * p.parameters["columns"][0] for p in tiles) == sum(
        tile.columns for tile in cut
    ) * len(groups)
    write_groups = sum(p.count[0] * p.parameters["write_groups"][0] for p in tiles)
    assert np.isclose(write_groups, sum(len(tile.pieces) for tile in cut) * len(groups))
    rows = sum(p.count[0] * p.parameters["rows"][0] for p in tiles)
    assert rows == sum(groups) * len(cut)
    readouts = sum(p.count[0] for p in _parts(config, "readout"))
    assert readouts == 2 * sum(tile.columns // sharing for tile in cut) * len(groups)


def test_a_last_group_that_reads_nothing_has_no_tiles():
    config = _config(fan_in=17, outputs=4, rows=16, columns=4, sharing=2, adc_shift=2)
    (tile,) = _parts(config, "crossbar_tile")
    (grid,) = _parts(config, "crossbar_grid")
    assert (tile.count[0], tile.parameters["rows"][0]) == (1, 16)
    assert grid.parameters["groups"][0] == 1


def test_copies_repeat_the_grid_and_what_is_in_it():
    one = _config(fan_in=40, outputs=10, rows=16, columns=4, sharing=2)
    three = _config(fan_in=40, outputs=10, rows=16, columns=4, sharing=2, copies=3)
    for kind in ("crossbar_tile", "readout", "popcount", "crossbar_grid"):
        counts = [[p.count[0] for p in _parts(config, kind)] for config in (one, three)]
        assert counts[1] == [3 * count for count in counts[0]]
    assert [p.count[0] for p in _parts(three, "crossbar_engine")] == [1]


@pytest.mark.parametrize("seed", range(12))
def test_the_tree_of_a_random_accelerator_is_what_is_elaborated(seed, monkeypatch):
    config = random_config(seed)
    assert config.weights.kind == "hidden"
    monkeypatch.setattr(
        "kakure.hdl.emission.emit.verilog_texts", lambda rtlil: [""] * len(rtlil)
    )  # no Yosys
    design = emit(Accelerator(config=config), "accelerator")
    elaborated = Counter(
        (module.kind, *(module.parameters[name] for name in COMPARED.get(module.kind, ())))
        for _, module in design.instances()
    )
    closed: Counter[tuple[str | int, ...]] = Counter()
    layers = layer_parts(config_layers(config))
    for part in [*shared_parts(config), *layers]:
        for place, count in enumerate(part.count):
            names = COMPARED.get(part.kind, ())
            closed[part.kind, *(int(part.parameters[name][place]) for name in names)] += int(count)
    assert +closed == elaborated
