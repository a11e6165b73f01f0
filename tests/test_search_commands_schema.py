"""Schemas are written for editors, both at once, or printed one by one."""

from pathlib import Path

import pytest

from kakure.model.config.config import json_schema as config_schema
from kakure.search.commands.kakure import main
from kakure.search.space.space_file import json_schema as space_schema


def test_both_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    assert main(["schema"]) == 0
    assert Path("configs/schema.json").read_text() == config_schema()
    assert Path("configs/search-schema.json").read_text() == space_schema()
    assert capsys.readouterr().out == "configs/schema.json\nconfigs/search-schema.json\n"
    assert main(["schema", "--output", "."]) == 0
    assert Path("schema.json").read_text() == config_schema()


def test_a_folder_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["schema", "--output", "none"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: none/schema.json: cannot be written: none must be an existing folder\n",
    )


@pytest.mark.parametrize(("kind", "text"), [("config", config_schema), ("space", space_schema)])
def test_one_is_printed(kind, text, capsys):
    assert main(["schema", kind]) == 0
    assert capsys.readouterr().out == text()
