"""Distillation: a student learns what a trained network says, softened, instead of the labels."""

import numpy as np
import torch
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.training.logits import integer_logits
from kakure.model.training.network import as_tensor

from .student import Family, Floats, Predictor

__all__ = ["accuracy", "distil", "pixels", "soft_targets", "teacher_logits"]


def pixels(images: NDArray[np.uint8]) -> Floats:
    """Images (n, height, width, channels) as a student sees them: (n, features), 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def teacher_logits(config: Config, parameters: Parameters, images: NDArray[np.uint8]) -> Floats:
    """Logits of a trained network, (n, classes): those of the integer model, as real numbers.

    Parameters
    ----------
    parameters : Parameters
        As :func:`kakure.model.training.train.train` makes them: ``logit_shift`` is their scale.
    """
    logits = integer_logits(config, parameters, as_tensor(images))
    return logits.to(torch.float64).numpy() / 2.0 ** int(parameters.metadata["logit_shift"])


def soft_targets(logits: Floats, temperature: float) -> Floats:
    """Softmax of the logits divided by ``temperature``, (n, classes).

    Raises
    ------
    UserError
        If the temperature is not above 0.
    """
    if not temperature > 0:
        raise UserError("must be above 0", where=("temperature",), value=temperature)
    scaled = (logits - logits.max(1, keepdims=True)) / temperature
    powers = np.exp(scaled)
    return powers / powers.sum(1, keepdims=True)


def distil(
    family: Family,
    x: Floats,
    logits: Floats,
    *,
    temperature: float,
    setting: float,
    seed: int,
) -> Predictor:
    """A student that is fitted to what the teacher says of each input.

    Parameters
    ----------
    family : Family
    x : array, (n, features)
        Also of images without a label: the teacher gives the targets.
    logits : array, (n, classes)
        The teacher's.
    temperature : float, above 0
        Above 1 the classes that the teacher thinks less likely count more.
    setting : float
        The family's hyper-parameter.
    seed : int

    Raises
    ------
    UserError
        If inputs and logits are not equally many, or the temperature is not above 0.

    Source
    ------
    Soft targets: Hinton, Vinyals, Dean, arXiv:1503.02531. Students without neurons: Fukui et al.,
    APSIPA 2019.
    """
    if len(x) != len(logits):
        raise UserError(
            f"must be {len(x)}, one for each input", where=("logits",), value=len(logits)
        )
    return family.regress(x, soft_targets(logits, temperature), setting, seed)


def accuracy(student: Predictor, data: LabelledImages) -> float:
    """Share of the images whose largest score is that of the label."""
    return float((student(pixels(data.images)).argmax(1) == data.labels).mean())
