"""The documentation: its links lead somewhere, its index is whole."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from kakure.model.config.config import parse_config

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\]\((\w[\w-]*\.md)\)", index)
    pages = sorted(page.name for page in PAGES[1:] if page.name != "README.md")
    assert sorted(listed) == pages


def test_the_index_has_its_parts_in_order():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    parts = ["Quickstart", "Your network", "How it works", "Extend", "Reference", "Evidence"]
    found = re.findall(r"^\*\*(.*)\*\*$", index, re.M)
    assert found == [part for part in parts if part in found] and len(found) >= 5


def test_the_first_screen_has_the_picture_and_the_two_commands():
    head = (ROOT / "README.md").read_text(encoding="utf-8")
    assert head.index("docs/digits.svg") < head.index("make gen") < head.index("make test")
    assert head.index("## Your own network") < head.index("## How it is proven")
    assert head.index("## How it is proven") < head.index("## Results")


def test_the_example_of_a_configuration_is_one():
    page = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```$", page, re.M | re.S)
    config = parse_config(example, "mine.json")
    assert len(config.layers) == 2 and json.loads(example)["name"] == "mine"


def test_what_the_pages_import_is_there():
    wanted = re.compile(r"^from (kakure[\w.]*) import ([\w, ]+)$", re.MULTILINE)
    found = [match for page in PAGES for match in wanted.findall(page.read_text(encoding="utf-8"))]
    assert ("kakure.search.commands.kakure", "main") in found
    for module, names in found:
        for name in names.split(", "):
            assert hasattr(import_module(module), name), f"{module} has no {name}"
