import re
import struct

import pytest

from kakure.search.report.page import page
from kakure.search.report.plots import PLOTS, area_time, draw
from kakure.search.rounds.summary import summary
from kakure.sim.report.svg import THIN


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


def precision(energy_pj: float, product: float, correct: int, bits: list) -> dict:
    return {
        "layers": [{"adc_bits": adc, "input_bits": inputs} for adc, inputs in bits],
        "energy_pj": energy_pj,
        "product": product,
        "area_um2": 25_000 * product,
        "time_ns": 200 * product,
        "correct": correct,
        "count": 206,
        "accuracy": correct / 206,
    }


def record(**other) -> dict:
    """A small result, its name hostile to HTML."""
    metrics = {
        "area_um2": 1e5,
        "area_error": 0.02,
        "area_worst": 0.034,
        "cycles": 400.0,
        "latency_ns": 900.0,
        "interval_ns": 800.0,
        "time_error": 0.1,
        "time_worst": 0.187,
        "energy_pj": 5000.0,
        "energy_error": 0.2,
        "energy_worst": 0.26,
        "memory_bits": 999.0,
        "layers": {
            "area_um2": [6e4, 4e4],
            "cycles": [400.0, 50.0],
            "area_error": [0.041, 0.053],
            "time_error": [0.11, 0.12],
            "energy_error": [0.3, None],
        },
        "outside": [],
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
        precision(5000.0, 4.0, 195, [(3, 4), (None, 4)]),
        precision(7000.0, 6.0, 197, [(4, 4), (None, 4)]),
        precision(8000.0, 7.0, 185, [(4, 8), (None, 4)]),
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
        "command": "python -m kakure.search run 'x<y>.json'",
        "seed": 1,
        "versions": {"torch": "1"},
        "model": {"name": "digital"},
        "rounds": [round_],
        "phase2": {
            "history": points,
            "start": points[1],
            "chosen": points[0],
            "least_accuracy": 0.94,
        },
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
    "figure",
    [f"100{THIN}000 µm²", f"99{THIN}000 µm²", "1.01 %", "0.9500", "0.9400", "5.00 nJ", "0.80 µs"],
)
def test_the_page_states_what_was_found(figure):
    assert figure in page(record(), {})


def test_the_summary_says_why_a_search_stopped():
    stopped = record(stopped="area_um2: must be at least 5, not 4")
    assert "stopped before the next round: area_um2: must be at least 5" in summary(stopped)
    assert "stopped" not in summary(record(stopped=None))


def rows_of(text: str, head: str) -> list[list[str]]:
    """Cells of the table whose heads begin with ``head``."""
    for table in re.findall(r"<table>.*?</table>", text, re.S):
        rows = [
            re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", table)
        ]
        if rows[0][0] == head:
            return rows
    raise AssertionError(head)


def test_the_page_gives_mean_and_worst_of_every_error_and_says_which_is_which():
    text = page(record(), {})
    heads, *rows = rows_of(text, "digital model")
    assert heads == ["digital model", "estimate", "mean error", "worst error", "of one layer, mean"]
    found = {row[0]: row[1:] for row in rows}
    assert found["area"] == [f"100{THIN}000 µm²", "2.00 %", "3.40 %", "5.30 %"]
    assert found["clock period"] == ["2.000 ns, 500 MHz", "10.00 %", "18.70 %", "12.00 %"]
    assert found["energy per image"] == ["5.00 nJ", "20.00 %", "26.00 %", "30.00 %"]
    assert "error to be expected" not in text
    bare = record()
    bare["best"]["metrics"]["energy_worst"] = None
    assert rows_of(page(bare, {}), "digital model")[6][3] == "not known"


def test_the_page_and_the_summary_say_what_is_outside_the_fitted_range():
    line = "pixel_unpacker.channels is 32, more than the <3> measured"
    wide = record(stopped=None)
    wide["best"]["metrics"]["outside"] = [line]
    assert "pixel_unpacker.channels is 32, more than the &lt;3&gt; measured" in page(wide, {})
    assert "Outside what the model was fitted to" in page(wide, {})
    assert "Outside what" not in page(record(), {})
    assert line in summary(wide) and "outside" not in summary(record(stopped=None))


