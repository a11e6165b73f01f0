"""A training from beginning to end, or from where it was interrupted."""

import sys
from pathlib import Path

import torch
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import Damaged

from .memory import keep_memory
from .recipe import Recipe
from .teacher import Teacher
from .trained import Trained
from .trainer import Trainer

__all__ = ["run", "train"]


def train(
    config: Config,
    data: LabelledImages,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    teacher: Teacher | None = None,
    checkpoint: Path | None = None,
    fresh: bool = False,
    progress: bool = False,
) -> Trained:
    """Train a network and return its best epoch as integers.

    Parameters
    ----------
    config : Config
    data : LabelledImages
        Training images, from which the validation images are taken.
    recipe : Recipe
    seed : int
    device : torch.device
    teacher : Teacher, optional
        Whose logits the network follows, as far as ``recipe.distillation`` says.
    checkpoint : Path, optional
        Where the run is kept after every epoch, and found again when it was interrupted. One that
        is damaged is named on stderr, and the run starts anew.
    fresh : bool
        Whether an interrupted run is forgotten.
    progress : bool
        Whether a progress bar is shown.
    """
    trainer = Trainer(config, data, recipe, seed=seed, device=device, teacher=teacher)
    run(trainer, checkpoint, fresh=fresh, progress=progress)
    return trainer.result()


def run(
    trainer: Trainer, checkpoint: Path | None, *, fresh: bool = False, progress: bool = False
) -> None:
    """Take a trainer to its last epoch, from the checkpoint if there is one; as :func:`train`."""
    if checkpoint is not None and checkpoint.exists() and not fresh:
        try:
            trainer.load(checkpoint)
        except Damaged as error:
            print(f"{error}: the training starts anew", file=sys.stderr, flush=True)
    name, recipe = trainer.config.name, trainer.recipe
    if progress and recipe.precision != "float32":
        print(f"train {name}: steps in {trainer.precision}", file=sys.stderr, flush=True)
    if recipe.precision != "float32":
        keep_memory()
    interval = 0.2 if sys.stderr.isatty() else 10.0
    with tqdm(
        total=recipe.epochs * trainer.steps,
        initial=trainer.epoch * trainer.steps,
        desc=f"train {name}",
        unit="step",
        mininterval=interval,
        disable=not progress,
    ) as bar:
        while trainer.epoch < recipe.epochs and not trainer.is_diverged:
            trainer.run_epoch(bar)
            if checkpoint is not None and not trainer.is_diverged:
                trainer.save(checkpoint)
