"""Which of the measured precisions keep the bound on images that chose nothing."""

import math
from dataclasses import dataclass

import numpy as np

from kakure.model.errors import Infeasible, UserError
from kakure.search.space.effort import MOST_PARTS

from .guided import Guide
from .paired import Paired, images_needed, loss_bound
from .problem import Entry, Problem
from .witness import Witness

__all__ = ["Certificate", "Demand", "Shown", "certify", "require_images"]


@dataclass(frozen=True)
class Demand:
    """What has to be shown of a precision before it is chosen.

    Attributes
    ----------
    confidence : float
        One-sided, 0.5 or more and below 1.
    parts : int
        Parts that judge, at most as many as a space may ask for; see
        :class:`kakure.search.space.effort.Effort`.
    steps : int
        Precisions that are put to the test, at most.
    """

    confidence: float = 0.95
    parts: int = 5
    steps: int = 5

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1:
            raise UserError(
                "must be 0.5 to below 1", where=("confidence",), value=f"{self.confidence:g}"
            )
        for name in ("parts", "steps"):
            if getattr(self, name) < 1:
                raise UserError("must be at least 1", where=(name,), value=getattr(self, name))
        if self.parts > MOST_PARTS:
            raise UserError(f"must be at most {MOST_PARTS}", where=("parts",), value=self.parts)


@dataclass(frozen=True)
class Shown:
    """What images that chose nothing show of one precision.

    Attributes
    ----------
    entry : Entry
        Its ``loss`` is that of the images that choose.
    paired : Paired
        Beside the precision that phase 1 assumed; beside a network that is always right where the
        loss is counted from a given accuracy.
    bound : float
        The loss is at most this, at the confidence that was asked for.
    """

    entry: Entry
    paired: Paired
    bound: float


@dataclass(frozen=True)
class Certificate:
    """The precision that is chosen, and what is shown of it.

    Attributes
    ----------
    confidence : float
    parts : int
        That judged; of one the chosen network itself has seen nothing.
    chosen : Shown
    refused : Shown or None
        The first precision of which too much loss could not be excluded; the walk ended there.
    """

    confidence: float
    parts: int
    chosen: Shown
    refused: Shown | None

    @property
    def count(self) -> int:
        """Images that judged."""
        return self.chosen.paired.count

    @property
    def statement(self) -> str:
        """What may be said of the chosen precision, and of the first that was refused."""
        confidence = f"{100 * self.confidence:g} %"
        chosen = self.chosen
        if chosen.paired.discordant or chosen.bound:
            said = f"loss at most {_percent(chosen.bound)} at a confidence of {confidence}"
        else:
            said = "no precision lowered, so no loss"
        said += f"; {self.count} images that chose nothing, in {self.parts} parts"
        if self.refused is not None:
            said += f"; the next cheaper one may lose {_percent(self.refused.bound)}"
        return said


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def require_images(loss: float, demand: Demand, count: int, reference: float = 1.0) -> None:
    """UserError if not even a precision without any loss could be shown to keep the bound.

    ``reference`` is the accuracy that the loss is counted from, where that is a given one.
    """
    room = loss + 1 - reference
    if room > 0 and images_needed(room, demand.confidence) <= count:
        return
    least = 1 - (1 - demand.confidence) ** (1 / count) - (1 - reference)
    raise Infeasible(
        f"must be at least {math.ceil(least * 1e4) / 1e4:.4f}, the "
        f"least that {count} images can show at a confidence of "
        f"{demand.confidence:g}",
        where=("loss",),
        value=f"{loss:g}",
    )


def certify(problem: Problem, demand: Demand, witness: Witness) -> Certificate:
    """Walk from the safest precision to the cheapest, as long as each is shown to keep the bound.

    The order is fixed by the images that choose, before one that judges is looked at: by the loss
    expected from all measurements, those left out that cost no less than a safer one. Each is
    tested at the whole confidence, and the walk ends at the first that is not shown to keep the
    bound: the chance to choose any precision beyond the bound is then no more than that of one
    test (fixed-sequence testing). The precision that phase 1 assumed comes first; it loses nothing
    against itself.

    Parameters
    ----------
    problem : Problem
        Whose method has run; its ``loss`` is the bound.
    demand : Demand
    witness : Witness

    Raises
    ------
    UserError
        If the loss is counted from a given accuracy and not even the first is shown to keep it.

    Source
    ------
    Fixed sequences: Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen, J. Statist. Plann.
    Inference 99 (2001) 25.
    """
    chosen = refused = None
    for entry in walk(problem, demand.steps):
        shown = _show(problem, entry, demand, witness)
        if shown.bound > problem.loss:
            refused = shown
            break
        chosen = shown
        problem.bar.update()
    if chosen is None:
        assert refused is not None
        raise Infeasible(
            "must be at least "
            f"{math.ceil(refused.bound * 1e4) / 1e4:.4f}, which "
            f"{witness.count} images show at a confidence of "
            f"{demand.confidence:g} of the safest precision",
            where=("loss",),
            value=f"{problem.loss:g}",
        )
    return Certificate(demand.confidence, len(witness.starts), chosen, refused)


def _show(problem: Problem, entry: Entry, demand: Demand, witness: Witness) -> Shown:
    if problem.reference is not None:
        wrong = witness.against_all(entry.levels)
        bound = loss_bound(wrong, demand.confidence) - (1 - problem.reference)
        return Shown(entry, wrong, bound)
    paired = witness.paired(entry.levels)
    if entry.levels == problem.start:
        return Shown(entry, paired, 0.0)
    return Shown(entry, paired, loss_bound(paired, demand.confidence))


def walk(problem: Problem, steps: int) -> list[Entry]:
    """The start, then at most ``steps`` cheaper precisions, the safest first."""
    first = problem.asked[problem.start]
    entries = list(problem.asked.values())
    model = Guide(problem, first).model
    posterior = model.fit([e.levels for e in entries], [e.loss for e in entries])
    expected, _ = posterior.predict(model.features(np.array([e.levels for e in entries])))
    order = sorted(range(len(entries)), key=lambda i: (expected[i], entries[i].cost.product))
    chain: list[Entry] = []
    least = first.cost.product
    for entry in (entries[index] for index in order):
        if problem.keeps(entry) and entry.cost.product < least:
            chain.append(entry)
            least = entry.cost.product
    places = np.linspace(0, len(chain) - 1, min(steps, len(chain))).round().astype(int)
    return [first, *(chain[place] for place in places.tolist())]
