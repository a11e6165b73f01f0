"""Finished evaluations, kept in one SQLite file from the moment they are finished."""

import fcntl
import json
import os
import sqlite3
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kakure.model.errors import Damaged, UserError
from kakure.model.provenance import Provenance

from .store_file import (
    Row,
    as_bytes,
    check_file,
    check_layout,
    checksum,
    create,
    refused,
    rows,
    salvage,
)
from .task import Outcome

__all__ = ["Outcome", "Store", "key_of"]


def key_of(kind: str, arguments: Mapping[str, Any]) -> str:
    """Name of an evaluation: SHA-256 of its kind and of everything that decides its outcome."""
    return Provenance(kind, arguments).digest


class Store:
    """Evaluations by key. Each is written in a transaction of its own, whole or not at all.

    Everything is checked when the store is opened, and an evaluation once more when it is used:
    one whose SHA-256 does not match is named on stderr and forgotten, so that it is made anew. A
    damaged file is kept beside under another name, what is whole in it taken over; so is a store
    of an earlier version, whose keys hold less, and of which nothing is taken over.

    Parameters
    ----------
    path : Path
        Made when it is missing.

    Raises
    ------
    UserError
        If the file is no store or one of a later version, which is left as it is; if it cannot be
        written; if it is damaged while another process uses it.
    """

    connection: sqlite3.Connection

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot be opened and written: {error.strerror} ({error.filename})",
                file=path,
            ) from None
        check_file(path)  # what is no store is refused before a file is made beside it
        self._lock, is_alone = self._locked()
        self._unlock = weakref.finalize(self, os.close, self._lock)
        try:
            self._open(is_alone)
        except BaseException:
            self.close()
            raise
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _locked(self) -> tuple[int, bool]:
        """The lock that all who use the file hold, and whether nobody else does."""
        path = self.path.with_name(f".{self.path.name}.lock")
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(
                f"cannot be opened and written: {path}: {error.strerror}", file=self.path
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(lock, fcntl.LOCK_SH)
            return lock, False
        return lock, True

    def _open(self, is_alone: bool) -> None:
        if check_file(self.path) == "old":
            self._set_aside(is_alone, "old", "is of an earlier version, whose keys hold less")
        try:
            self._connect()
        except Damaged as error:
            reason = error.said
            self.connection.close()
            found = self._set_aside(is_alone, "damaged", reason)
            self._connect()
            for row in found.values():
                self._insert(row)

    def _set_aside(self, is_alone: bool, suffix: str, reason: str) -> dict[bytes, Row]:
        """Rename a file that cannot be used, and return what is whole in it."""
        if not is_alone:
            raise UserError(
                f"{reason}, and in use: wait for the other search to end", file=self.path
            )
        kept = self.path.with_name(f"{self.path.name}.{suffix}")
        found = salvage(self.path) if suffix == "damaged" else {}
        try:
            self.path.replace(kept)
            for part in ("-journal", "-wal", "-shm"):
                self.path.with_name(self.path.name + part).unlink(missing_ok=True)
        except OSError as error:
            raise UserError(
                f"{reason}, and cannot be renamed: {error.strerror}", file=self.path
            ) from None
        taken = f"{len(found)} evaluations of it are whole, all others" if found else "evaluations"
        self._say(f"{reason}; kept as {kept.name}: {taken} are made anew")
        return found

    def _connect(self) -> None:
        with self._reported():
            self.connection = sqlite3.connect(self.path, timeout=60)
        self.connection.text_factory = bytes
        with self._reported():
            if check_file(self.path) == "new":
                create(self.connection)
            check_layout(self.connection, self.path)
        for row in self._broken():
            self._forget(row)
            if row in self._broken():  # it is not where its key says
                raise Damaged("is damaged: a key is not the one that was written", file=self.path)

    def _broken(self) -> list[Row]:
        with self._reported():
            return [row for row, is_whole in rows(self.connection) if not is_whole]

    def _forget(self, row: Row) -> None:
        """Name a damaged evaluation and remove it."""
        name = f"{row[1].decode(errors='replace')} {row[0].decode(errors='replace')[:12]}"
        self._say(f"evaluation {name!r} is damaged: it is made anew")
        key = row[0].decode(errors="surrogateescape")
        with self._reported(), self.connection as connection:
            connection.execute("DELETE FROM evaluations WHERE key = ?", (key,))

    def _say(self, text: str) -> None:
        print(f"{self.path}: {text}", file=sys.stderr, flush=True)

    def get(self, kind: str, arguments: Mapping[str, Any]) -> Outcome | None:
        """What was stored, or None."""
        key = key_of(kind, arguments)
        query = 'SELECT kind, arguments, "values", data, sha256 FROM evaluations WHERE key = ?'
        with self._reported():
            found = self.connection.execute(query, (key,)).fetchone()
        if found is None:
            return None
        kind_, given, values, data, written = map(as_bytes, found)
        row = (key.encode(), kind_, given, values, data)
        if checksum(row).encode() != written:
            self._forget((key.encode(), kind.encode(), b"", b"", b""))
            return None
        return Outcome(json.loads(values), data)

    def put(self, kind: str, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """Store an evaluation; one of the same key that is there already stays."""
        parts = [
            key_of(kind, arguments),
            kind,
            json.dumps(dict(arguments), sort_keys=True),
            json.dumps(outcome.values, sort_keys=True),
        ]
        key, kind_, given, values = (part.encode() for part in parts)
        self._insert((key, kind_, given, values, outcome.data))

    def _insert(self, row: Row) -> None:
        texts = [part.decode() for part in row[:4]]
        with self._reported(), self.connection as connection:
            connection.execute(
                "INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?, ?, ?)",
                (*texts, row[4], checksum(row)),
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """What the file system refuses, and what is damaged, is said in one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise refused(error, self.path) from None
        except (MemoryError, OverflowError, UnicodeError):
            raise Damaged("is damaged: its rows cannot be read", file=self.path) from None

    def count(self, kind: str) -> int:
        """Number of stored evaluations of a kind."""
        query = "SELECT count(*) FROM evaluations WHERE kind = ?"
        with self._reported():
            return self.connection.execute(query, (kind,)).fetchone()[0]

    def total(self) -> int:
        """Number of stored evaluations."""
        with self._reported():
            return self.connection.execute("SELECT count(*) FROM evaluations").fetchone()[0]

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "connection"):
            self.connection.close()
        self._unlock()
