"""How good a network may become, judged before its training, or after a short one.

Parameter count and MACs always stand beside any other score: on the small networks measured so far
the number of parameters ranks accuracies better than NASWOT does (docs/search.md).
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.training.network import Network, as_tensor
from kakure.model.training.recipe import Recipe, recipe_for
from kakure.model.training.train import train
from kakure.search.store.task import Outcome

__all__ = [
    "Naswot",
    "NetworkScore",
    "Score",
    "ShortTraining",
    "judge",
    "log_macs",
    "log_parameters",
    "naswot",
    "score_network",
    "without_readout",
]


class NetworkScore(Protocol):
    """A way to judge a network: more is better."""

    name: str

    def __call__(self, config: Config) -> float:
        """The score of a configuration's network."""
        ...


@dataclass(frozen=True)
class Score:
    """A network's score, with the two baselines that it has to beat.

    Attributes
    ----------
    name : str
        Of the way to judge.
    value, log_parameters, log_macs : float
        More is better; the baselines are natural logarithms.
    """

    name: str
    value: float
    log_parameters: float
    log_macs: float


def judge(config: Config, score: NetworkScore) -> Score:
    """Score a network, with the baselines beside."""
    return Score(score.name, score(config), log_parameters(config), log_macs(config))


def log_parameters(config: Config) -> float:
    """ln of the number of weights."""
    return math.log(sum(geometry.weights for geometry in config.geometry))


def log_macs(config: Config) -> float:
    """ln of the multiply-accumulates of one image."""
    return math.log(sum(g.positions * g.weights for g in config.geometry))


def without_readout(config: Config) -> Config:
    """The same network with readouts that lose nothing: scores of networks, not of precisions."""
    lossless = config.crossbar.rows.bit_length()
    data = config.model_dump()
    for layer in data["layers"]:
        if layer["engine"] == "crossbar":
            layer |= {"adc_bits": lossless, "adc_shift": 0}
    return Config.model_validate(data)


@dataclass
class Naswot:
    """NASWOT on images of the data set, without training; the mean over several first scores.

    Attributes
    ----------
    images : LabelledImages
        Training images; the first ``batch`` of them are used.
    batch : int
        Scores of different batch sizes cannot be compared.
    seeds : tuple of int
    """

    images: LabelledImages
    batch: int = 64
    seeds: tuple[int, ...] = (1, 2, 3)
    name: str = "naswot"

    def __call__(self, config: Config) -> float:
        """The score of a configuration's network, its readouts made lossless."""
        if len(self.images) < self.batch:
            raise UserError(
                f"must hold at least {self.batch} images to score networks",
                value=len(self.images),
                file=config.dataset,
            )
        batch = as_tensor(self.images.images[: self.batch])
        config = without_readout(config)
        return sum(naswot(config, batch, seed=seed) for seed in self.seeds) / len(self.seeds)


@torch.no_grad()
def naswot(config: Config, images: Tensor, *, seed: int) -> float:
    """ln |det K| of the kernel of activation patterns of an untrained network.

    With c the pattern (activation code > 0) of one layer for each image, (n, activations),
    K = Σ c·cᵀ + (1 − c)·(1 − c)ᵀ over all layers but the last, whose outputs are no activations.
    K counts, for each pair of images, the activations in which they agree. BatchNorm takes the
    statistics of the batch. −inf where two images have the same patterns.

    Parameters
    ----------
    config : Config
        With hidden weights.
    images : Tensor, uint8, (n, channels, height, width)
    seed : int
        Of the first scores, and so of the masks.

    Source
    ------
    Mellor et al., Neural Architecture Search without Training, ICML 2021, arXiv:2006.04647.
    """
    network = Network(config, generator=torch.Generator().manual_seed(seed))
    network.train()
    n = len(images)
    kernel = torch.zeros(n, n, dtype=torch.float64)

    def count(module: torch.nn.Module, inputs: tuple[Tensor, ...], codes: Tensor) -> None:
        c = (codes > 0).reshape(n, -1).float()  # (n, activations)
        kernel.add_((c @ c.T + (1 - c) @ (1 - c).T).double())

    for layer in network.layers[:-1]:
        layer.register_forward_hook(count)
    network(images)
    return float(torch.linalg.slogdet(kernel).logabsdet)


@dataclass
class ShortTraining:
    """Accuracy of the integer model on held-out training images after a few epochs.

    Attributes
    ----------
    images : LabelledImages
        Training images.
    epochs : int
        In place of the recipe's.
    seed : int
    device : torch.device
    """

    images: LabelledImages
    epochs: int = 3
    seed: int = 1
    device: torch.device = dataclasses.field(default_factory=lambda: torch.device("cpu"))
    name: str = "short training"

    def __call__(self, config: Config) -> float:
        """The fraction of the held-out images that is classified right."""
        recipe: Recipe = dataclasses.replace(recipe_for(config.dataset), epochs=self.epochs)
        trained = train(config, self.images, recipe, seed=self.seed, device=self.device)
        return trained.correct / trained.count


@dataclass
class _Size:
    """The number of parameters itself as a score."""

    value: float
    name: str = "parameters"

    def __call__(self, config: Config) -> float:
        return self.value


def score_network(
    network: Config, folder: Path, /, *, score: str, epochs: int, seed: int, **_: Any
) -> Outcome:
    """Score a network as an evaluation for a store; with ln parameters and ln MACs beside.

    Parameters
    ----------
    folder : Path
        That a ``dataset`` that is a folder is relative to.
    score : "training", "naswot" or "parameters"
    """
    torch.set_num_threads(1)
    images = load_images(network, folder, "train")
    way: NetworkScore
    if score == "training":
        way = ShortTraining(images, epochs, seed)
    elif score == "naswot":
        way = Naswot(images, seeds=(seed, seed + 1, seed + 2))
    else:
        way = _Size(log_parameters(network))
    return Outcome(dataclasses.asdict(judge(network, way)))
