"""Whole cores whose cells are memories: words of weights wait until they are written."""

import json

import pytest

from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import parse_config
from kakure.sim.drivers.core import compare_core

PE = {"engine": "pe_array", "input_bits": 2}
SAR = {"engine": "crossbar", "adc_type": "sar", "input_bits": 2}

NETWORKS = {
    "the last word takes longer than the scales": (
        {"kind": "conv", "kernel": 3, "channels": 4, **PE},
        {"kind": "linear", "channels": 3, **SAR, "column_sharing": 32, "adc_bits": 4},
    ),
    "memories first, words of two tiles, in copies": (
        {
            "kind": "conv", "kernel": 3, "channels": 40, "pool": 4, **SAR, "column_sharing": 8,
            "adc_bits": 4, "copies": 2,
        },
        {"kind": "linear", "channels": 3, **PE},
    ),
    "rows that no tile holds": (
        {
            "kind": "linear", "channels": 2, **SAR, "column_sharing": 16, "adc_bits": 2,
            "adc_shift": 4,
        },
    ),
    "a flash readout": (
        {
            "kind": "linear", "channels": 35, "engine": "crossbar", "adc_type": "flash",
            "input_bits": 3, "column_sharing": 32, "adc_bits": 2,
        },
    ),
}  # fmt: skip


def config_of(name, generator="xorshift32", density=0.5):
    rows = 12 if name == "rows that no tile holds" else 8
    return parse_config(
        json.dumps({
            "name": "waits",
            "dataset": "images",
            "input_shape": [4, 4, 1],
            "weights": {"kind": "hidden", "seed": 3, "generator": generator, "density": density},
            "crossbar": {"rows": rows, "columns": 32, "cells": "memory"},
            "layers": NETWORKS[name],
        })
    )


@pytest.mark.parametrize(("generator", "density"), [("xorshift32", 0.5), ("xorshift16", 0.05)])
@pytest.mark.parametrize("name", NETWORKS)
def test_logits_and_cycles_of_loading_and_images(name, generator, density):
    compare_core(config_of(name, generator, density), images=2, gaps=1, seed=3)


def test_a_row_that_no_tile_holds_takes_a_cycle():
    assert engine_of(config_of("rows that no tile holds"), 0).write_cycles == [17] * 12 + [1] * 4
