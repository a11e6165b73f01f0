"""The study of many searches: what it counts, and that it goes on where it stopped."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from kakure.model.provenance import sources
from kakure.search.commands.kakure import main
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.paired import Paired, loss_bound
from kakure.search.space.space_file import load_space
from kakure.search.studies import bound_study
from kakure.search.studies.bound_table import interval, table

ROOT = Path(__file__).resolve().parent.parent
SPACE = ROOT / "configs" / "search-digits.json"


def one(number: int, lost: int, gained: int, gain: float = 2.0) -> dict:
    test = {"reference": 355, "correct": 355 - lost + gained, "count": 360}
    test |= {"lost": lost, "gained": gained}
    layers = [{"adc_bits": 4, "input_bits": 3}, {"adc_bits": None, "input_bits": 4}]
    chosen = {"layers": layers, "lost": 3, "gained": 2, "count": 1231, "bound": 0.0061}
    worse = {**test, "lost": lost + 5, "correct": test["correct"] - 5}
    return {
        "seed": number,
        "validation": {"reference": 205, "count": 206},
        "gain": gain,
        "shown": {"chosen": chosen, "refused": None, "statement": "loss at most 0.61 %"},
        "test": test,
        "uncertified": {"layers": layers, "gain": 3.0, "test": worse},
        "seconds": 1.0,
        "sources": sources(bound_study.__name__),
    }


def test_broken_is_counted_strictly_and_beside_what_is_allowed():
    searches = [one(1, 4, 1), one(2, 4, 0), one(10, 2, 3), one(3, 0, 0, 1.0)]
    record = {"loss": 0.01, "confidence": 0.95, "seeds": {str(s["seed"]): s for s in searches}}
    lines = table(record).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == ["| 1", "| 2", "| 3", "| 10"]
    broken = [line.split(" | ")[8] for line in lines[2:6]]
    assert broken == ["no", "yes", "no", "no"]  # 3 of 360 are below 1 %, 4 are not
    assert "| 4/3 -/4 | 2.00x | 0.61 % | 351 (−4 +0) |" in lines[3]
    assert lines[-1].startswith(
        "4 searches, bound 1 %, confidence 95 %: **1 broken** on the test images, 0.2 to be "
        "expected at most, 1 compatible"
    )
    assert "Chosen by validation alone, 4 of the same searches break it." in lines[-1]


def test_the_interval_has_both_ends_at_their_confidence():
    low, high = interval(one(1, 6, 2)["test"])
    assert low < 4 / 360 < high == loss_bound(Paired(6, 2, 360), 0.95)
    assert (-low, -high) == interval(one(1, 2, 6)["test"])[::-1]
    assert interval(one(1, 0, 0)["test"])[1] == loss_bound(Paired(0, 0, 360), 0.95)


@pytest.fixture
def study(tmp_path, monkeypatch):
    solution = SimpleNamespace(config=lambda space: SimpleNamespace(digest="network"))
    found = SimpleNamespace(best=[SimpleNamespace(solution=solution)], chosen=0)
    monkeypatch.setattr(bound_study, "find_candidates", lambda *_, **__: found)
    monkeypatch.setattr(bound_study, "cost_model", lambda name: None)
    monkeypatch.setattr(bound_study, "images_of", lambda *_: "images")
    asked = []

    def search_once(*_, seed, **__):
        asked.append(seed)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return one(seed, 1, 0)

    monkeypatch.setattr(bound_study, "search_once", search_once)
    output = tmp_path / "out.json"

    def run(*options: str) -> int:
        fixed = ["--space", str(SPACE), "--store", str(tmp_path / "s.sqlite")]
        return main(["study", "bound", *fixed, "--output", str(output), *options])

    return run, asked, output


def test_finished_seeds_are_kept_and_the_same_command_goes_on(study, capsys):
    run, asked, output = study
    assert run("--seeds", "3-6") == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert list(json.loads(output.read_text())["seeds"]) == ["3"]
    assert run("--seeds", "3-6") == 0
    assert asked == [3, 4, 4, 5, 6]
    printed = capsys.readouterr().out
    assert "1 of 3 seeds, " in printed and "min left" in printed
    assert "4 searches, bound 1 %" in printed
    assert run("--seeds", "5") == 0 and len(asked) == 5
    record = json.loads(output.read_text())
    assert record["space"]["name"] == "search-digits" and record["network"] == "network"
    assert (record["confidence"], record["parts"], record["loss"]) == (0.95, 5, 0.01)


def test_searches_of_other_sources_are_kept_and_named(study, capsys, monkeypatch, tmp_path):
    run, asked, output = study
    asked.append(0)
    asked.append(0)
    assert run("--seeds", "1-3") == 0 and "of other sources" not in capsys.readouterr().err
    kept = output.read_bytes()
    monkeypatch.setattr(bound_study, "sources", lambda *_: "another day")
    assert run("--seeds", "1-3") == 0 and output.read_bytes() == kept
    made = sources(bound_study.__name__)[:16]
    assert f"{output}: of other sources, {made}, and kept: seeds 1, 2, 3" in capsys.readouterr().err
    monkeypatch.setattr(bound_study, "images_of", lambda *_: "other images")
    assert run("--seeds", "4") == 2 and output.read_bytes() == kept
    assert f"{output}: seeds.1.images: must be those of this study" in capsys.readouterr().err


def test_the_record_of_the_documents_goes_on(study, capsys):
    output = study[-1]
    shipped = (ROOT / "docs" / "bound-search-digits.json").read_bytes()
    record = json.loads(shipped)
    common = bound_study.in_common(load_space(SPACE), Demand(record["confidence"], record["parts"]))
    assert set(record) == {*common, "network", "seeds", "sha256"}
    assert {key: record[key] for key in common} | {"tools": 0, "machine": 0} == {
        **json.loads(json.dumps(common)), "tools": 0, "machine": 0,
    }  # fmt: skip
    output.write_bytes(shipped)
    bound_study.check_kept(record["seeds"], "images", output)
    assert f"and kept: seeds {', '.join(map(str, range(1, 21)))}\n" in capsys.readouterr().err


def test_what_cannot_be_is_refused_before_the_network_is_chosen(
    study, capsys, monkeypatch, tmp_path
):
    run, _, output = study
    monkeypatch.setattr(bound_study, "find_candidates", lambda *_, **__: pytest.fail("it searches"))
    assert run("--parts", "51") == 2
    assert "error: --parts: must be at most 50, not 51\n" in capsys.readouterr().err
    assert run("--confidence", "nan") == 2
    assert "error: --confidence: must be 0.5 to below 1, not nan\n" in capsys.readouterr().err
    page = tmp_path / "page.md"
    page.write_text("nothing")
    assert run("--page", str(page)) == 2
    assert f"{page}: must hold the lines" in capsys.readouterr().err
    output.mkdir()
    assert run() == 2
    assert f"{output}: --output: must be a file in an existing" in capsys.readouterr().err


def test_the_table_goes_into_a_page(study, capsys, tmp_path):
    run, _, _ = study
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- search-digits -->\nold\n<!-- end search-digits -->\nafter\n")
    assert run("--seeds", "1", "--page", str(page)) == 0
    text = page.read_text()
    assert text.startswith("before\n<!-- search-digits -->\n\n| seed |") and "old" not in text
    assert text.endswith("\n\n<!-- end search-digits -->\nafter\n")
    assert run("--seeds", "1", "--page", str(page)) == 0 and page.read_text() == text
    page.write_text("nothing")
    assert run("--seeds", "1", "--page", str(page)) == 2
    assert page.read_text() == "nothing"
    assert capsys.readouterr().err.startswith(f"error: {page}: must hold the lines")


def test_searches_of_another_study_are_not_mixed_in(study, capsys):
    run, asked, output = study
    assert run("--seeds", "1") == 0
    kept = output.read_bytes()
    assert run("--seeds", "1", "--confidence", "0.9") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {output}: ") and error.count("\n") == 1
    output.write_text("[]")
    assert run("--seeds", "1") == 2
    assert "is no record of this study" in capsys.readouterr().err
    assert kept and asked == [1]


@pytest.mark.parametrize("text", ["5-2", "x", "1-", "-3"])
def test_seeds_that_cannot_be_are_refused(study, text):
    run, _, _ = study
    with pytest.raises(SystemExit):
        run(f"--seeds={text}")
