"""Training of a supermask: edge-popup on the hardware's signs, judged by the integer model."""

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.datasets.images import LEAST_TRAINING
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import RIVALS
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import array_digest, sources, tools

from .augment import augment
from .chance import is_at_chance
from .checkpoint import read_checkpoint, write_checkpoint
from .descent import Descent
from .folding import fold
from .logits import integer_logits
from .network import Network, as_tensor
from .precision import pick_precision
from .recipe import Recipe, held_out
from .teacher import Teacher
from .training_set import training_set

__all__ = ["TOOLS", "Trained", "Trainer"]

TOOLS = ("numpy", "torch")
"""Packages whose versions decide what a training gives."""

CHOICE_TOOLS = {"support-vectors": ("scikit-learn",)}
"""Those that decide as well which images are trained with, by how they are chosen."""

HISTORY = ("epoch", "train_loss", "validation_correct", "validation_loss")
"""What is kept of an epoch; as JSON in the parameters' metadata, a list of lists."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """The parameters of the best epoch, and its score on the validation images.

    Attributes
    ----------
    parameters : Parameters
    epoch : int
        From 1; 0, the network before training, where the first epoch diverged.
    correct, count : int
        Validation images that the integer model classifies right, and all of them.
    loss : float
        Mean cross-entropy of the integer logits on the validation images.
    warnings : tuple of str
        What makes the parameters useless, one line each: chance, divergence. Empty if all is well.
    """

    parameters: Parameters
    epoch: int
    correct: int
    count: int
    loss: float
    warnings: tuple[str, ...] = ()


def _divergence(logits: Tensor, taught: Tensor, heat: float = 1.0) -> Tensor:
    """How far an answer is from a teacher's, of which both are divided by ``heat`` [nat]."""
    said, wanted = (functional.log_softmax(x / heat, 1) for x in (logits, taught))
    return functional.kl_div(said, wanted, reduction="batchmean", log_target=True)


