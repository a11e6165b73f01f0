"""Finished evaluations, kept in one SQLite file from the moment they are finished."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import UserError

__all__ = ["Outcome", "Store", "key_of"]

APPLICATION = 0x4B616B75
"""SQLite's application_id of a store: "Kaku"."""

VERSION = 1


@dataclass(frozen=True)
class Outcome:
    """What an evaluation gave.

    Attributes
    ----------
    values : dict
        What JSON can hold, figures above all.
    data : bytes
        A file, where the evaluation makes one: trained parameters.
    """

    values: dict[str, Any]
    data: bytes = b""


def key_of(kind: str, arguments: Mapping[str, Any]) -> str:
    """Name of an evaluation: SHA-256 of its kind and of everything that decides its outcome."""
    text = json.dumps([kind, dict(arguments)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """Evaluations by key. Each is written in a transaction of its own, whole or not at all.

    Parameters
    ----------
    path : Path
        Made when it is missing.

    Raises
    ------
    UserError
        If the file is no store, a damaged one, or of another version; it is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.connection = sqlite3.connect(path, timeout=60)
            self._open()
        except sqlite3.OperationalError as error:
            raise UserError(f"{path}: cannot be opened and written: {error}") from None
        except sqlite3.DatabaseError as error:
            raise UserError(f"{path}: is no store of evaluations: {error}; move it away") from None

    def _open(self) -> None:
        (application,) = self.connection.execute("PRAGMA application_id").fetchone()
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION:
            raise UserError(f"{self.path}: is no store of evaluations; move it away")
        if tables and version != VERSION:
            raise UserError(
                f"{self.path}: must be a store of version {VERSION}, not {version}; move it away"
            )
        (state,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise UserError(f"{self.path}: is damaged: {state.splitlines()[0]}; move it away")
        with self.connection:
            self.connection.execute(f"PRAGMA application_id = {APPLICATION}")
            self.connection.execute(f"PRAGMA user_version = {VERSION}")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS evaluations ("
                "key TEXT PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, "
                '"values" TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID'
            )

    def get(self, kind: str, arguments: Mapping[str, Any]) -> Outcome | None:
        """What was stored, or None."""
        query = 'SELECT "values", data FROM evaluations WHERE key = ?'
        with self._reported():
            found = self.connection.execute(query, (key_of(kind, arguments),)).fetchone()
        return None if found is None else Outcome(json.loads(found[0]), bytes(found[1]))

    def put(self, kind: str, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """Store an evaluation; one of the same key that is there already stays."""
        with self._reported(), self.connection:
            self.connection.execute(
                "INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?, ?)",
                (
                    key_of(kind, arguments),
                    kind,
                    json.dumps(dict(arguments), sort_keys=True),
                    json.dumps(outcome.values, sort_keys=True),
                    outcome.data,
                ),
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """What the file system refuses is said in one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(f"{self.path}: cannot be read and written: {error}") from None

    def count(self, kind: str) -> int:
        """Number of stored evaluations of a kind."""
        query = "SELECT count(*) FROM evaluations WHERE kind = ?"
        return self.connection.execute(query, (kind,)).fetchone()[0]

    def total(self) -> int:
        """Number of stored evaluations."""
        return self.connection.execute("SELECT count(*) FROM evaluations").fetchone()[0]

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
