"""What a study kept is used again only as it was written."""

import json

import pytest

from kakure.model.errors import UserError
from kakure.search.studies.record import load_record, save_record

COMMON = {"config": "abc", "rates": (0.1, 2)}


def test_a_record_is_read_back_and_begins_empty(tmp_path):
    path = tmp_path / "record.json"
    begun = load_record(path, COMMON, "runs")
    assert begun == COMMON | {"runs": {}}
    begun["runs"]["1"] = {"correct": 3, "share": 1 / 3, "ä": None}
    save_record(path, begun)
    kept = load_record(path, COMMON, "runs")
    assert kept == {"config": "abc", "rates": [0.1, 2], "runs": begun["runs"]}
    save_record(path, kept)
    assert load_record(path, COMMON, "runs") == kept


def test_its_layout_may_change_but_nothing_in_it(tmp_path):
    path = tmp_path / "record.json"
    save_record(path, {**COMMON, "runs": {"1": {"correct": 3}}})
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text)))
    assert load_record(path, COMMON, "runs")["runs"] == {"1": {"correct": 3}}
    for damaged in (
        text.replace('"correct": 3', '"correct": 4'),
        text.replace('"correct": 3', '"correct": 3.0'),
        text.replace('"correct": 3', ""),
        text.replace('"sha256": "', '"sha256": "0'),
    ):
        path.write_text(damaged)
        with pytest.raises(UserError, match=r"sha256: must be the checksum .*; move the file away"):
            load_record(path, COMMON, "runs")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"runs": {}}', '{"sha256": "a"}'])
def test_what_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(UserError, match="is no record of this study; move the file away"):
        load_record(path, COMMON, "runs")


def test_what_has_something_else_in_common_is_refused(tmp_path):
    path = tmp_path / "record.json"
    save_record(path, {**COMMON, "runs": {}})
    with pytest.raises(UserError, match="config: must be that of this study"):
        load_record(path, COMMON | {"config": "abd"}, "runs")
