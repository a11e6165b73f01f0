import dataclasses
import json
from pathlib import Path

import pytest
from test_search_phase1_exact import random_tables

from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.space_file import load_space
from kakure.search.studies.phase1_comparison import compare
from kakure.search.studies.published_cost import published_tables

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
XPERT = str(CONFIGS / "search-xpert.json")
METHODS = ["exact", "corrected gradient", "published gradient", "random"]
STUDY = ("study", "phase1-comparison")


def test_no_method_is_below_the_optimum_and_seeds_decide_everything_but_time():
    tables = [random_tables(1, rows=32), random_tables(2, rows=64)]
    problem = Problem("latency", 25, 2)
    first = compare(tables, problem, seeds=range(3), evaluations=40)
    again = compare(tables, problem, seeds=range(3), evaluations=40)
    search = ExactSearch(tables, problem)
    assert first.optimum == search.best() and first.bound_ps == first.optimum.time_ps
    assert (first.front_points, first.labels) == (len(search.front()), search.labels)
    assert [row.method for row in first.rows] == METHODS
    for row, other in zip(first.rows, again.rows, strict=True):
        assert dataclasses.replace(row, seconds=0.0) == dataclasses.replace(other, seconds=0.0)
        assert row.best_gap is None or row.best_gap >= 0
    assert [row.evaluations for row in first.rows] == [0, 40, 40, 40]
    assert [row.runs for row in first.rows] == [1, 3, 3, 3]


def test_a_band_has_a_proven_bound():
    tables = published_tables(load_space(XPERT))
    problem = Problem("latency", 52_500_000, least_area_um2=47_500_000)
    comparison = compare([tables], problem, seeds=[1], evaluations=5)
    assert comparison.bound_ps == comparison.optimum.time_ps
    assert 47_500_000 <= comparison.optimum.area_um2 <= 52_500_000


def test_an_infeasible_bound_is_refused():
    with pytest.raises(UserError, match="the least area that is feasible"):
        compare([random_tables(1)], Problem("latency", 1), seeds=[1], evaluations=5)


def test_the_command_prints_a_table_for_each_problem(capsys):
    arguments = ["--space", XPERT, "--seeds", "2", "--evaluations", "20", "--band", "5"]
    assert main([*STUDY, *arguments]) == 0
    out = capsys.readouterr().out
    for method in METHODS:
        assert out.count(f"\n{method} ") == 2
    assert out.count("optimum (proven): ") == 2
    assert "points, from" in out


def test_the_command_prints_json(capsys):
    arguments = ["--space", XPERT, "--seeds", "1", "--evaluations", "5", "--json"]
    arguments += ["--model", "published-counted", "--area", "2e7", "--objective", "interval"]
    arguments += ["--least-weights", "500000"]
    assert main([*STUDY, *arguments]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert comparison["problem"] == {
        "objective": "interval",
        "area_um2": 20_000_000,
        "least_weights": 500_000,
        "least_area_um2": 0,
    }
    assert comparison["optimum"]["interval_ps"] == comparison["bound_ps"]
    assert [row["method"] for row in comparison["rows"]] == METHODS


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--area", "1000"], "error: area_um2: must be at least "),
        (["--least-weights", "999999999"], "error: least_weights: must be at most "),
        (["--seeds", "0"], "error: --seeds: must be at least 1, not 0"),
        (["--band", "-5"], "error: --band: must be above 0 and below 100, not -5"),
    ],
)
def test_mistakes_are_one_line_and_code_2(capsys, arguments, line):
    assert main([*STUDY, "--space", XPERT, "--evaluations", "2", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(line) and error.count("\n") == 1


def test_a_missing_space_is_one_line(capsys, tmp_path):
    assert main([*STUDY, "--space", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
