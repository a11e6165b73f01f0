"""The shape of a block: its sizes, and all that follows from them, said once beside its hardware.

A block's ``__init__`` and ``elaborate`` take their sizes from its shape; so does the cost model,
whose shapes hold arrays, a value for each of many blocks.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .numbers import Number, choose

__all__ = ["BlockShape", "Child", "FixedShape", "Terms", "instance_name"]

Terms = Mapping[str, Number]


@dataclass(frozen=True)
class BlockShape(ABC):
    """Sizes of a block, or of many blocks of one kind.

    The dataclass's fields are sizes; each is an int, or an int64 array with a value for each
    block. Strings and booleans are 0 or 1 here, and None is 0.

    Attributes
    ----------
    kind : str
        The generator's name, in snake case.
    parameters : tuple of str
        The sizes, given or derived, that decide what is in the block.
    repeated : frozenset of str
        Parameters that only say how often independent, equal parts are there, or how many bits a
        counter has: a block with more of them is known as well as one with as many as were
        measured.
    """

    kind: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    repeated: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def flops(self) -> Number:
        """Flip-flops of the block, its children not counted; exact."""
        return 0

    @cached_property
    def gates(self) -> Number:
        """Clock gates of the block, its children not counted; exact."""
        return 0

    @cached_property
    def free_flops(self) -> Number:
        """Flip-flops that every cycle clocks: all, in a block without clock gates."""
        return choose(self.gates > 0, 0, self.flops)

    @cached_property
    def held_flops(self) -> Number:
        """Flip-flops behind clock gates that open while the block works."""
        return self.flops - self.free_flops

    @cached_property
    @abstractmethod
    def terms(self) -> Terms:
        """Counts that the block's other logic grows with; for arrays."""

    @property
    def path_terms(self) -> Terms:
        """What the block's critical path grows with, mostly logarithms to base 2; for arrays.

        Nothing, of a block whose path is counted with that of another.
        """
        return {}

    def children(self) -> Iterator["Child"]:
        """The blocks that are placed in this one."""
        return iter(())


def instance_name(instance: str) -> str:
    """The name of an instance without the numbers at its end, as :class:`Child` has it."""
    return re.sub(r"(_\d+)+$", "", instance)


@dataclass(frozen=True)
class Child:
    """Equal blocks that are placed in another.

    Attributes
    ----------
    name : str
        Name of the instance, without the numbers at its end.
    shape : BlockShape
    count : int or array
        How many there are.
    where : int array, optional
        Which of many parents have them, where not all do: ``shape`` and ``count`` are of these.
    """

    name: str
    shape: BlockShape
    count: Number = 1
    where: Any = None


@dataclass(frozen=True)
class FixedShape(BlockShape):
    """A block without sizes: as often as it is there, it is the same."""

    one: Number = 1
    """1, or an array of as many."""

    parameters = ("one",)

    @cached_property
    def terms(self) -> Terms:
        """One, whose area is that of all its logic."""
        return {"one": np.ones(np.shape(self.one))}
