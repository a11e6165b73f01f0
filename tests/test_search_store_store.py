"""A store never gives what was not put into it, whatever happened to its file."""

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.search.store.store import Store
from kakure.search.store.store_file import PAGE
from kakure.search.store.task import Outcome

COUNT = 24


def outcome(number: int) -> Outcome:
    draw = random.Random(number)
    return Outcome({"number": number, "score": draw.random()}, draw.randbytes(100 * number))


@cache
def content() -> bytes:
    """The bytes of a store of some evaluations of two kinds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.sqlite")
        store = Store(path)
        for number in range(COUNT):
            store.put("ab"[number % 2], {"n": number, "sources": "x"}, outcome(number))
        store.close()
        return path.read_bytes()


def filled(path: Path) -> bytes:
    path.write_bytes(content())
    return content()


def used(path: Path) -> int:
    """How many evaluations had to be made anew, all of them being asked for and put in again."""
    store = Store(path)
    made = 0
    for number in range(COUNT):
        arguments = {"n": number, "sources": "x"}
        found = store.get("ab"[number % 2], arguments)
        if found is None:
            made += 1
            store.put("ab"[number % 2], arguments, outcome(number))
            found = store.get("ab"[number % 2], arguments)
        assert found == outcome(number)
    store.close()
    return made


@pytest.mark.parametrize("seed", range(2))
def test_what_is_flipped_is_named_and_made_anew_never_used(tmp_path, capsys, seed):
    path = tmp_path / "store.sqlite"
    whole = filled(path)
    draw = random.Random(seed)
    made = 0
    for number in range(100):
        # Every second one hits the first page: header, schema and the first rows.
        place = draw.randrange(PAGE if number % 2 else len(whole))
        damaged = bytearray(whole)
        damaged[place] ^= draw.randrange(1, 256) if number % 4 < 2 else 1 << draw.randrange(8)
        path.write_bytes(damaged)
        now = used(path)
        said = capsys.readouterr().err.splitlines()
        assert all(line.startswith(f"{path}: ") for line in said)
        assert bool(said) or now == 0
        assert used(path) == 0 and capsys.readouterr().err == ""  # mended for good
        made += now
    assert made > 10


def test_a_damaged_header_or_table_costs_no_evaluation(tmp_path, capsys):
    path = tmp_path / "store.sqlite"
    for place in [
        0,
        16,
        18,
        19,
        20,
        28,
        44,
        52,
        56,
        60,
        63,
        68,
        71,
        100,
        104,
        *range(3840, 4096, 16),
    ]:
        damaged = bytearray(filled(path))
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        assert used(path) == 0
        for line in capsys.readouterr().err.splitlines():
            assert line.startswith(f"{path}: is damaged: ")
            assert line.endswith(
                f"kept as store.sqlite.damaged: {COUNT} evaluations of it are whole, all others "
                "are made anew"
            )


def test_a_store_that_was_cut_off_gives_what_is_whole(tmp_path, capsys):
    path = tmp_path / "store.sqlite"
    whole = filled(path)
    path.write_bytes(whole[: len(whole) // 2])
    assert 0 < used(path) <= COUNT
    assert "is damaged" in capsys.readouterr().err
    assert used(path) == 0
    assert (tmp_path / "store.sqlite.damaged").read_bytes() == whole[: len(whole) // 2]


def test_an_evaluation_that_is_damaged_while_the_store_is_open(tmp_path, capsys):
    path = tmp_path / "store.sqlite"
    filled(path)
    store = Store(path)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE evaluations SET data = x'00' WHERE kind = 'b'")
    other.close()
    assert store.get("b", {"n": 3, "sources": "x"}) is None
    assert "evaluation 'b " in capsys.readouterr().err
    assert store.get("a", {"n": 4, "sources": "x"}) == outcome(4)
    store.put("b", {"n": 3, "sources": "x"}, outcome(3))
    assert store.get("b", {"n": 3, "sources": "x"}) == outcome(3)


def test_a_damaged_store_that_another_search_uses_is_left_to_it(tmp_path):
    path = tmp_path / "store.sqlite"
    filled(path)
    other = Store(path)
    damaged = bytearray(path.read_bytes())
    damaged[0] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"is damaged: .* and in use: wait for the other search"):
        Store(path)
    assert path.read_bytes() == damaged
    other.close()
    assert used(path) == 0


def test_a_store_from_before_is_set_aside_in_one_line(tmp_path, capsys):
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA application_id = 0x4B616B75")
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "CREATE TABLE evaluations (key TEXT PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT "
            'NOT NULL, "values" TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID'
        )
        old.execute("INSERT INTO evaluations VALUES ('k', 'score', '{}', '{\"value\": 1}', x'')")
    old.close()
    before = path.read_bytes()
    store = Store(path)
    assert store.total() == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"{path}: is of an earlier version, whose keys hold less; kept as store.sqlite.old: "
        "evaluations are made anew"
    )
    assert (tmp_path / "store.sqlite.old").read_bytes() == before
    assert used(path) == COUNT


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


def text(path: Path) -> None:
    path.write_bytes(b"no database at all, but some text" * 100)


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()


def other_version(number: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        store = Store(path)
        store.connection.execute(f"PRAGMA user_version = {number}")
        store.connection.commit()
        store.close()

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (folder, "must be a file, not a folder"),
        (loop, "cannot be opened and written: Too many levels of symbolic links"),
        (os.mkfifo, "must be a regular file"),
        (text, "is no store of evaluations; move it away"),
        (other_database, "is no store of evaluations; move it away"),
        (other_version(7), "must be a store of version 2, not 7; move it away"),
        (other_version(0x03030303), "must be a store of version 2, not 3; move it away"),
    ],
)
def test_what_is_no_store_is_left_alone_and_said_in_one_line(tmp_path, capsys, make, said):
    path = tmp_path / "store.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    assert main(["search", "configs/search-digits.json", "--store", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: {path}: {said}"
    assert before is None or path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "store.sqlite", Path("/proc/nowhere/store.sqlite")):
        assert main(["search", "configs/search-digits.json", "--store", str(path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {path}: cannot be opened and written: ")


def test_an_empty_file_becomes_a_store(tmp_path, capsys):
    path = tmp_path / "store.sqlite"
    path.touch()
    assert used(path) == COUNT and used(path) == 0
    assert capsys.readouterr().err == ""
