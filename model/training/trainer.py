"""Training of a supermask: edge-popup on the hardware's signs, judged by the integer model."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.datasets.images import LEAST_TRAINING
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.provenance import array_digest, sources, tools

from .batches import batches, mirrored, steps
from .checkpoint import read_checkpoint, write_checkpoint
from .descent import Descent
from .folding import fold
from .judging import judge
from .loss import StepLoss
from .network import Network, as_tensor
from .precision import pick_precision
from .recipe import Recipe, held_out
from .teacher import Teacher
from .trained import Trained, warnings_of
from .training_set import training_set

__all__ = ["TOOLS", "Trainer"]

TOOLS = ("numpy", "torch")
"""Packages whose versions decide what a training gives."""

CHOICE_TOOLS = {"support-vectors": ("scikit-learn",)}
"""Those that decide as well which images are trained with, by how they are chosen."""

HISTORY = ("epoch", "train_loss", "validation_correct", "validation_loss")
"""What is kept of an epoch; as JSON in the parameters' metadata, a list of lists."""


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
        self.loss = StepLoss(
            self.network,
            recipe,
            generator=self.generator,
            teacher=None if teacher is None else teacher.network.to(device).train(),
        )
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
        """Optimizer steps of one epoch."""
        return steps(len(self.labels), self.recipe)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        device = self.labels.device
        turned = mirrored(len(self.labels), self.epoch, self.recipe, seed=self.options["seed"])
        turned = None if turned is None else turned.to(device)
        return batches(self.images, self.labels, self.recipe, self.generator, turned=turned)

    def descend(self, bar: tqdm) -> float:
        """Train for one epoch and return its mean loss; BatchNorm's statistics are left behind.

        Where scores, scales or the loss are no finite numbers any more, ``is_diverged`` is set.
        """
        self.network.train()
        self.network.begin_epoch()
        total = self.recipe.epochs * self.steps
        loss_sum = torch.zeros((), device=self.labels.device)
        for step, (images, labels) in enumerate(self._batches(), self.epoch * self.steps):
            loss = self.loss(images, labels)
            self.descent.step(loss, step, total)
            if self.average is not None:
                self.average.update_parameters(self.network)
            loss_sum += loss.detach()
            bar.update()
        self.epoch += 1
        trained = [loss_sum, *(p.detach() for p in self.network.parameters())]
        self.is_diverged = not all(bool(part.isfinite().all()) for part in trained)
        return loss_sum.item() / self.steps

    def reestimate(self) -> None:
        """Estimate BatchNorm's statistics for the masks as they are now, at all precisions."""
        self._reestimate(self.judged, range(1, self.network.widths + 1))

    def _reestimate(self, network: Network, widths: Sequence[int]) -> None:
        network.share_norms(self.loss.untrained)
        parts = self.images.split(self.recipe.batch_size)[: self.recipe.statistics]
        network.reestimate((part for part in parts if len(part) > 1), widths)

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
        """Score of what would be exported now: right ones, mean cross-entropy.

        Of precisions only the full one is judged; :meth:`result` estimates those below it.
        """
        self._reestimate(self.judged, [self.network.widths])
        self.judged.cut_statistics()
        return self.validate()

    def _keep(self, epoch: int, correct: int, loss: float) -> None:
        self.best = {"state": self._state(), "epoch": epoch, "correct": correct, "loss": loss}

    def _state(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.judged.state_dict().items()}

    def validate(self) -> tuple[int, float]:
        """Score of the integer model on the held-out images: right ones, mean cross-entropy."""
        return judge(self.judged, self.recipe, self.held_images, self.held_labels)

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
        correct, loss = self.best["correct"], self.best["loss"]
        if self.network.widths > 1:
            self._reestimate(self.network, range(1, self.network.widths))
            # One scale for the logits of all precisions: they may round otherwise now.
            correct, loss = judge(self.network, self.recipe, self.held_images, self.held_labels)
        folded = fold(self.network)
        parameters = dataclasses.replace(folded, metadata={**folded.metadata, **self.made})
        warnings, count = self.warnings(correct, loss), len(self.held_labels)
        return Trained(parameters, self.best["epoch"], correct, count, loss, warnings)

    def warnings(self, correct: int, loss: float) -> tuple[str, ...]:
        """What makes the best epoch so far useless, which has that score."""
        found = warnings_of(
            epoch=self.best["epoch"],
            correct=correct,
            loss=loss,
            losses=[record["train_loss"] for record in self.history],
            labels=self.held_labels.cpu().numpy(),
            classes=self.config.layers[-1].channels,
            learning_rate=self.recipe.learning_rate,
            diverged_in=self.epoch if self.is_diverged else None,
            is_taught=self.loss.teacher is not None,
        )
        return tuple(found)
