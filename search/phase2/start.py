"""The network that phase 2 starts from: trained at one precision, to be fine-tuned at others."""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from torch import Tensor

from kakure.model.config.config import Config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.files.seal import read_sealed
from kakure.model.training.recipe import Recipe
from kakure.model.training.train import train

from .parts import Part, without
from .threads import one_thread

__all__ = ["CPU", "Start", "train_start"]

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Start:
    """A trained network that can be trained on: not its integers but its scores and BatchNorms.

    Attributes
    ----------
    config : Config
        At the precision that it was trained for.
    folder : Path
        Where the configuration lies: a ``dataset`` that is a folder is relative to it.
    recipe : Recipe
        That it was trained by; says which training images were held out.
    state : bytes
        ``torch.save`` of the network's state.
    part : Part or None
        Training images that it has never seen; None if it was trained with all.
    """

    config: Config
    folder: Path
    recipe: Recipe
    state: bytes
    part: Part | None = None

    @classmethod
    def of_checkpoint(
        cls, path: Path, config: Config, folder: Path, recipe: Recipe, part: Part | None = None
    ) -> "Start":
        """The best epoch of a training that was kept in ``path``; UserError if it is none."""
        try:
            checkpoint = torch.load(
                io.BytesIO(read_sealed(path)), map_location=CPU, weights_only=True
            )
            digest, state = checkpoint["options"]["digest"], checkpoint["best"]["state"]
        except Exception as error:  # torch raises whatever the damage leads to
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"is no checkpoint of a training: {reason}", file=path) from None
        if digest != config.digest:
            raise UserError(
                f"must be of the configuration {config.digest[:12]}", value=digest[:12], file=path
            )
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return cls(config, folder, recipe, buffer.getvalue(), part)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The network's state."""
        return torch.load(io.BytesIO(self.state), map_location=CPU, weights_only=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the state's numbers and of the training images."""
        data = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            data.update(name.encode())
            data.update(tensor.contiguous().numpy().tobytes())
        images = self.images
        data.update(images.images.tobytes())
        data.update(images.labels.tobytes())
        return data.hexdigest()

    @property
    def images(self) -> LabelledImages:
        """The training images but for its part, the held-out ones among them."""
        return without(self.part, self.all_images, self.recipe)

    @property
    def part_images(self) -> LabelledImages:
        """Its part, which it has never seen."""
        assert self.part is not None
        return self.part.images(self.all_images, self.recipe)

    @property
    def all_images(self) -> LabelledImages:
        """All training images."""
        return _images(json.dumps(self.config.model_dump(mode="json")), str(self.folder))


@lru_cache(maxsize=1)
def _images(config: str, folder: str) -> LabelledImages:
    return load_images(parse_config(config), Path(folder), "train")


def train_start(
    config: Config,
    folder: Path,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Path,
    part: Part | None = None,
    progress: bool = False,
) -> Start:
    """Train a network, a part of the images kept from it.

    Goes on where ``checkpoint`` stopped, and returns at once if it is done.
    """
    with one_thread():
        data = without(part, load_images(config, folder, "train"), recipe)
        train(config, data, recipe, seed=seed, device=CPU, checkpoint=checkpoint, progress=progress)
    return Start.of_checkpoint(checkpoint, config, folder, recipe, part)