def test_a_clock_is_given_only_where_there_is_one():
    assert "clock period" not in page(record(model={"name": "analog"}), {})
    assert "2.000 ns, 500 MHz" in summary(record(stopped=None))
    assert "MHz" not in summary(record(stopped=None, model={"name": "analog"}))


def test_the_page_has_every_measured_precision_the_cheapest_first():
    unmeasured = precision(1.0, 1.0, 0, [(1, 1), (None, 1)]) | {"accuracy": None}
    full = record()
    full["phase2"]["history"].append(unmeasured)
    heads, *rows = rows_of(page(full, {}), "AP/IP of each layer [bit]")
    assert "interval µs" in heads and "energy nJ" in heads
    assert rows == [
        ["3/4 –/4", "195 of 206", "0.9466", f"100{THIN}000", "0.80", "5.00", "66.7 %", "chosen"],
        [
            "4/4 –/4",
            "197 of 206",
            "0.9563",
            f"150{THIN}000",
            "1.20",
            "7.00",
            "100.0 %",
            "phase 1&#x27;s",
        ],
        [
            "4/8 –/4",
            "185 of 206",
            "0.8981",
            f"175{THIN}000",
            "1.40",
            "8.00",
            "116.7 %",
            "below the bound",
        ],
    ]


def test_the_page_says_how_to_go_on_and_how_long_it_took():
    text = page(record(), {}, config="my results/best.json", seconds=400.2)
    for verb in ("gen", "sim", "evaluate"):
        assert f"kakure {verb} &#x27;my results/best.json&#x27;" in text
    assert "6 min 40 s" in text
    assert "time of this run" not in page(record(), {})


def test_the_page_begins_with_the_figures_that_matter_and_how_far_they_are_to_be_trusted():
    found = re.findall(r"<b>(.*?)</b>(.*?)<span>(.*?)</span>", page(record(), {}))
    assert found == [
        (f"99{THIN}000 µm²", "area", "synthesized; estimate off by 1.01 %"),
        ("500 MHz", "clock", "model, period 2.000 ns, error 10.00 % on average"),
        ("0.80 µs", "from image to image", "400 cycles, latency 0.90 µs"),
        ("5.00 nJ", "energy an image", "model, error 20.00 % on average"),
        ("0.9400", "test accuracy", "94 of 100 test images, integer model"),
    ]
    bare = record(model={"name": "analog"})
    bare["best"] |= {"synthesized_um2": None}
    bare["best"]["accuracy"] = {"validation": 0.95}
    found = re.findall(r"<b>(.*?)</b>(.*?)<span>(.*?)</span>", page(bare, {}))
    assert found[0] == (f"100{THIN}000 µm²", "area", "model, error 2.00 % on average")
    assert [name for _, name, _ in found][-1] == "validation accuracy"
    assert "clock" not in [name for _, name, _ in found]


def test_the_page_says_whether_the_best_lies_below_the_front():
    said = f"Phase 2 moved it from 100{THIN}000 µm² and 0.80 µs to 100{THIN}000 µm² and 0.80 µs"
    assert f"{said}: not below the front." in page(record(), {})
    smaller = record()
    smaller["best"]["metrics"]["area_um2"] = 95e3
    assert f"to 95{THIN}000 µm² and 0.80 µs: below the front" in page(smaller, {})
    slower = record(objective="latency")
    slower["best"]["metrics"]["area_um2"] = 95e3
    slower["best"]["metrics"]["latency_ns"] = 9500.0
    assert f"to 95{THIN}000 µm² and 9.50 µs: not below the front." in page(slower, {})


def test_areas_are_in_one_unit_and_the_best_below_the_front_is_explained():
    axes = area_time(record()).axes[0]
    assert axes.get_xlabel() == "area [µm²]"
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    labels = axes.xaxis.get_major_formatter().format_ticks(ticks)
    assert [float(label.replace(THIN, "")) for label in labels] == ticks and len(ticks) >= 2
    assert not any("10^" in label for label in labels)
    _, names = axes.get_legend_handles_labels()
    said = " ".join(name.replace("\n", " ") for name in names)
    assert "at phase 1's precision" in said and "network, precision lowered by phase 2" in said
    text = page(record(), draw(record()))
    assert "how it can lie below the front" in text
    assert "mm²" not in text and text.count("µm²") > 5
