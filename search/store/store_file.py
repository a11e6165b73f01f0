"""The file of a store: what it is, whether it is whole, and what can be saved of a damaged one."""

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Literal

from kakure.model.errors import Damaged, UserError

__all__ = [
    "Row",
    "as_bytes",
    "check_file",
    "check_layout",
    "checksum",
    "create",
    "refused",
    "rows",
    "salvage",
]

APPLICATION = 0x4B616B75
"""SQLite's application_id of a store: "Kaku"."""

VERSION = 2
"""Of the layout and of what keys hold; in every byte of SQLite's user_version."""

CREATE = (
    "CREATE TABLE evaluations ("
    "key TEXT PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, "
    '"values" TEXT NOT NULL, data BLOB NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID'
)

REFUSALS = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""What the system refuses, by SQLite's code; any other error is damage."""

PAGE = 4096
"""SQLite's page [byte]; the first one holds what is the same in every store."""

Row = tuple[bytes, bytes, bytes, bytes, bytes]
"""Key, kind, arguments, values, data."""


def checksum(row: Row) -> str:
    """SHA-256 of a row: each part with its length before it."""
    found = sha256()
    for part in row:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()


def check_file(path: Path) -> Literal["new", "old", "current"]:
    """What lies in the place of a store: nothing, a store of an earlier version, or one of this.

    A store is known by SQLite's mark, its application_id and its table; one of them may be damaged.

    Raises
    ------
    UserError
        If it is something else, or a store of a later version.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError("must be a file", value="a folder", file=path)
        if not stat.S_ISREG(mode):
            raise UserError("must be a regular file", file=path)
        with path.open("rb") as file:
            head = file.read(PAGE)
    except FileNotFoundError:
        return "new"
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be opened and written: {_reason(error)}", file=path) from None
    if not head:
        return "new"
    marks = (
        head.startswith(b"SQLite format 3\0"),
        head[68:72] == APPLICATION.to_bytes(4),
        b"CREATE TABLE evaluations (" in head,
    )
    if sum(marks) < 2:
        raise UserError("is no store of evaluations; move it away", file=path)
    version = head[60:64]
    if version == (1).to_bytes(4):
        return "old"
    if version.count(VERSION) < 3:
        number = version[0] if len(set(version)) == 1 else int.from_bytes(version)
        raise UserError(
            f"must be a store of version {VERSION}, not {number}; move it away", file=path
        )
    return "current"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def refused(error: sqlite3.Error, path: Path) -> UserError:
    """What to say of an error: the system's refusal, or :class:`Damaged`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    is_writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if code in REFUSALS and not (code == sqlite3.SQLITE_READONLY and is_writable):
        return UserError(f"cannot be opened and written: {error}", file=path)
    return Damaged(f"is damaged: {error}", file=path)


def create(connection: sqlite3.Connection) -> None:
    """Make the table in an empty file, unless another process was faster; in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {int.from_bytes(bytes([VERSION] * 4))}")
            connection.execute(CREATE)


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """Raise Damaged unless header, table and pages are as they were written."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION or version != int.from_bytes(bytes([VERSION] * 4)):
        raise Damaged("is damaged: its header is not the one that was written", file=path)
    tables = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    if [tuple(map(as_bytes, row)) for row in tables] != [
        (b"table", b"evaluations", b"evaluations", CREATE.encode())
    ]:
        raise Damaged("is damaged: its table is not the one that was written", file=path)
    (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if as_bytes(state) != b"ok":
        said = as_bytes(state).decode("utf-8", "replace").splitlines()
        raise Damaged(f"is damaged: {(said or ['a page'])[-1]}", file=path)


def as_bytes(value: object) -> bytes:
    """A column as bytes, whatever type damage may have given it."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b""


def rows(connection: sqlite3.Connection, order: str = "ASC") -> Iterator[tuple[Row, bool]]:
    """Every row, and whether it is the one that was written."""
    query = 'SELECT key, kind, arguments, "values", data, sha256 FROM evaluations ORDER BY key '
    for found in connection.execute(query + order):
        *parts, written = map(as_bytes, found)
        row = (parts[0], parts[1], parts[2], parts[3], parts[4])
        yield row, checksum(row).encode() == written


def salvage(path: Path) -> dict[bytes, Row]:
    """What is whole in a damaged store, by key: read from both ends as far as that goes.

    The first page is not believed but taken from a new store.
    """
    found: dict[bytes, Row] = {}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        mended = Path(folder, "mended")
        with closing(sqlite3.connect(mended)) as connection:
            create(connection)
        first = bytearray(mended.read_bytes()[:PAGE])
        shutil.copyfile(path, mended)
        first[28:32] = (mended.stat().st_size // PAGE).to_bytes(4)  # pages of the file
        with mended.open("r+b") as file:
            file.write(first)
        for order in ("ASC", "DESC"):
            try:
                uri = f"{mended.absolute().as_uri()}?mode=ro&immutable=1"
                with closing(sqlite3.connect(uri, uri=True)) as connection:
                    connection.text_factory = bytes
                    for row, is_whole in rows(connection, order):
                        if is_whole:
                            found.setdefault(row[0], row)
            except (sqlite3.Error, MemoryError, OverflowError, ValueError):
                continue
    return found
