"""Images that chose nothing: how right a precision is on them, beside the reference."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.parameters.parameters import Parameters
from kakure.model.training.logits import integer_logits
from kakure.model.training.network import as_tensor
from kakure.search.store.parallel import Task, Workers, evaluate
from kakure.search.store.store import Outcome, Store

from .accuracy import Measured, Tuning, accuracy_task
from .paired import Paired
from .parts import Part, judging
from .precision import Levels, PrecisionSpace
from .start import Start, train_start

__all__ = ["Witness", "part_starts", "rights"]

KIND = "phase2.part"

Rights = NDArray[np.bool_]


def rights(config: Config, parameters: Parameters, data: LabelledImages) -> Rights:
    """Which images the integers classify right."""
    logits = integer_logits(config, parameters, as_tensor(data.images))
    return logits.argmax(1).numpy() == data.labels


@dataclass(frozen=True)
class Witness:
    """Networks with images that they have never seen, in training or in a choice.

    Attributes
    ----------
    precision : PrecisionSpace
    starts : tuple of Start
        Each without a part of the training images.
    tuning : Tuning
    seed : int
    store : Store
    workers : Workers
    progress : bool
        Whether a progress bar is shown.
    known : dict
        What was asked before.
    """

    precision: PrecisionSpace
    starts: tuple[Start, ...]
    tuning: Tuning
    seed: int
    store: Store
    workers: Workers = field(default_factory=Workers)
    progress: bool = False
    known: dict[Levels, Rights] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Images, of all parts together."""
        return sum(len(start.part_images) for start in self.starts)

    def rights(self, levels: Levels) -> Rights:
        """Which images the network that never saw them classifies right, tuned at a precision."""
        if levels not in self.known:
            config = self.precision.config(levels)
            tasks = [accuracy_task(config, s, self.tuning, seed=self.seed) for s in self.starts]
            said = "precision, out of part" if self.progress else None
            outcomes = evaluate(tasks, self.store, self.workers, progress=said)
            self.known[levels] = np.concatenate([
                rights(config, Measured.of(outcome).parameters(config), start.part_images)
                for start, outcome in zip(self.starts, outcomes, strict=True)
            ])
        return self.known[levels]

    def paired(self, levels: Levels) -> Paired:
        """A precision beside the one that phase 1 assumed, tuned alike."""
        return Paired.of(self.rights(self.precision.start), self.rights(levels))

    def against_all(self, levels: Levels) -> Paired:
        """A precision beside a network that is always right."""
        rights = self.rights(levels)
        return Paired.of(np.ones(len(rights), bool), rights)


def part_starts(
    start: Start,
    parts: int,
    *,
    seed: int,
    store: Store,
    workers: Workers,
    progress: bool = False,
) -> tuple[Start, ...]:
    """The start's network trained anew without each of ``parts`` parts; stored when finished.

    A start that never saw a part is its own, and the only one.
    """
    if start.part is not None:
        return (start,)
    wanted = judging(None, parts)
    tasks = [part_task(start, part, seed=seed) for part in wanted]
    outcomes = evaluate(tasks, store, workers, progress="train without parts" if progress else None)
    return tuple(
        replace(start, state=outcome.data, part=part)
        for part, outcome in zip(wanted, outcomes, strict=True)
    )


def part_task(start: Start, part: Part, *, seed: int) -> Task:
    """The training of a start's network without a part, as an evaluation for the store."""
    named = accuracy_task(start.config, start, Tuning(epochs=0), seed=seed).arguments
    arguments = {**named, "part": part.index, "parts": part.of}
    return Task(KIND, partial(_train, start, part), arguments)


def _train(start: Start, part: Part, /, *, seed: int, **_: Mapping[str, Any]) -> Outcome:
    """What runs in a worker."""
    with tempfile.TemporaryDirectory() as folder:
        trained = train_start(
            start.config,
            start.folder,
            start.recipe,
            seed=seed,
            checkpoint=Path(folder, "part.pt"),
            part=part,
        )
    return Outcome({"bytes": len(trained.state)}, trained.state)
