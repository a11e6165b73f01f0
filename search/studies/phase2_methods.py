"""All ways to do phase 2, each asked on the same network, costs and judge."""

import time
from dataclasses import dataclass

from kakure.model.errors import UserError
from kakure.search.phase2.certificate import Certificate, Demand, certify
from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.phase2.problem import Entry, Judge, Problem
from kakure.search.phase2.search import (
    METHODS,
    Method,
    Phase2Result,
    check_images,
    make_witness,
    progress_bar,
    result_of,
)
from kakure.search.phase2.tested import Tested, on_test_images

__all__ = ["Comparison", "Row", "compare"]


@dataclass(frozen=True)
class Row:
    """What one method reached.

    Attributes
    ----------
    method : str
    certificate : Certificate or None
        What it chose and what is shown of that; None if nothing is shown to keep the bound.
    tested : Tested or None
        That on the test images.
    evaluations : int
        Precisions whose accuracy it asked for.
    seconds : float
        Of the processor, in those evaluations, whichever method was first to ask.
    own_seconds : float
        Of the method itself.
    """

    method: Method
    certificate: Certificate | None
    tested: Tested | None
    evaluations: int
    seconds: float
    own_seconds: float

    @property
    def entry(self) -> Entry | None:
        """The chosen precision."""
        return None if self.certificate is None else self.certificate.chosen.entry


@dataclass(frozen=True)
class Comparison:
    """All methods at one bound.

    Attributes
    ----------
    start : Entry
        The precision that phase 1 assumed.
    rows : tuple of Row
        The default method last.
    result : Phase2Result
        Of the default method.
    """

    start: Entry
    rows: tuple[Row, ...]
    result: Phase2Result


def compare(
    precision: PrecisionSpace,
    costs: PrecisionCosts,
    judge: Judge,
    *,
    loss: float,
    seed: int,
    budget: int,
    demand: Demand | None = None,
    reference: float | None = None,
    progress: bool = False,
) -> Comparison:
    """Solve with every method; the same arguments give the same rows, but for the seconds.

    ``budget`` bounds the sampler and the default method; uniform and greedy run to their end. What
    one method has measured another one finds in the store, and is charged for all the same.
    What each of them chooses is shown to keep the bound in the same way, on the same images.

    Raises
    ------
    UserError
        If the default method measures nothing within the bound, or nothing is shown to keep it.
    """
    demand = demand or Demand()
    check_images(judge, loss, demand, reference)
    witness = None
    rows = []
    result = None
    for name, method in METHODS.items():
        limit = budget if name in ("tpe", "guided") else None
        total = len(precision.uniform()) if name == "uniform" else limit
        with progress_bar(name, total, progress) as bar:
            problem = Problem(precision, costs, judge, loss, seed, limit, reference, bar)
            begin = time.perf_counter()
            method(problem)
            own = time.perf_counter() - begin - problem.waited
        spent = sum(judge.seconds[levels] for levels in problem.asked)
        certificate = tested = None
        try:
            problem.require()
            witness = witness or make_witness(judge, demand, progress=progress)
            certificate = certify(problem, demand, witness)
        except UserError:
            if name == list(METHODS)[-1]:
                raise
        else:
            result = result_of(problem, certificate)
            pair = (result.reference, (result.config, result.parameters))
            tested = on_test_images(*pair, judge.start.folder)
        rows.append(Row(name, certificate, tested, len(problem.asked), spent, own))
    assert result is not None
    return Comparison(result.start, tuple(rows), result)
