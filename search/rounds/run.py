"""A whole search: phase 1, phase 2 and synthesis, round after round."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.config.config import Config
from kakure.model.errors import Infeasible, UserError
from kakure.model.parameters.parameters import Parameters
from kakure.search.cost.digital.measured import Measurement
from kakure.search.phase2.tested import on_test_images
from kakure.search.space.space import Space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .checks import check_inputs
from .record import search_record
from .round import Options, Round, run_round
from .rounds import cost_model, hardware_of

__all__ = ["Result", "search"]


@dataclass(frozen=True)
class Result:
    """What a search found.

    Attributes
    ----------
    config : Config
        The best configuration.
    parameters : Parameters
        Trained at its precision.
    record : dict
        Everything about it, as search.json holds it but for the command.
    """

    config: Config
    parameters: Parameters
    record: Mapping[str, Any]


def search(
    space: Space,
    folder: Path,
    options: Options,
    store: Store,
    workers: Workers,
    *,
    progress: bool = False,
) -> Result:
    """Find the best configuration of a space.

    The same space, options and seed give the same result, whatever was stored before and however
    many workers there are.

    Parameters
    ----------
    folder : Path
        Where the space's file lies.

    Raises
    ------
    UserError
        If the space cannot be searched: the bound is infeasible, a layer lies outside the fitted
        range, the data set is missing, no precision keeps the accuracy.
    """
    if options.model == "analog" and options.rounds:
        raise UserError(
            "must be 0 with the analog model: there is nothing to synthesize", where=("rounds",)
        )
    check_inputs(space, folder)  # what is missing is said before hours of training
    extra: list[Measurement] = []
    seen: set[str] = set()
    rounds: list[Round] = []
    stopped = None
    for number in range(1, max(1, options.rounds) + 1):
        if progress and options.rounds:
            print(f"round {number} of {options.rounds}", flush=True)
        model = cost_model(options.model, extra)
        try:
            one = run_round(space, folder, options, model, seen, store, workers, progress)
        except Infeasible as error:
            # What was learned may leave no network below the bound: the last round's stands.
            if not rounds or error.where != ("area_um2",):
                raise
            stopped = str(error)
            break
        rounds.append(one)
        extra += [made.measurement for made in one.done if made.is_new]
        seen |= {hardware_of(made.config) for made in one.done}
        if progress and one.done:
            print(_said(number, one), flush=True)
    precise = rounds[-1].precise
    tested = on_test_images(precise.reference, (precise.config, precise.parameters), folder)
    record = search_record(space, folder, options, rounds, tested=tested, stopped=stopped)
    return Result(precise.config, precise.parameters, record)


def _said(number: int, one: Round) -> str:
    """What a round synthesized, as a table."""
    lines = [f"{'':16}{'predicted µm²':>15}{'synthesized µm²':>17}{'error':>9}"]
    for made in one.done:
        lines.append(
            f"{made.role:16}{made.predicted_um2:>15,.0f}{made.measurement.area_um2:>17,.0f}"
            f"{100 * made.error:>8.2f} %{'' if made.is_new else '  seen before'}"
        )
    if one.errors:
        mean = 100 * np.mean(one.errors)
        lines.append(f"round {number}: mean error {mean:.2f} % before synthesis")
    else:
        lines.append(f"round {number}: nothing new to synthesize")
    return "\n".join(lines)
