"""Phase 1 solved exactly: the whole front of area against time, and the k best networks.

Proof of optimality, in full in docs/search.md: costs are integers and sums of them exact; the
recursion drops only labels that a kept one dominates, or that no network within the bounds can
use; so the least time found under a bound is the least there is. No tolerance, no grid beyond the
whole µm² and ps of the tables.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kakure.model.errors import Infeasible
from kakure.search.cost.tables import Solution, Tables

from .problem import Problem
from .ranking import rank_channels, rank_choices
from .recursion import Recursion
from .staircase import Integers, staircase

__all__ = ["ExactSearch", "Front", "least_area_um2"]


@dataclass(frozen=True)
class Part:
    """One size of crossbar tile and of the shared block.

    Attributes
    ----------
    which : int
        Index of the family and size of crossbar tile.
    tables : Tables
        All its costs.
    recursion : Recursion
        Over those with this size of the shared block.
    """

    which: int
    tables: Tables
    recursion: Recursion


@dataclass(frozen=True)
class Front:
    """Every undominated pair of area and time, area rising [µm², ps].

    Attributes
    ----------
    area_um2, time_ps : int64 array, (n,)
    """

    area_um2: Integers
    time_ps: Integers
    parts: "tuple[Part, ...]"
    which: Integers

    def __len__(self) -> int:
        return len(self.area_um2)

    def solution(self, index: int) -> Solution:
        """A network with this area and time."""
        part = self.parts[int(self.which[index])]
        found = part.recursion.trace(int(self.area_um2[index]), int(self.time_ps[index]))
        return part.tables.solution(*found)

    def solutions(self) -> list[Solution]:
        """One network for each pair."""
        return [self.solution(index) for index in range(len(self))]


class ExactSearch:
    """Exact answers for one problem.

    Parameters
    ----------
    tables : sequence of Tables
        One for each family and size of crossbar tile; the best of all is returned.
    problem : Problem
        Its ``least_area_um2`` is left out of account.

    Raises
    ------
    UserError
        If no network keeps within the bounds; the line names the bound that would do.
    """

    def __init__(self, tables: Sequence[Tables], problem: Problem) -> None:
        self.problem = problem
        most = max(Recursion(part, problem).most_weights for part in tables)
        if problem.least_weights > most:
            raise Infeasible(
                f"must be at most {most}, the largest network of the space",
                where=("least_weights",),
                value=problem.least_weights,
            )
        self.parts = tuple(
            Part(which, part, recursion)
            for which, part in enumerate(tables)
            for recursion in _recursions(part, problem)
        )
        if all(not len(part.recursion.front[0]) for part in self.parts):
            least = least_area_um2(tables, problem)
            reason = f" with {problem.least_weights} weights" if problem.least_weights else ""
            raise Infeasible(
                f"must be at least {least}, the least area that is feasible{reason}",
                where=("area_um2",),
                value=problem.area_um2,
            )

    @property
    def labels(self) -> int:
        """Number of labels that the recursion kept: its work."""
        kept = {id(n): len(n) for p in self.parts for row in p.recursion.suffixes for n in row}
        return sum(kept.values())

    def front(self) -> Front:
        """The whole front under the bounds."""
        parts = [part.recursion.front for part in self.parts]
        area = np.concatenate([part[0] for part in parts])
        time = np.concatenate([part[1] for part in parts])
        which = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        index = staircase(area, time)
        return Front(area[index], time[index], self.parts, which[index])

    def best(self) -> Solution:
        """The least time under the bounds, and of equal ones the least area."""
        return self.front().solution(-1)

    def k_best(
        self, k: int, distinct: Literal["channels", "choices"] = "channels"
    ) -> list[Solution]:
        """The k best distinct networks, best first: by time, then area, then order in the space.

        Parameters
        ----------
        k : int
            At most so many; fewer if there are no more.
        distinct : "channels" or "choices"
            Whether two are distinct when channels, shortcuts, windows or pools are (each then with
            its best options), or when anything is.
        """
        rank = rank_channels if distinct == "channels" else rank_choices

        def places(n: int, part: Part) -> Iterator[tuple[int, int, tuple[int, ...], int]]:
            constant = part.recursion.tables.constant_area_um2
            return ((r.time, r.area + constant, r.order, n) for r in rank(part.recursion))

        chosen: list[Solution] = []
        seen: set[tuple[object, ...]] = set()
        for time, area, order, n in heapq.merge(*map(places, range(len(self.parts)), self.parts)):
            part = self.parts[n]
            identity = (part.which, *order)
            if distinct == "channels":
                forms = (layer.form(c) for layer, c in zip(part.tables.layers, order, strict=True))
                identity = (part.tables.windows, *forms)
            if identity in seen:
                continue
            seen.add(identity)
            if distinct == "choices":
                chosen.append(part.tables.solution(order[::2], order[1::2]))
            else:
                only = Recursion(part.recursion.tables.only(order), self.problem)
                chosen.append(part.tables.solution(order, only.trace(area, time)[1]))
            if len(chosen) >= k:
                break
        return chosen


def _recursions(tables: Tables, problem: Problem) -> list[Recursion]:
    """One for each size of the shared block; they share what does not depend on it."""
    levels = list(tables.levels())
    loosest = replace(levels[-1], constant_area_um2=levels[0].constant_area_um2)
    found: list[Recursion] = []
    for level in levels:
        before = found[-1] if found else None
        found.append(Recursion(level, problem, before=before, loosest=loosest))
    return found


def least_area_um2(tables: Sequence[Tables], problem: Problem) -> int:
    """The least area of any network with enough weights [µm²]; there must be one."""
    anything = replace(problem, area_um2=None)
    least = []
    for level in (level for part in tables for level in part.levels()):
        instant = tuple(replace(t, time_ps=np.zeros_like(t.time_ps)) for t in level.layers)
        area, _ = Recursion(replace(level, layers=instant), anything).front
        least.extend(int(a) for a in area[:1])
    return min(least)
