"""Verbs are found by their names."""

import sys
from types import ModuleType

import pytest

from kakure.model.commands.verb import Index, Verb


@pytest.fixture
def index(monkeypatch):
    """Two verbs; each prints its name, and returns its place."""
    verbs = []
    for place, name in enumerate(("one", "other")):
        module = ModuleType(f"verb_{name}")
        module.options = lambda parser: None  # type: ignore[attr-defined]
        module.run = lambda given, place=place: place  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        verbs.append(Verb(name, "Group", f"does {name}", module.__name__))
    return Index("all", "Group", "all of them", ("Group",), tuple(verbs))


@pytest.mark.parametrize(("name", "code"), [("one", 0), ("other", 1)])
def test_the_verb_of_that_name_runs(index, name, code):
    assert index.main("prog", [name]) == code


def test_none_of_that_name_is_refused_with_what_may_be_meant(index, capsys):
    assert index.main("prog", ["othe"]) == 2
    assert "did you mean other?" in capsys.readouterr().err


def test_without_a_name_all_are_listed(index, capsys):
    assert index.main("prog", []) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  one    does one" in lines and "  other  does other" in lines
