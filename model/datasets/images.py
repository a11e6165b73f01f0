"""The images of a configuration: of a data set known by name, or of a folder of files."""

from pathlib import Path

from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .cifar_batches import cifar_folder, is_cifar
from .idx import by, idx_folder, is_idx
from .labelled import LabelledImages, Split
from .table import DATASETS

__all__ = ["LEAST_TRAINING", "load_images"]

LEAST_TRAINING = 3
"""Training images: one is held out, and BatchNorm needs two."""


def load_images(config: Config, folder: Path, split: Split) -> LabelledImages:
    """Images of the configuration's data set.

    Parameters
    ----------
    config : Config
    folder : Path
        Where the configuration lies: a ``dataset`` that is a folder is relative to it.
    split : "train" or "test"

    Raises
    ------
    UserError
        If a file is missing or damaged, or the images do not have the configuration's shape.
    """
    named = DATASETS.get(config.dataset)
    if named is not None:
        data, source = named.load(named.folder, split), named.source
    else:
        path = folder / config.dataset
        read = cifar_folder if is_cifar(path) else idx_folder
        if is_cifar(path) and is_idx(path):
            raise UserError("must hold batches of CIFAR-10 or idx files", value="both", file=path)
        data, source = read(path, split), str(path)
    if data.images.shape[1:] != config.shape:
        raise UserError(
            f"images must be {by(config.shape)} as in the configuration",
            value=by(data.images.shape[1:]),
            file=source,
        )
    if not len(data):
        raise UserError(f"must hold at least one {split} image", value="0", file=source)
    if split == "train" and len(data) < LEAST_TRAINING:
        raise UserError(
            f"must hold at least {LEAST_TRAINING} training images", value=len(data), file=source
        )
    classes = config.layers[-1].channels
    first, last = int(data.labels.min()), int(data.labels.max())
    if last >= classes:
        start = ", for labels start at 0" if first > 0 else ""
        raise UserError(
            f"labels must be below {classes}, the outputs of the last layer{start}",
            value=f"{(f'{first} to ' if start else '')}{last}",
            file=source,
        )
    return data
