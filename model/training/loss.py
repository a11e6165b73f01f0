"""The loss of a training step: labels, a teacher, and precisions that learn from the full one."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from kakure.model.datasets.recipe import Recipe

from .network import Network

__all__ = ["StepLoss"]


class StepLoss:
    """Loss of a network on a batch; all its parts in one sum, divided by the precisions in it.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        Says how labels are smoothed, what share and temperature a teacher has, and how many
        precisions of bitwise weights a step trains.
    generator : torch.Generator
        Draws those precisions.
    teacher : Module, optional
        Images to logits; in training mode, so that its batches are normalized by themselves.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        *,
        generator: torch.Generator,
        teacher: nn.Module | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.generator = generator
        self.teacher = teacher

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Loss of a step [nat].

        Parameters
        ----------
        images : uint8 tensor, (batch, channels, height, width)
        labels : int64 tensor, (batch,)
        """
        self.network.use(self.network.widths)
        logits = self.network(images)
        loss = self._full(images, labels, logits)
        coarser = self.coarser()
        for width in coarser:
            self.network.use(width)
            loss = loss + _divergence(self.network(images), logits.detach())
        return loss / (1 + len(coarser))

    def _full(self, images: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
        """Cross-entropy of the labels, and divergence from what a teacher says."""
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.recipe.smoothing)
        if self.teacher is None:
            return loss
        with torch.no_grad():
            taught = self.teacher(images)
        share, heat = self.recipe.distillation, self.recipe.temperature
        return (1 - share) * loss + share * heat**2 * _divergence(logits, taught, heat)

    def coarser(self) -> list[int]:
        """Precisions that a step trains beside the full one: one bit, and others by lot."""
        count = min(self.recipe.widths, self.network.widths) - 1
        if not count:
            return []
        others = torch.randperm(self.network.widths - 2, generator=self.generator)
        return [1, *(2 + int(n) for n in others[: count - 1])]

    @property
    def untrained(self) -> range:
        """Precisions that no step trains: all but the full one, or but that and one bit."""
        first = min(self.recipe.widths, 3)
        return range(first, self.network.widths) if first < 3 else range(0)


def _divergence(logits: Tensor, taught: Tensor, heat: float = 1.0) -> Tensor:
    """How far an answer is from a teacher's, of which both are divided by ``heat`` [nat]."""
    said, wanted = (functional.log_softmax(x / heat, 1) for x in (logits, taught))
    return functional.kl_div(said, wanted, reduction="batchmean", log_target=True)
