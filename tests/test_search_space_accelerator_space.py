"""Spaces that choose the accelerator: its kind, and an array's shape."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.errors import UserError
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.table_building import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.description import describe
from kakure.search.space.space_file import load_space, parse_space

CONFIGS = Path(__file__).parents[1] / "configs"
BOTH = {
    "name": "both",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 1, "density": 0.5},
    "crossbar": {"rows": [32], "columns": [16]},
    "accelerator": {
        "kind": ["spatial", "temporal"], "inputs": [16, 32], "outputs": [8], "pixels": [1, 2],
        "batches": [32], "rows": [2],
    },
    "objective": "interval",
    "layers": [
        {"kind": "conv", "kernel": 3, "pool": 2, "channels": [8, 16], "input_bits": [4, 3],
         "engine": ["crossbar", "pe_array"], "column_sharing": [4, 16], "adc_type": ["sar"],
         "adc_bits": [4, 3]},
        {"kind": "conv", "kernel": 3, "channels": [8, 16], "input_bits": [4],
         "residual": [False, True], "engine": ["pe_array"]},
        {"kind": "linear", "channels": [10], "input_bits": [4], "engine": ["pe_array"]},
    ],
}  # fmt: skip


def space_of(**changes):
    return parse_space(json.dumps(BOTH | changes), "both.json")


def accelerator(**changes):
    return {**BOTH["accelerator"], **changes}


def test_hardware_is_every_crossbar_and_every_array():
    space = space_of()
    found = [h.array and (h.array.inputs, h.array.pixels) for h in space.hardware]
    assert found == [None, (16, 1), (16, 2), (32, 1), (32, 2)]
    only = space_of(accelerator=accelerator(kind=["temporal"], lanes=256))
    assert [h.array.lanes for h in only.hardware if h.array] == [256, 256]
    assert load_space(CONFIGS / "search-digits.json").hardware[0].array is None
    assert "arrays      4 of temporal accelerators" in describe(space)


def test_points_are_counted_and_become_configurations():
    space = space_of()
    points = list(space.points())
    assert len(points) == space.size
    kinds = set()
    for point in points[:: len(points) // 60]:
        config = space.config(point)
        kinds.add(config.accelerator.kind)
        architecture_of(config).check()
        if point.hardware.array is not None:
            assert config.accelerator == point.hardware.array
            assert {layer.engine for layer in config.layers} == {"pe_array"}
    assert kinds == {"spatial", "temporal"}


@pytest.mark.parametrize("objective", ["latency", "interval"])
@pytest.mark.parametrize("bound", [None, 150_000, 135_000])
def test_phase_1_finds_the_best_of_all(objective, bound):
    space = space_of(objective=objective, area_um2=bound)
    tables = build_tables(space, DigitalModel())
    problem = Problem.of(space)
    best = ExactSearch(tables, problem).best()
    least = []
    for one in tables:
        sizes = [(len(t.out_channels), len(t.options)) for t in one.layers]
        choices = list(itertools.product(*(itertools.product(*map(range, s)) for s in sizes)))
        picked = np.array(choices, np.int64)
        time, fits = problem.evaluate(one, picked[:, :, 0], picked[:, :, 1])
        least += time[fits].tolist()
    assert problem.time_ps(best) == min(least)
    config = best.config(space)
    metrics = DigitalModel().metrics(config)
    assert metrics.area_um2 <= best.area_um2
    if best.hardware.array is not None:
        assert problem.time_ps(best) / 1000 <= metrics.interval_ns


def test_what_is_wrong_is_said():
    for changes, said in (
        ({"outputs": [12]}, "accelerator.outputs: must be 1, 2, 4, 8, 16, 32 or a multiple of 32"),
        ({"lanes": 7}, "accelerator.lanes: must be inputs · outputs · pixels of one, not 7"),
        ({"pixels": [2, 2]}, "accelerator.pixels: must not repeat 2"),
        ({"kind": ["spatial"]}, "accelerator.inputs: must be left out without kind temporal"),
        ({"kind": []}, "accelerator.kind"),
    ):
        with pytest.raises(UserError) as error:
            space_of(accelerator=accelerator(**changes))
        assert str(error.value).startswith(f"both.json: {said}")
    layers = json.loads(json.dumps(BOTH["layers"]))
    layers[0]["engine"] = ["crossbar"]
    with pytest.raises(UserError, match=r"layers\[0\].engine: must offer pe_array, as a temporal"):
        space_of(layers=layers)
    with pytest.raises(UserError, match=r"weights.generator: must be xorshift32 for a temporal"):
        space_of(weights=BOTH["weights"] | {"generator": "xorshift16"})
    with pytest.raises(UserError, match=r"weights.kind: must be hidden for a temporal .* bitwise"):
        space_of(weights={"kind": "bitwise", "bits": 2})


def test_a_space_without_a_choice_has_the_digest_that_it_had():
    text = (CONFIGS / "search-digits.json").read_text()
    plain = parse_space(text)
    said = parse_space(json.dumps(json.loads(text) | {"accelerator": {"kind": ["spatial"]}}))
    assert plain.digest == said.digest
    assert "accelerator" not in plain.model_dump(mode="json")
