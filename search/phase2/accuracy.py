"""Accuracy of a trained network at another precision: fine-tuned there, measured as integers."""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.provenance import sources, tools
from kakure.model.training.folding import fold
from kakure.model.training.trained import Trained
from kakure.model.training.trainer import TOOLS, Trainer
from kakure.search.store.task import Outcome, Task

from .start import CPU, Start
from .threads import one_thread

__all__ = ["Measured", "Tuning", "accuracy_task", "measure", "trainer_at"]

KIND = "phase2.accuracy"
"""Of the evaluations in the store."""


@dataclass(frozen=True)
class Tuning:
    """How a network is fine-tuned at a precision, and judged.

    Attributes
    ----------
    epochs : int
        0 estimates BatchNorm again and leaves the masks alone.
    learning_rate : float
        At the beginning; it falls to 0 along a cosine.
    images : int or None
        Training images of an epoch, drawn once by the seed; all when None.
    held : int or None
        Held-out images that judge, the first of them; all when None.
    """

    epochs: int = 2
    learning_rate: float = 0.05
    images: int | None = None
    held: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 0:
            raise UserError("tuning epochs: must be at least 0", value=self.epochs)
        for name in ("images", "held"):
            value = getattr(self, name)
            if value is not None and value < 2:
                raise UserError(f"tuning {name}: must be at least 2", value=value)


@dataclass(frozen=True)
class Measured:
    """What an evaluation found.

    Attributes
    ----------
    correct, count : int
        Held-out training images that the integer model classifies right, and all of them.
    entropy : float
        Mean cross-entropy of the integer logits.
    epoch : int
        Of the fine-tuning, the last one; 0 is the network before it, BatchNorm estimated again.
    data : bytes
        The parameters' file.
    """

    correct: int
    count: int
    entropy: float
    epoch: int
    data: bytes

    @property
    def accuracy(self) -> float:
        """Fraction that is classified right."""
        return self.correct / self.count

    @classmethod
    def of(cls, outcome: Outcome) -> "Measured":
        """What the store has kept."""
        values = outcome.values
        names = ("correct", "count", "entropy", "epoch")
        return cls(*(values[name] for name in names), data=outcome.data)

    def parameters(self, config: Config) -> Parameters:
        """The integers that were measured."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "measured.safetensors")
            path.write_bytes(self.data)
            return load_parameters(path, config)


def trainer_at(config: Config, start: Start, tuning: Tuning, seed: int) -> Trainer:
    """A training of ``config`` that begins with the start's scores and BatchNorms."""
    recipe = replace(start.recipe, epochs=max(1, tuning.epochs), learning_rate=tuning.learning_rate)
    trainer = Trainer(config, start.images, recipe, seed=seed, device=CPU)
    trainer.begin(start.tensors)
    if tuning.images is not None:
        order = torch.randperm(len(trainer.labels), generator=trainer.generator)
        index = order[: tuning.images]
        trainer.images, trainer.labels = trainer.images[index], trainer.labels[index]
    if tuning.held is not None:
        # Every n-th, as held-out images are in the order of the file.
        step = max(1, len(trainer.held_labels) // tuning.held)
        index = torch.arange(0, len(trainer.held_labels), step)[: tuning.held]
        trainer.held_images = trainer.held_images[index]
        trainer.held_labels = trainer.held_labels[index]
    return trainer


def measure(config: Config, start: Start, tuning: Tuning, *, seed: int) -> Measured:
    """Fine-tune a network at another precision, and judge it as integers.

    Before the fine-tuning, BatchNorm is estimated again unless the precision is the start's. The
    fine-tuned network, that of the last epoch, is kept if it has more held-out images right than
    the one before it, which differs less from the start; no other epoch is looked at, as the
    luckiest of many is no better than the others on other images. The same arguments give the same
    outcome on the same machine, whatever else runs.

    Parameters
    ----------
    config : Config
        The start's but for ``input_bits`` and ``adc_bits``.
    start : Start
    tuning : Tuning
    seed : int
        Of the order and the variation of the images.
    """
    with one_thread():
        trainer = trainer_at(config, start, tuning, seed)
        if config.layers != start.config.layers:
            trainer.reestimate()
        trainer.judged.eval()
        correct, entropy = trainer.validate()
        best = Trained(fold(trainer.judged), 0, correct, len(trainer.held_labels), entropy)
        if tuning.epochs:
            with tqdm(disable=True) as bar:
                for _ in range(tuning.epochs):
                    trainer.descend(bar)
            trainer.reestimate()
            correct, entropy = trainer.validate()
            if correct > best.correct:
                best = Trained(fold(trainer.judged), tuning.epochs, correct, best.count, entropy)
    metadata = {
        "start": start.digest,
        "tuning": json.dumps(asdict(tuning), sort_keys=True),
        "seed": str(seed),
        "sources": sources("kakure.model.training.trainer"),
        "tools": json.dumps(tools(*TOOLS), sort_keys=True),
        "validation": f"{best.correct} of {best.count}",
    }
    parameters = replace(best.parameters, metadata={**best.parameters.metadata, **metadata})
    return Measured(best.correct, best.count, best.loss, best.epoch, _file(config, parameters))


def _file(config: Config, parameters: Parameters) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "measured.safetensors")
        save_parameters(path, config, parameters)
        return path.read_bytes()


def accuracy_task(config: Config, start: Start, tuning: Tuning, *, seed: int) -> Task:
    """The same as an evaluation for the store; its ``seconds`` are of the processor."""
    network = config.model_dump(mode="json", exclude={"name", "parameters"})
    for layer in network["layers"]:  # these change the time that a layer takes, and no result
        for name in ("adc_type", "column_sharing", "copies"):
            del layer[name]
    arguments = {
        "config": network,
        "start": start.digest,
        "recipe": asdict(start.recipe),
        "tuning": asdict(tuning),
        "seed": seed,
    }
    function = partial(_evaluate, _Whole(config, start, tuning, seed))
    return Task(KIND, function, arguments, (__name__,), TOOLS)


@dataclass(frozen=True)
class _Whole:
    config: Config
    start: Start
    tuning: Tuning
    seed: int


def _evaluate(whole: _Whole, /, **_: Mapping[str, Any]) -> Outcome:
    """What runs in a worker; the arguments beside ``whole`` name it in the store."""
    begin = time.process_time()
    found = measure(whole.config, whole.start, whole.tuning, seed=whole.seed)
    values = {
        "correct": found.correct,
        "count": found.count,
        "entropy": found.entropy,
        "epoch": found.epoch,
        "seconds": time.process_time() - begin,
    }
    return Outcome(values, found.data)
