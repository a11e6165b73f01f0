"""Files of measurements that several processes add to."""

import json
from multiprocessing import get_context
from pathlib import Path

from kakure.model.files.seal import open_line
from kakure.search.cost.digital.line_file import append_lines

LINES = 40


def add(path: Path, name: str) -> None:
    for number in range(LINES):
        append_lines(path, [json.dumps({"from": name, "number": number, "more": "x" * 30000})])


def test_lines_of_two_processes_are_all_there_and_whole(tmp_path):
    path = tmp_path / "lines.jsonl"
    context = get_context("spawn")
    processes = [context.Process(target=add, args=(path, name)) for name in ("one", "other")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    lines = [json.loads(open_line(line) or "{}") for line in path.read_text().splitlines()]
    found = sorted((line["from"], line["number"]) for line in lines)
    assert found == [(name, number) for name in ("one", "other") for number in range(LINES)]
