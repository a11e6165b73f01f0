"""Emitted Verilog means the same in every simulator: logits and cycles of the golden vectors.

Icarus Verilog in both languages, and Verilator with everything that has no value at time 0 drawn
from three seeds; then all of them once more without any initial value in the text.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.verilog import START
from kakure.model.config.config import load_config, parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.plain_bench import (
    expected,
    run_icarus,
    run_verilator,
    without_initial_values,
)
from tests.temporal import temporal

ROOT = Path(__file__).resolve().parent.parent

FLASH = {"engine": "crossbar", "adc_type": "flash", "adc_bits": 4, "column_sharing": 1}
SAR = {"engine": "crossbar", "adc_type": "sar", "adc_bits": 3, "column_sharing": 3}
IN_MEMORY = SAR | {"adc_bits": 11}
"""33 words of cells."""
PE_ARRAY = {"engine": "pe_array"}
CONV = {"kind": "conv", "channels": 6, "kernel": 3, "input_bits": 3}
LINEAR = {"kind": "linear", "channels": 5, "input_bits": 2}


def config(layers, *, shape=(5, 4, 2), rows=8, columns=6, cells="registers", **weights):
    return parse_config(
        json.dumps({
            "name": "small",
            "dataset": "images",
            "input_shape": shape,
            "weights": weights if "kind" in weights else {"kind": "hidden", "seed": 7} | weights,
            "crossbar": {"rows": rows, "columns": columns, "cells": cells},
            "pe_array": {"inputs": 4, "outputs": 3, "pixels": 2},
            "layers": layers,
        })
    )


# Channel 0 is read with numbers that never change from what they are at time 0.
SMALLEST = config(
    [CONV | FLASH | {"channels": 10, "kernel": 2, "padding": 1, "pool": 2, "input_bits": 4}],
    shape=(1, 1, 1),
    rows=64,
    columns=1,
    seed=1,
)
EVERY_KIND = config(
    [
        CONV | FLASH | {"copies": 2, "pool": 2, "adc_bits": 3, "adc_shift": 1},
        CONV | IN_MEMORY | {"residual": True, "input_bits": 2},
        CONV | PE_ARRAY | {"kernel": 2, "padding": 1},
        LINEAR | PE_ARRAY,
    ],
    cells="memory",
    generator="xorshift16",
    density=0.1,
)
ONE_KIND_EACH = {
    "flash": config([CONV | FLASH, LINEAR | FLASH]),
    "sar": config([CONV | SAR, LINEAR | SAR | {"channels": 6}]),
    "memory": config([CONV | IN_MEMORY | {"copies": 2}, LINEAR | FLASH], cells="memory"),
    "copies": config([CONV | SAR | {"copies": 3, "pool": 2}, LINEAR | FLASH]),
    "pool of a PE array": config([CONV | PE_ARRAY | {"pool": 2}, LINEAR | PE_ARRAY]),
    "residual crossbar": config([
        CONV | FLASH,
        CONV | FLASH | {"residual": True, "copies": 2},
        LINEAR | FLASH,
    ]),
    "residual PE array": config([
        CONV | PE_ARRAY,
        CONV | PE_ARRAY | {"residual": True},
        LINEAR | PE_ARRAY,
    ]),
    "xorshift16": config([CONV | FLASH, LINEAR | PE_ARRAY], generator="xorshift16"),
    "zero runs": config([CONV | FLASH, LINEAR | PE_ARRAY], density=0.03),
}
TEMPORAL = temporal(
    [
        CONV | {"pool": 2, "input_bits": 6},
        CONV | {"kernel": 1, "stride": 2},
        LINEAR | {"sum_pool": True, "map_bits": 3, "input_bits": 5},
    ],
    (4, 2, 2, 3),
    input_shape=[7, 6, 2],
)
SMALL_TEMPORAL = temporal(
    [
        CONV | {"pool": 2, "input_bits": 2},
        CONV | {"kernel": 1, "stride": 2},
        LINEAR | {"sum_pool": True, "map_bits": 3, "input_bits": 2},
    ],
    (4, 2, 2, 2),
    input_shape=[5, 4, 2],
)
PLANES = config(
    [
        CONV | PE_ARRAY | {"pool": 2},
        CONV | PE_ARRAY | {"residual": True, "input_bits": 2},
        LINEAR | PE_ARRAY,
    ],
    kind="bitwise",
    bits=3,
)
TEMPORAL_PLANES = temporal(
    [CONV | {"pool": 2, "input_bits": 6}, LINEAR | {"sum_pool": True, "map_bits": 3}],
    (4, 2, 2, 3),
    input_shape=[7, 6, 2],
    weights={"kind": "bitwise", "bits": 3},
)
DIGITS = load_config(ROOT / "configs" / "digits.json")

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog, which CI installs, is not there"
)


def golden(config, images=3):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (images, *config.shape), dtype=np.uint8)
    pixels[0] = 255
    return golden_vectors(config, random_parameters(config, 1), pixels)


def check_icarus(config, folder, *, images=3, generations=("2005", "2012")):
    vectors = golden(config, images)
    design = design_of(config, "small.json")
    for name, text in (("initial", design), ("none", without_initial_values(design))):
        for generation in generations:
            results = run_icarus(text, vectors, folder / name, generation)
            assert results == expected(vectors), f"-g{generation}, {name} values at time 0"


def check_verilator(config, folder, *, images=3, has_initial_values=True):
    vectors = golden(config, images)
    design = design_of(config, "small.json")
    text = design if has_initial_values else without_initial_values(design)
    for seed, results in enumerate(run_verilator(text, vectors, folder, seeds=(1, 2, 3)), 1):
        assert results == expected(vectors), f"seed {seed}"


@needs_icarus
@pytest.mark.parametrize(
    "config",
    [
        *(SMALLEST, EVERY_KIND, SMALL_TEMPORAL),
        *(pytest.param(c, marks=pytest.mark.full) for c in (PLANES, TEMPORAL)),
    ],
    ids=["smallest", "every kind", "small temporal", "planes", "temporal"],
)
def test_both_languages_in_icarus(config, tmp_path):
    check_icarus(config, tmp_path)


@pytest.mark.parametrize(
    "config",
    [EVERY_KIND, *(pytest.param(c, marks=pytest.mark.full) for c in (PLANES, TEMPORAL))],
    ids=["every kind", "planes", "temporal"],
)
def test_any_value_at_time_0_in_verilator(config, tmp_path):
    check_verilator(config, tmp_path)


@pytest.mark.full
@needs_icarus
@pytest.mark.parametrize("kind", ONE_KIND_EACH)
def test_each_kind_in_icarus(kind, tmp_path):
    check_icarus(ONE_KIND_EACH[kind], tmp_path, images=2)


@pytest.mark.full
@needs_icarus
def test_temporal_planes_in_icarus(tmp_path):
    check_icarus(TEMPORAL_PLANES, tmp_path)


@pytest.mark.full
@needs_icarus
def test_digits_in_icarus(tmp_path):
    """Minutes for an image: Icarus is slow."""
    check_icarus(DIGITS, tmp_path, images=1, generations=["2012"])


@pytest.mark.full
@pytest.mark.parametrize("has_initial_values", [True, False])
@pytest.mark.parametrize("kind", ["smallest", "every kind", "digits", *ONE_KIND_EACH])
def test_each_kind_in_verilator(kind, has_initial_values, tmp_path):
    config = {"smallest": SMALLEST, "every kind": EVERY_KIND, "digits": DIGITS, **ONE_KIND_EACH}[
        kind
    ]
    check_verilator(config, tmp_path, images=2, has_initial_values=has_initial_values)


def test_the_golden_vectors_hold_raw_masks_and_zero_runs():
    for config, expected_tokens in ((SMALLEST, {False}), (EVERY_KIND, {True})):
        layers = random_parameters(config, 1).layers
        sections = map(layer_section, [config] * len(layers), config.geometry, layers)
        assert {section.token > 0 for section in sections} == expected_tokens


def test_only_what_starts_the_blocks_is_left_at_time_0():
    design = design_of(EVERY_KIND, "small.json")
    text = "".join(module.verilog for module in design.modules.values())
    bare = "".join(module.verilog for module in without_initial_values(design).modules.values())
    assert " = 1'h0;\n  reg " in text and text.count("initial begin") > bare.count("initial begin")
    assert bare.count("initial begin") == bare.count(f"    {START}<= 1'h1;") > 0
    assert not [line for line in bare.splitlines() if line.startswith("  reg ") and "=" in line]


@needs_icarus
def test_a_wrong_constant_is_seen(tmp_path):
    """The bench compares: with a mutant of the requantizer no result is the golden one."""
    vectors = golden(SMALLEST)
    design = design_of(SMALLEST, "small.json")
    name = next(name for name in design.modules if name.startswith("requantizer_lane"))
    before = design.modules[name].verilog
    after = before.replace(" + ", " - ")
    assert after != before
    modules = dict(design.modules) | {name: replace(design.modules[name], verilog=after)}
    results = run_icarus(replace(design, modules=modules), vectors, tmp_path, "2005")
    assert results.words != expected(vectors).words
    assert results.cycles == expected(vectors).cycles


@needs_icarus
def test_a_hang_ends_at_the_deadline(tmp_path):
    vectors = golden(SMALLEST)
    design = design_of(SMALLEST, "small.json")
    top = design.modules[design.top]
    silent = top.verilog.replace(".o__valid(m_axis_tvalid)", ".o__valid()")
    assert silent != top.verilog
    silent = silent.replace("endmodule", "  assign m_axis_tvalid = 1'h0;\nendmodule")
    modules = dict(design.modules) | {design.top: replace(top, verilog=silent)}
    with pytest.raises(RuntimeError, match=r"no end after \d+ cycles: word 28 of 28"):
        run_icarus(replace(design, modules=modules), vectors, tmp_path, "2012")
