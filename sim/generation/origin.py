"""``origin.json`` of a generated folder: what it was generated from, and every file's digest."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kakure.model.errors import Damaged
from kakure.model.files.seal import open_line, seal_line

__all__ = ["NAME", "Origin"]

NAME = "origin.json"


@dataclass(frozen=True)
class Origin:
    """What a folder was generated from, and what was written into it.

    Attributes
    ----------
    facts : dict
        All that decides what is generated.
    files : dict of str to str
        SHA-256 of every file but ``origin.json``, by its path in the folder.
    """

    facts: dict[str, Any]
    files: dict[str, str]

    @classmethod
    def of(cls, folder: Path, facts: dict[str, Any]) -> "Origin":
        """Of all that lies in a folder now."""
        return cls(facts, {name: _sha256(folder / name) for name in _names(folder) if name != NAME})

    @classmethod
    def read(cls, folder: Path) -> "Origin":
        """Read what :meth:`write` wrote.

        Raises
        ------
        Damaged
            If it is missing, or not what was written.
        """
        path = folder / NAME
        try:
            text = open_line(path.read_text(encoding="utf-8").removesuffix("\n"))
        except OSError as error:
            raise Damaged(f"cannot be read: {error.strerror}", file=path) from None
        except UnicodeDecodeError:
            text = None
        if text is None:
            raise Damaged("is not what was written: its checksum does not match", file=path)
        data = json.loads(text)
        return cls(data["from"], data["files"])

    def write(self, folder: Path) -> None:
        """Write ``origin.json``, one line with its own checksum, into a folder."""
        text = json.dumps({"files": self.files, "from": self.facts}, sort_keys=True)
        (folder / NAME).write_text(seal_line(text) + "\n", encoding="utf-8")

    def edited(self, folder: Path) -> list[str]:
        """Verilog that somebody has changed or added: whole modules, by the names of their files.

        Where only a part of a module is left, or none, the file is damaged instead.
        """
        found = [file for file in sorted((folder / "verilog").glob("*.v")) if _is_module(file)]
        return [
            file.name for file in found if self.files.get(f"verilog/{file.name}") != _digest(file)
        ]

    def damaged(self, folder: Path, parts: tuple[str, ...]) -> list[str]:
        """Files that are gone, or have other bytes and are not :meth:`edited`, by their paths.

        Parameters
        ----------
        parts : tuple of str
            Files and folders that are looked at.
        """
        edited = {f"verilog/{name}" for name in self.edited(folder)}
        wrong = {
            name
            for name in self.within(parts)
            if name not in edited and _digest(folder / name) != self.files[name]
        }
        strange = {f"verilog/{file.name}" for file in (folder / "verilog").glob("*.v")}
        return sorted(wrong | (strange - edited - self.files.keys()))

    def within(self, parts: tuple[str, ...]) -> list[str]:
        """Files that were generated and are one of ``parts``, or in one, by their paths."""
        return [name for name in self.files if name.partition("/")[0] in parts]


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _digest(file: Path) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        return _sha256(file)
    except OSError:
        return None


def _is_module(file: Path) -> bool:
    """Whether a file is, to its end, Verilog of the module that it is named after."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    parts = rf"^module\s+{re.escape(file.stem)}\b", r"^\s*endmodule\b"
    return all(re.search(part, text, re.MULTILINE) for part in parts)
