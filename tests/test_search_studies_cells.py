"""Cells as registers and as memories, side by side."""

import json

import pytest

from kakure.model.config.config import load_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.search.commands.kakure import main

CROSSBAR = {"engine": "crossbar", "adc_type": "sar", "adc_bits": 4, "column_sharing": 8}


def written(folder, sharing=8):
    """A small network with parameters, on tiles of 32 x 24."""
    path = folder / "few.json"
    path.write_text(
        json.dumps({
            "name": "few",
            "dataset": "digits",
            "weights": {"kind": "hidden", "seed": 1},
            "crossbar": {"rows": 32, "columns": 24},
            "layers": [
                {"kind": "conv", "channels": 24, "kernel": 5, "stride": 2, "pool": 2,
                 "input_bits": 2, **CROSSBAR, "column_sharing": sharing},
                {"kind": "linear", "channels": 10, "input_bits": 2, **CROSSBAR,
                 "column_sharing": 2},
            ],
            "parameters": "few.safetensors",
        })
    )  # fmt: skip
    config = load_config(path)
    save_parameters(folder / "few.safetensors", config, random_parameters(config, 3))
    return path


@pytest.mark.full
def test_both_kinds_are_measured_and_told(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- cells few -->\n<!-- end cells few -->\nafter\n")
    path = written(tmp_path)
    assert main(["study", "cells", str(path), "--images", "8", "--page", str(page)]) in (0, None)
    lines = [line.split(" | ") for line in capsys.readouterr().out.strip().splitlines()]
    head, registers, memory = lines[0], lines[2], lines[3]
    assert [registers[0], memory[0]] == ["| registers", "| memory"]
    numbers = [[float(cell.strip(" |").replace(",", "")) for cell in row[1:]] for row in lines[2:]]
    area, macros, openram, model = (head.index(n) for n in head[1:5])
    assert numbers[0][macros - 1] == 0 < numbers[1][macros - 1] < numbers[1][area - 1]
    for row in numbers:
        assert row[openram - 1] == pytest.approx(row[area - 1] + 2.9 * row[macros - 1], abs=2)
        assert row[model - 1] == pytest.approx(row[area - 1], rel=0.1)
    assert numbers[1][-1] > numbers[0][-1]  # cycles to load
    assert "| memory | " in page.read_text()


def test_a_network_without_a_memory_is_refused_in_one_line(tmp_path, capsys):
    path = written(tmp_path, sharing=4)
    assert main(["study", "cells", str(path)]) == 2
    assert (
        capsys
        .readouterr()
        .err.strip()
        .endswith(
            "layers: must have a layer on crossbars whose cells are words enough for a memory"
        )
    )
