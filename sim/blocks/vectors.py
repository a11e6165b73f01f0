"""What a bench of one block is given: stimuli and golden results, as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .fields import Field, Fields

__all__ = ["COMPLETES", "NEEDS", "TAKES", "Case", "Vectors", "step"]

NEEDS, TAKES, COMPLETES = 1, 2, 4
"""Bits of a step, see :class:`Case`."""


def step(*, needs: bool = True, takes: bool, completes: bool) -> int:
    """Return a step of a block, one character of :attr:`Case.steps`."""
    return NEEDS * needs | TAKES * takes | COMPLETES * completes


@dataclass(frozen=True)
class Case:
    """Payloads for a block that was set up in one way.

    Attributes
    ----------
    name : str
    inputs, outputs : list of int
        Payloads that go in and must come out.
    where : list of str
        For each output, what it is.
    steps : str
        What the block does, a digit per cycle in which it is not held up: NEEDS if it then waits
        for an input, TAKES if it takes it, COMPLETES if an output follows. Goes round.
    writes : list of int
        Words for the block's write port before the first input; bit 0 says that there is one.
    extra : int
        Outputs at the end that need no further input: they may come, and must be right.
    """

    name: str
    inputs: list[int]
    outputs: list[int]
    where: list[str]
    steps: str
    writes: list[int] = field(default_factory=list)
    extra: int = 0

    @property
    def cycles(self) -> int:
        """Cycles at full rate, roughly and not too few."""
        return len(self.writes) + len(self.steps) * max(1, len(self.inputs)) + 20


@dataclass(frozen=True)
class Vectors:
    """Everything for one block that has one input and one output stream.

    Attributes
    ----------
    cases : list of Case
    inputs, outputs : Fields
        The numbers in a payload.
    write_port : str
        Name of the write port, empty without one.
    write_cycles : int
        Cycles that each word stays at the write port.
    delay : int
        Cycles from the one that follows the completing step to the one with the output.
    parameters : dict
        What the block was made with.
    """

    cases: list[Case]
    inputs: Fields
    outputs: Fields
    parameters: dict
    write_port: str = ""
    write_cycles: int = 1
    delay: int = 0

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        path.write_text(
            json.dumps({
                "cases": [asdict(case) for case in self.cases],
                "inputs": [asdict(item) for item in self.inputs.fields],
                "outputs": [asdict(item) for item in self.outputs.fields],
                "parameters": self.parameters,
                "write_port": self.write_port,
                "write_cycles": self.write_cycles,
                "delay": self.delay,
            }),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, path: Path) -> "Vectors":
        """Read what :meth:`save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        data["cases"] = [Case(**case) for case in data["cases"]]
        for name in ("inputs", "outputs"):
            data[name] = Fields([Field(**item) for item in data[name]])
        return cls(**data)