class Trainer:
    """One training run; its whole state goes into a checkpoint after every epoch.

    Parameters
    ----------
    config : Config
    data : LabelledImages
        Training images; one of ``recipe.validation`` is held out. Of the others those train that
        ``recipe.keep`` leaves, and what is generated from them.
    recipe : Recipe
    seed : int
        Seed of the first scores, the order of the images and their variations, of their choice and
        their generator.
    device : torch.device
    teacher : Teacher, optional
        Says what the logits should be; its batches are normalized by themselves.
    """

    def __init__(
        self,
        config: Config,
        data: LabelledImages,
        recipe: Recipe,
        *,
        seed: int,
        device: torch.device,
        teacher: Teacher | None = None,
    ) -> None:
        self.config = config
        self.recipe = recipe
        self.teacher = None if teacher is None else teacher.network.to(device).train()
        self.options = {
            **dataclasses.asdict(recipe),
            "seed": seed,
            "digest": config.digest,
            "images": array_digest(data.images, data.labels),
            "sources": sources(__name__),
            "tools": tools(*TOOLS, *CHOICE_TOOLS.get(recipe.select if recipe.keep < 1 else "", ())),
            "teacher": None if teacher is None else teacher.digest,
        }
        dtype, self.precision = pick_precision(recipe.precision, device)
        self.options["format"] = str(dtype)
        self.generator = torch.Generator().manual_seed(seed)
        self.network = Network(config, recipe, generator=self.generator).to(device)
        self.network.compute_in(dtype)
        if len(data) < LEAST_TRAINING:
            raise UserError(
                f"must hold at least {LEAST_TRAINING} images", value=len(data), file=config.dataset
            )
        is_held = held_out(data.labels, recipe)
        held, others = (data.take(np.flatnonzero(mask)) for mask in (is_held, ~is_held))
        self.training_set = training_set(
            others, recipe, classes=config.layers[-1].channels, seed=seed
        )
        self.options["training_set"] = self.training_set.made
        (self.images, self.labels), (self.held_images, self.held_labels) = (
            (as_tensor(part.images).to(device), torch.from_numpy(part.labels).to(device))
            for part in (self.training_set.data, held)
        )
        self.descent = Descent(self.network, recipe)
        self.average: AveragedModel | None = None
        self._average_anew()
        self.epoch = 0
        self.is_diverged = False
        self.untrained = self._state()
        self.best: dict[str, Any] = {}
        self.history: list[dict[str, float]] = []

    def _average_anew(self) -> None:
        if self.recipe.average:
            update = get_ema_multi_avg_fn(self.recipe.average)
            self.average = AveragedModel(self.network, multi_avg_fn=update)

    def begin(self, state: dict[str, Tensor]) -> None:
        """Start from another network's scores and BatchNorms."""
        self.network.load_state_dict(state)
        self._average_anew()

    @property
    def judged(self) -> Network:
        """The network that is judged and exported: the average of many steps, or the last."""
        if self.average is None:
            return self.network
        assert isinstance(self.average.module, Network)
        return self.average.module

    @property
    def steps(self) -> int:
        """Optimizer steps of one epoch; a last batch that is not full is left out."""
        return max(1, len(self.labels) // self.recipe.batch_size)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.labels), generator=self.generator)
        order = order.to(self.labels.device)
        halves = self._halves()
        for step in range(self.steps):
            index = order[step * self.recipe.batch_size : (step + 1) * self.recipe.batch_size]
            turned = None if halves is None else halves[index]
            images = augment(self.images[index], self.recipe, self.generator, turned=turned)
            yield images, self.labels[index]

    def _halves(self) -> Tensor | None:
        """Which images are mirrored in this epoch: half of them, and the others in the next."""
        if not (self.recipe.mirror and self.recipe.crop):
            return None
        draws = torch.Generator().manual_seed(self.options["seed"])
        halves = torch.rand(len(self.labels), generator=draws) < 0.5
        return (halves if self.epoch % 2 else ~halves).to(self.labels.device)

    def descend(self, bar: tqdm) -> float:
        """Train for one epoch and return its mean loss; BatchNorm's statistics are left behind.

        Where scores, scales or the loss are no finite numbers any more, ``is_diverged`` is set.
        """
        self.network.train()
        self.network.begin_epoch()
        total = self.recipe.epochs * self.steps
        loss_sum = torch.zeros((), device=self.labels.device)
        for step, (images, labels) in enumerate(self._batches(), self.epoch * self.steps):
            loss = self._loss(images, labels)
            self.descent.step(loss, step, total)
            if self.average is not None:
                self.average.update_parameters(self.network)
            loss_sum += loss.detach()
            bar.update()
        self.epoch += 1
        trained = [loss_sum, *(p.detach() for p in self.network.parameters())]
        self.is_diverged = not all(bool(part.isfinite().all()) for part in trained)
        return loss_sum.item() / self.steps

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the labels, and divergence from what a teacher says."""
        self.network.use(self.network.widths)
        logits = self.network(images)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.recipe.smoothing)
        if self.teacher is not None:
            with torch.no_grad():
                taught = self.teacher(images)
            share, heat = self.recipe.distillation, self.recipe.temperature
            loss = (1 - share) * loss + share * heat**2 * _divergence(logits, taught, heat)
        coarser = self._coarser()
        for width in coarser:
            self.network.use(width)
            loss = loss + _divergence(self.network(images), logits.detach())
        return loss / (1 + len(coarser))

    def _coarser(self) -> list[int]:
        """Precisions that a step trains beside the full one: one bit, and others by lot."""
        count = min(self.recipe.widths, self.network.widths) - 1
        if not count:
            return []
        others = torch.randperm(self.network.widths - 2, generator=self.generator)
        return [1, *(2 + int(n) for n in others[: count - 1])]

    @property
    def _untrained_widths(self) -> range:
        """Precisions that no step trains: all but the full one, or but that and one bit."""
        first = min(self.recipe.widths, 3)
        return range(first, self.network.widths) if first < 3 else range(0)

    def reestimate(self) -> None:
        """Estimate BatchNorm's statistics for the masks as they are now."""
        self.judged.share_norms(self._untrained_widths)
        parts = self.images.split(self.recipe.batch_size)[: self.recipe.statistics]
        self.judged.reestimate(part for part in parts if len(part) > 1)

    @property
    def _is_blind(self) -> bool:
        """Whether no image is held out: the last epoch is the best, and only that is judged."""
        return not len(self.held_labels)

    def run_epoch(self, bar: tqdm) -> None:
        """Train for one epoch, then export, and keep the export if it is the best so far.

        Of a training that diverged, the best of the epochs before is what is left.
        """
        train_loss = self.descend(bar)
        if self.is_diverged:
            if not self.best or self._is_blind:
                before = self.best or {"state": self.untrained, "epoch": 0}
                self.begin(before["state"])
                self._keep(before["epoch"], *self._judge())
            return
        is_judged = not self._is_blind or self.epoch == self.recipe.epochs
        correct, held_loss = self._judge() if is_judged else (0, 0.0)
        values = (self.epoch, train_loss, correct, held_loss)
        record: dict[str, float] = dict(zip(HISTORY, values, strict=True))
        self.history.append(record)
        best = (self.best["correct"], -self.best["loss"]) if self.best else None
        if self._is_blind or best is None or (correct, -held_loss) >= best:
            self._keep(self.epoch, correct, held_loss)
        bar.set_postfix_str(
            f"loss {record['train_loss']:.3f}, validation {correct}/{len(self.held_labels)}"
        )

    def _judge(self) -> tuple[int, float]:
        """Score of what would be exported now: right ones, mean cross-entropy."""
        self.reestimate()
        return self.validate()

    def _keep(self, epoch: int, correct: int, loss: float) -> None:
        self.best = {"state": self._state(), "epoch": epoch, "correct": correct, "loss": loss}

    def _state(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.judged.state_dict().items()}

    def validate(self) -> tuple[int, float]:
        """Score of the integer model on the held-out images: right ones, mean cross-entropy."""
        if not len(self.held_labels):
            return 0, 0.0
        if self.recipe.method in RIVALS:
            real = self._rival_logits()
        else:
            parameters = fold(self.judged)
            logits = integer_logits(self.config, parameters, self.held_images)
            real = logits / 2.0 ** int(parameters.metadata["logit_shift"])
        correct = int((real.argmax(1) == self.held_labels).sum())
        return correct, functional.cross_entropy(real, self.held_labels).item()

    @torch.no_grad()
    def _rival_logits(self) -> Tensor:
        """Logits of a network without integers, in float32."""
        network = self.judged.eval()
        dtype = network.layers[0].dtype
        network.compute_in(torch.float32)
        logits = torch.cat([network(part) for part in self.held_images.split(500)])
        network.compute_in(dtype)
        return logits

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all.

        Raises
        ------
        UserError
            If it cannot be written, as on a full disk; the one before stays.
        """
        state = {
            "options": self.options,
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimizers": self.descent.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "generator": self.generator.get_state(),
            "best": self.best,
            "history": self.history,
        }
        write_checkpoint(path, state)

    def load(self, path: Path) -> None:
        """Go on where a checkpoint stopped; Damaged, or UserError if it is of another run."""

        def restore(state: dict[str, Any]) -> None:
            self.network.load_state_dict(state["network"])
            self.descent.load_state_dict(state["optimizers"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.generator.set_state(state["generator"].cpu())
            self.epoch, self.best, self.history = state["epoch"], state["best"], state["history"]

        read_checkpoint(path, self.options, self.labels.device, restore)

    @property
    def made(self) -> dict[str, str]:
        """How the network came to be, for the metadata of a file."""
        return {
            "images": self.options["images"],
            "sources": self.options["sources"],
            "tools": json.dumps(self.options["tools"], sort_keys=True),
            "history": json.dumps([list(record.values()) for record in self.history]),
            **self.training_set.made,
        }

    def result(self) -> Trained:
        """The best epoch so far."""
        self.network.load_state_dict(self.best["state"])
        parameters = fold(self.network)
        return Trained(
            dataclasses.replace(parameters, metadata={**parameters.metadata, **self.made}),
            self.best["epoch"],
            self.best["correct"],
            len(self.held_labels),
            self.best["loss"],
            tuple(self._warnings()),
        )

    def _warnings(self) -> Iterator[str]:
        best, count = self.best, len(self.held_labels)
        losses = [record["train_loss"] for record in self.history] or [math.nan]
        lower = f"try a learning rate below {self.recipe.learning_rate:g}"
        if self.is_diverged:
            yield f"diverged in epoch {self.epoch}; epoch {best['epoch']} is kept; {lower}"
        elif losses[-1] > max(losses[0], math.log(self.config.layers[-1].channels)):
            yield (
                f"diverged: the loss rose from {losses[0]:.4g} in the first epoch to "
                f"{losses[-1]:.4g} in the last; {lower}"
            )
        if not math.isfinite(best["loss"]):
            yield f"the loss on the validation images is {best['loss']}"
        if count and is_at_chance(
            best["correct"], self.held_labels.cpu().numpy(), tries=max(1, len(self.history))
        ):
            yield (
                f"at chance: {best['correct']} of {count} validation images right cannot be told "
                "from guessing"
            )
