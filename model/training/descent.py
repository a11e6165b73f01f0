"""The optimizers of a training, and how their rates run."""

import math
from typing import Any

import torch

from kakure.model.datasets.recipe import Recipe

from .network import Network

__all__ = ["Descent"]

NEWTON_SCHULZ_STEPS = 3
"""Of Muon: enough for directions of mixed quality, at a few percent of a step."""

MUON_MOMENTUM = 0.9

MUON_UNIT = 0.2
"""Root mean square of Muon's update at a rate of 1, matched to Adam's."""


class Descent:
    """Optimizers of a network's scores and of its BatchNorms, stepped together.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        self.recipe = recipe
        scores = [layer.weights.scores for layer in network.layers]
        norms = [p for layer in network.layers for norm in layer.norms for p in norm.parameters()]
        self.parts: list[tuple[torch.optim.Optimizer, float]] = []
        groups: list[dict[str, Any]] = []
        if recipe.optimizer == "muon":
            muon = torch.optim.Muon(
                scores,
                lr=recipe.learning_rate,
                weight_decay=recipe.weight_decay,
                momentum=MUON_MOMENTUM,
                ns_steps=NEWTON_SCHULZ_STEPS,
                adjust_lr_fn="match_rms_adamw",
            )
            self.parts.append((muon, recipe.learning_rate / MUON_UNIT))
        else:
            groups.append({"params": scores, "weight_decay": recipe.weight_decay})
        if recipe.norm_rate:
            adam = torch.optim.Adam(norms, lr=recipe.norm_rate)
            self.parts.append((adam, recipe.norm_rate))
        else:
            groups.append({"params": norms, "weight_decay": 0.0})
        if groups:
            sgd = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
            self.parts.append((sgd, recipe.learning_rate))

    def factor(self, fraction: float) -> float:
        """What the rates are multiplied by after a fraction of all steps."""
        rest = fraction
        if self.recipe.warm_up:
            if fraction < self.recipe.warm_up:
                return fraction / self.recipe.warm_up
            rest = (fraction - self.recipe.warm_up) / (1 - self.recipe.warm_up)
        if self.recipe.optimizer == "muon":
            return 1 - rest
        return 0.5 * (1 + math.cos(math.pi * rest))

    def step(self, loss: torch.Tensor, step: int, total: int) -> None:
        """One step down the gradient of ``loss``, the ``step``-th of ``total``, from 0."""
        factor = self.factor((step + bool(self.recipe.warm_up)) / total)
        for optimizer, rate in self.parts:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer, _ in self.parts:
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps."""
        return [optimizer.state_dict() for optimizer, _ in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from what a checkpoint kept."""
        for (optimizer, _), state in zip(self.parts, states, strict=True):
            optimizer.load_state_dict(state)
