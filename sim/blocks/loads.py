"""What the bench of the weight generator is given: images, and what must be written, as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .fields import Field, Fields

__all__ = ["PORTS", "Load", "Loads", "Write"]

PORTS: tuple[str, ...] = ("weights", "scales")
"""The ports that write, each with its ``valid`` in bit 0."""


@dataclass(frozen=True)
class Write:
    """One write.

    Attributes
    ----------
    cycle : int
        When it comes at full rate, counted from the first word.
    word : int
        The port.
    where : str
        Layer, row and block, or channel.
    """

    cycle: int
    word: int
    where: str


@dataclass(frozen=True)
class Load:
    """One image.

    Attributes
    ----------
    name : str
    words : list of int
        32 bits, and bit 32 where it is the last.
    writes : dict of str to list of Write
        What each port writes; not compared where it is empty.
    taken : dict of str to int
        Cycle in which a word is taken at full rate, by the number of the word.
    raw_words : list of int
        Weight words of each layer if all must come in cycles that follow each other, else none.
    error : int
        Kind of the error, 0 for a good image, -1 for any.
    error_layer : int
    error_cycle : int
        Cycle in which the error shows at full rate; -1 if that is not promised.
    """

    name: str
    words: list[int]
    writes: dict[str, list[Write]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    raw_words: list[int] = field(default_factory=list)
    error: int = 0
    error_layer: int = -1
    error_cycle: int = -1


@dataclass(frozen=True)
class Loads:
    """All images for one weight generator, and the numbers in its ports.

    Attributes
    ----------
    loads : list of Load
        The first one is good.
    fields : dict of str to Fields
        Of each of :data:`PORTS`.
    cycles : int
        That no good image exceeds at full rate.
    """

    loads: list[Load]
    fields: dict[str, Fields]
    cycles: int

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        path.write_text(
            json.dumps({
                "loads": [asdict(load) for load in self.loads],
                "fields": {
                    port: [asdict(item) for item in fields.fields]
                    for port, fields in self.fields.items()
                },
                "cycles": self.cycles,
            }),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, path: Path) -> "Loads":
        """Read what :meth:`save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        loads = []
        for item in data["loads"]:
            writes = {port: [Write(**w) for w in ws] for port, ws in item.pop("writes").items()}
            loads.append(Load(**item, writes=writes))
        fields = {
            port: Fields([Field(**item) for item in items])
            for port, items in data["fields"].items()
        }
        return cls(loads, fields, data["cycles"])
