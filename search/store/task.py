"""An evaluation: a pure function, everything that decides what it gives, and what it gave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kakure.model.provenance import sources, tools

__all__ = ["Outcome", "Task"]


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


@dataclass(frozen=True)
class Task:
    """An evaluation: ``function(**arguments)``, a pure function of its arguments.

    Attributes
    ----------
    kind : str
        With :attr:`decides`, its name in the store.
    function : callable
        Of a module's top level, so that another process finds it.
    arguments : dict
        What JSON can hold, and everything that decides the outcome but for the code.
    sources : tuple of str
        Packages and modules whose text decides it, as :func:`kakure.model.provenance.sources` takes
        them.
    tools : tuple of str
        Installed packages whose versions decide it.
    """

    kind: str
    function: Callable[..., Outcome]
    arguments: Mapping[str, Any]
    sources: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    @property
    def decides(self) -> dict[str, Any]:
        """The arguments, with the digest of the sources and the tools' versions beside."""
        found = dict(self.arguments)
        if self.sources:
            found["sources"] = sources(*self.sources)
        if self.tools:
            found["tools"] = tools(*self.tools)
        return found
