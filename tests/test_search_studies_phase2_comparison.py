import json
from pathlib import Path

import pytest

from kakure.search.commands.kakure import main
from kakure.search.phase2.search import METHODS
from kakure.search.studies import phase2_comparison as comparison

TILE = {"column_sharing": [8], "adc_type": ["flash"], "adc_bits": [5, 3], "input_bits": [4, 2]}
SPACE = {
    "name": "tiny",
    "dataset": "digits",
    "weights": {"kind": "hidden"},
    "crossbar": {"rows": [64], "columns": [64]},
    "layers": [
        {"kind": "conv", "kernel": 3, "pool": 4, "channels": [10], **TILE},
        {"kind": "linear", "channels": [10], **TILE},
    ],
}


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "BUILD", tmp_path)
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(SPACE))

    def run(*options: str) -> int:
        short = ["--epochs", "1", "--tuning-epochs", "1", "--tuning-images", "64", "--parts", "2"]
        return main([
            "study",
            "phase2-comparison",
            "--space",
            str(path),
            *short,
            "--held",
            "60",
            "--budget",
            "6",
            *options,
        ])

    return run


def test_the_command_prints_a_row_for_each_method_and_reuses_what_it_measured(command, capsys):
    assert command("--extrapolate", "--loss", "0.5") == 0
    first = capsys.readouterr().out
    for method in METHODS:
        assert f"\n{method} " in first
    assert "test images, measured once: start " in first
    assert command("--extrapolate", "--loss", "0.5", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in found["rows"]] == list(METHODS)
    best = found["rows"][-1]["best"]
    assert best["product"] <= found["start"]["product"]
    assert f"{best['product']:.4g}" in first
    for row in found["rows"]:  # all are held to the same
        assert row["shown"]["images"] == row["test"]["count"] + 871 == 1231
        assert row["shown"]["chosen"]["bound"] <= 0.5 and row["shown"]["parts"] == 2
        assert row["test"]["reference"] == found["rows"][0]["test"]["reference"]
    assert f"guided: {found['rows'][-1]['shown']['statement']}" in first
    assert len(found["history"]) == found["rows"][-1]["evaluations"] <= 6


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ((), "error: layers[0].fan_in must be 27 to 4608"),
        (("--extrapolate", "--loss", "-1"), "error: --loss: must be at least 0 and below 1"),
        (("--extrapolate", "--reference", "2"), "error: --reference: must be 0 to 1, not 2"),
        (("--extrapolate", "--reference", "1"), "error: loss: must be at least 0."),
        (("--extrapolate", "--loss", "0.001"), "error: loss: must be at least 0.0025, the least"),
        (("--extrapolate", "--confidence", "1"), "error: --confidence: must be 0.5 to below 1"),
        (
            ("--extrapolate", "--parts", "3000000"),
            "error: --parts: must be at most 50, not 3000000",
        ),
        (("--extrapolate", "--store", "/dev/zero"), "error: /dev/zero: must be a regular file"),
        (("--space", "none.json"), "error: none.json: cannot be read"),
    ],
)
def test_mistakes_are_one_line_and_code_2(command, capsys, options, line, monkeypatch):
    if line.startswith(("error: --", "error: /dev")):
        monkeypatch.setattr(comparison, "train_start", lambda *_, **__: pytest.fail("it trains"))
    assert command(*options) == 2
    error = capsys.readouterr().err
    assert error.startswith(line) and error.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--tuning-epochs", "-3", "must be a whole number of at least 0, not '-3'"),
        ("--tuning-images", "1", "must be a whole number of at least 2, not '1'"),
        ("--held", "0", "must be a whole number of at least 2, not '0'"),
        ("--epochs", "1001", "must be at most 1000, not '1001'"),
        ("--budget", "10001", "must be at most 10000, not '10001'"),
        ("--jobs", "1000000000", "must be at most 1024, not '1000000000'"),
    ],
)
def test_numbers_of_options_are_those_of_a_space(command, capsys, option, value, rule):
    with pytest.raises(SystemExit):
        command(option, value)
    assert f"error: argument {option}: {rule}" in capsys.readouterr().err


def test_a_broken_store_is_one_line_and_left_alone(command, capsys, tmp_path):
    store = Path(tmp_path, "broken.sqlite")
    store.write_bytes(b"no store" * 100)
    assert command("--extrapolate", "--store", str(store)) == 2
    assert "is no store of evaluations" in capsys.readouterr().err
    assert store.read_bytes() == b"no store" * 100
