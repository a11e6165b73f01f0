"""The one command: its index, its verbs' help, and what is said of a name that it lacks."""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from kakure.model.commands import version as version_module
from kakure.model.commands.command import Parser
from kakure.model.commands.verb import Index, Verb
from kakure.search.commands.kakure import main
from kakure.search.commands.verbs import INDEX
from kakure.search.studies.index import STUDY

ROOT = Path(__file__).resolve().parent.parent
START = "import sys; from kakure.search.commands.start import start; sys.exit(start())"
KAKURE = (sys.executable, "-c", START)
"""What the console script does, without the script."""

VERBS = """preset data check train evaluate gen sim board host space search synth blocks prove
    mutants bench calibrate study schema completion""".split()


RULE = "must be followed by a name that it lists"


def every(index: Index, prog: str) -> Iterator[tuple[str, Verb]]:
    for verb in index.verbs:
        if isinstance(verb, Index):
            yield from every(verb, f"{prog} {verb.name}")
        else:
            yield f"{prog} {verb.name}", verb


def actions(verb: Verb) -> list[argparse.Action]:
    parser = Parser(prog="x", add_help=False)
    verb.add_to(parser)
    return parser._actions


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_the_index_lists_every_verb_once_in_a_newcomers_order(argv, capsys):
    assert main(argv) == 0
    page = capsys.readouterr().out
    assert re.findall(r"^  ([a-z]+) +\S.*$", page, re.MULTILINE) == VERBS
    assert max(map(len, page.splitlines())) <= 100


def test_studies_are_listed_like_verbs(capsys):
    assert main(["study"]) == 0
    page = capsys.readouterr().out
    names = re.findall(r"^  ([a-z0-9-]+) +\S.*$", page, re.MULTILINE)
    assert {"headline", "phase1-comparison", "bound", "energy", "memory-macro"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("index", [INDEX, STUDY])
def test_every_verb_stands_under_a_heading(index):
    assert {verb.group for verb in index.verbs} == set(index.groups)
    assert len({verb.name for verb in index.verbs}) == len(index.verbs)


@pytest.mark.parametrize(("prog", "verb"), list(every(INDEX, "kakure")))
def test_help_says_what_a_verb_takes_with_its_defaults(prog, verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*prog.split()[1:], "--help"])
    assert stop.value.code == 0
    page = " ".join(capsys.readouterr().out.split())
    assert page.startswith(f"usage: {prog} [-h]")
    for action in actions(verb):
        assert action.help, f"{prog} {action.dest}: says nothing"
        if action.option_strings and action.default not in (None, False):
            assert "%(default)s" in action.help or "(" in action.help, f"{prog} {action.dest}"
        for flag in action.option_strings:
            assert flag in page


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["trian"], "kakure: {}, not 'trian'; did you mean train? see kakure --help"),
        (["Gen", "x.json"], "kakure: {}, not 'Gen'; did you mean gen? see kakure --help"),
        (["quux"], "kakure: {}, not 'quux'; see kakure --help"),
        (
            ["study", "hedline"],
            "kakure study: {}, not 'hedline'; did you mean headline? see kakure study --help",
        ),
        (["\x1b[31m\n"], r"kakure: {}, not '\x1b[31m\n'; see kakure --help"),
    ],
)
def test_a_name_that_there_is_not_is_one_line_with_the_near_one(argv, line, capsys):
    assert main(argv) == 2
    assert capsys.readouterr() == ("", f"error: {line.format(RULE)}\n")


def test_an_option_that_is_wrong_names_the_verb(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["gen", "a.json", "--jobs", "0"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == (
        "error: argument --jobs: must be a whole number of at least 1, not '0'; "
        "see kakure gen --help\n"
    )


def test_the_version_is_the_distributions(tmp_path, monkeypatch, capsys):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kakure {project['version']}\n"
    monkeypatch.setattr(version_module, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(version_module.metadata, "version", {"kakure": "7.8.9"}.__getitem__)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "kakure 7.8.9\n"


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["study"], ["trian"]])
def test_the_index_loads_nothing_heavy(argv):
    code = f"""
import sys
from kakure.search.commands.kakure import main
main({argv!r})
heavy = {{"torch", "amaranth", "numpy", "pydantic", "ray", "optuna", "matplotlib"}}
found = ", ".join(heavy & sys.modules.keys())
sys.exit(f"loads {{found}}" if found else 0)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


WITHOUT = """
import contextlib, io, json, sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in left_out:
            return PathFinder.find_spec(name, path, target)

left_out, lines = json.load(sys.stdin)
sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
from kakure.search.commands.kakure import main
found = {}
for line in lines:
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        try:
            code = main(line.split())
        except SystemExit as stop:
            code = stop.code
    found[line] = [code, errors.getvalue()]
print(json.dumps(found))
"""
"""Runs command lines where some packages cannot be imported; prints their codes and errors."""


def required(names: list[str]) -> set[str]:
    """Packages, what they need, what that needs, and so on; extras left out."""
    found: set[str] = set()
    while names:
        name = re.split(r"[^\w.-]", names.pop())[0].lower().replace("_", "-")
        if name not in found:
            found.add(name)
            try:
                lines = metadata.requires(name) or []
            except metadata.PackageNotFoundError:  # of another system or Python
                continue
            names += [line for line in lines if "extra ==" not in line]
    return found


def test_help_and_completion_need_no_package_of_the_dev_group():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = required(project["project"]["dependencies"])
    group = required(project["dependency-groups"]["dev"]) - installed
    left_out = [
        module
        for module, packages in metadata.packages_distributions().items()
        if all(package.lower().replace("_", "-") in group for package in packages)
    ]
    assert {"xdist", "hypothesis", "pyslang", "z3"} <= set(left_out)
    pages = [f"{prog} --help".removeprefix("kakure ") for prog, _ in every(INDEX, "kakure")]
    lines = ["--help", "--version", "completion bash", *pages, "mutants --count 1"]
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input=json.dumps([left_out, lines]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    code, said = found.pop("mutants --count 1")
    assert (code, said.count("\n")) == (2, 1)
    assert said == (
        "error: pytest-timeout, pytest-xdist: must be installed to run the tests; "
        "make mutants installs them\n"
    )
    assert found == {line: [0, ""] for line in lines[:-1]}


PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_the_pages_name_commands_that_there_are(page):
    text = page.read_text(encoding="utf-8")
    for study, name in re.findall(r"(?:`|^ *|[:=] )kakure +(study +)?([a-z][\w-]*)", text, re.M):
        index = STUDY if study else INDEX
        assert name in {verb.name for verb in index.verbs}, f"kakure {study}{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_module_as_a_command(page):
    assert "python -m kakure" not in page.read_text(encoding="utf-8")
