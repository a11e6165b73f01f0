"""What a study kept is used again only as it was written."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.model.provenance import sources
from kakure.search.commands.kakure import main
from kakure.search.studies.record import (
    check_folder,
    decides,
    held_record,
    load_record,
    save_record,
)

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


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"runs": {}}', '{"sha256": "a"}', "[" * 100_000]
)
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


def test_a_long_checksum_is_cut(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps({**COMMON, "runs": {}, "sha256": "x" * 10_000}))
    with pytest.raises(UserError, match=r"not 'xx*\.\.\.'; move the file away$") as error:
        load_record(path, COMMON, "runs")
    assert len(str(error.value)) < 300


def test_images_tools_and_sources_are_part_of_what_decides():
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    study = "kakure.search.studies.mixture"
    one = decides(study, {"numpy": "2"}, [images], config="abc")
    assert one["config"] == "abc" and one["sources"] == sources(study)
    assert one["images"] != decides(study, {"numpy": "2"}, [images + 1], config="abc")["images"]
    assert "images" not in decides(study, {"numpy": "2"})


def test_one_run_at_a_time_writes_a_record(tmp_path):
    path = tmp_path / "new" / "record.json"
    with held_record(path):
        with (
            pytest.raises(UserError, match=r"record\.json: --output: another run of this study"),
            held_record(path),
        ):
            pytest.fail("two hold it")
        with held_record(path.with_name("other.json")):
            pass
    with held_record(path):
        save_record(path, {**COMMON, "runs": {}})


@pytest.mark.parametrize("name", ["file/record.json", "pipe", "folder", "x" * 252])
def test_a_record_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(UserError, match=r"^\S+: --output: (must be a file in|cannot be)"),
        held_record(tmp_path / name),
    ):
        pytest.fail("it is held")


def test_a_folder_that_takes_no_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"^/proc/self: --output: cannot be written: "):
        check_folder(Path("/proc/self"))


STUDIES = Path(__file__).resolve().parents[1] / "search" / "studies"


@pytest.mark.parametrize(
    "study", [path.stem for path in STUDIES.glob("*.py") if "save_record(" in path.read_text()]
)
def test_every_study_holds_its_record_and_keeps_its_sources(study):
    text = (STUDIES / f"{study}.py").read_text()
    if study == "record":
        return
    assert len(re.findall(r"with held_record\(", text)) == 1
    assert ("decides(" in text) or (study == "bound_study" and '"sources": sources(' in text)


@pytest.mark.parametrize("study", ["distillation", "data-reduction", "augmentation"])
def test_a_folder_that_is_a_file_is_refused_before_a_training(study, tmp_path, capsys):
    (file := tmp_path / "file").touch()
    assert main(["study", study, "--dataset", "digits", "--output", str(file)]) == 2
    assert capsys.readouterr().err == f"error: {file}: --output: cannot be made: File exists\n"
