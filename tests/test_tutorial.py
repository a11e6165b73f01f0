"""The tutorial is run as it stands: its Python, its configurations, its commands, its outputs."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kakure.model.__main__ import main as model
from kakure.model.config.config import load_config
from kakure.search.__main__ import main as search
from kakure.sim.__main__ import main as sim

TUTORIAL = Path(__file__).resolve().parent.parent / "docs" / "tutorial.md"

VERBS = {"check": (sim, "check"), "train": (model, "train"), "evaluate": (model, "evaluate")}
VERBS |= {"gen": (search, "gen"), "sim": (sim, "run")}


@dataclass(frozen=True)
class Block:
    """A block of the page: its language, the word behind that, its text."""

    language: str
    word: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    for language, word, text in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", page, re.M | re.S):
        yield Block(language, word, text)


def kakure(line: str) -> int:
    """Run a command line in this process."""
    program, verb, *arguments = shlex.split(line)
    assert program == "kakure"
    main, name = VERBS[verb]
    return main([name, *arguments])


def fits(expected: str, output: str) -> bool:
    """Whether ``output`` has the lines of ``expected`` somewhere, where ``...`` is anything."""
    parts = (re.escape(part) for part in expected.strip().split("..."))
    return re.search(".*?".join(parts), output) is not None


def run(capsys, *, with_long: bool) -> dict[str, str]:
    """Run the page; what every command printed."""
    names: dict[str, object] = {}
    printed: dict[str, str] = {}
    last = ""
    for block in blocks(TUTORIAL.read_text(encoding="utf-8")):
        if block.language == "python":
            exec(block.text, names)
        elif block.language == "json":
            Path(block.word).write_text(block.text)
        elif block.language == "sh":
            if block.word == "long" and not with_long:
                continue
            for line in block.text.splitlines():
                assert kakure(line) == 0, line
                last = printed[line] = capsys.readouterr().out
        else:
            assert block.language == "text"
            assert fits(block.text, last), last
    return printed


def accuracy(printed: dict[str, str], name: str) -> float:
    found = re.search(r"test images right: ([\d.]+)", printed[f"kakure evaluate {name}.json"])
    assert found
    return float(found[1])


def checked(printed: dict[str, str]) -> None:
    assert accuracy(printed, "shapes") > 0.8 and accuracy(printed, "colours") > 0.8
    assert load_config("colours.json").shape == (12, 12, 3)
    (report,) = re.findall(r"report +(.*)", printed["kakure gen shapes.json --no-synth"])
    text = Path(report).read_text(encoding="utf-8")
    assert "test accuracy" in text and "kept: " in text


def test_every_short_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    checked(run(capsys, with_long=False))


@pytest.mark.full
def test_every_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    printed = run(capsys, with_long=True)
    checked(printed)
    assert "area um2" in printed["kakure gen shapes.json"]
    assert "PASS 10 test images of colours" in printed["kakure sim colours.json --images 10"]


def test_dots_stand_for_anything_and_nothing_else_does():
    assert fits("a ... c\nd", "x\na b c\nd e")
    assert not fits("a ... c\nd", "x\na b c\ne")
    assert not fits("a.b", "acb")


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", TUTORIAL.read_text(encoding="utf-8")):
        assert (TUTORIAL.parent / target).exists(), target
