import re
import struct

import pytest

from search.report.page import page
from search.report.plots import PLOTS, draw
from search.summary import summary


def layer(**other) -> dict:
    return {
        "kind": "conv",
        "channels": 8,
        "pool": 2,
        "engine": "crossbar",
        "adc_type": "sar",
        "column_sharing": 4,
        "adc_bits": 3,
        "input_bits": 4,
        "copies": 2,
    } | other


def record(**other) -> dict:
    """A small result, its name hostile to HTML."""
    metrics = {
        "area_um2": 1e5,
        "area_error": 0.02,
        "cycles": 400.0,
        "latency_ns": 900.0,
        "interval_ns": 800.0,
        "time_error": 0.1,
        "energy_pj": 5000.0,
        "energy_error": 0.2,
        "memory_bits": 999.0,
        "layers": {"area_um2": [6e4, 4e4], "cycles": [400.0, 50.0]},
    }
    synthesized = {
        "role": "best",
        "digest": "ab" * 32,
        "predicted_um2": 1e5,
        "synthesized_um2": 9.9e4,
        "error": 0.0101,
        "is_new": True,
    }
    round_ = {
        "front": [{"area_um2": 9e4, "time_ps": 9_000_000}, {"area_um2": 1e5, "time_ps": 800_000}],
        "candidates": [
            {
                "channels": [8, 10],
                "pools": [2, 1],
                "residual": [True, False],
                "area_um2": 1e5,
                "time_ps": 800_000,
                "score": 0.9,
                "log_parameters": 8.0,
                "log_macs": 9.0,
            }
        ],
        "chosen": 0,
        "synthesized": [synthesized],
        "mean_error": 0.0101,
    }
    points = [
        {"energy_pj": 5000.0, "product": 4.0, "accuracy": 0.95},
        {"energy_pj": 7000.0, "product": 6.0, "accuracy": 0.96},
        {"energy_pj": 8000.0, "product": 7.0, "accuracy": 0.90},
    ]
    best = {
        "config": {"name": "small", "layers": [layer(), layer(engine="pe_array", adc_type=None)]},
        "digest": "cd" * 32,
        "metrics": metrics,
        "accuracy": {
            "validation": 0.95,
            "test": 0.94,
            "test_correct": 94,
            "test_count": 100,
            "test_reference_correct": 96,
            "statement": "loss at most 1 % at a confidence of 95 %",
        },
        "synthesized_um2": 9.9e4,
        "error": 0.0101,
    }
    return {
        "space": {"name": "a<b>&c", "area_um2": 2e5},
        "space_digest": "ef" * 32,
        "objective": "interval",
        "command": "python -m search run 'x<y>.json'",
        "seed": 1,
        "versions": {"torch": "1"},
        "model": {"name": "digital"},
        "rounds": [round_],
        "phase2": {"history": points, "chosen": points[0], "least_accuracy": 0.94},
        "best": best,
    } | other


def test_every_picture_is_a_png_of_some_size():
    pictures = draw(record())
    assert list(pictures) == list(PLOTS)
    for name, data in pictures.items():
        assert data.startswith(b"\x89PNG\r\n\x1a\n"), name
        width, height = struct.unpack(">II", data[16:24])
        assert width > 600 and height > 400


def test_pictures_are_the_same_bytes_every_time():
    assert draw(record()) == draw(record())


def test_a_search_without_synthesis_has_no_picture_of_it():
    bare = record()
    bare["rounds"] = [bare["rounds"][0] | {"synthesized": [], "mean_error": None}]
    assert list(draw(bare)) == [name for name in PLOTS if name != "feedback"]
    assert "Nothing was synthesized" in page(bare, {})


def test_without_energy_the_product_takes_its_place():
    bare = record()
    for point in bare["phase2"]["history"]:
        point["energy_pj"] = None
    bare["best"]["metrics"]["energy_pj"] = None
    assert "energy-accuracy" in draw(bare)
    assert "nJ" not in page(bare, {})


def test_the_page_needs_no_other_file_and_escapes_what_it_is_given():
    text = page(record(), draw(record()))
    assert text.count("data:image/png;base64,") == len(PLOTS)
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "a&lt;b&gt;&amp;c" in text and "a<b>" not in text
    assert "x&lt;y&gt;.json" in text


@pytest.mark.parametrize(
    "figure", ["100,000 µm²", "99,000 µm²", "1.01 %", "0.9500", "0.9400", "5.00 nJ", "0.80 µs"]
)
def test_the_page_states_what_was_found(figure):
    assert figure in page(record(), {})


def test_the_summary_says_why_a_search_stopped():
    stopped = record(stopped="area_um2: must be at least 5, not 4")
    assert "stopped before the next round: area_um2: must be at least 5" in summary(stopped)
    assert "stopped" not in summary(record(stopped=None))
