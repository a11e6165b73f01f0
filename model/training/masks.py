"""What of a layer's hidden weights is trained: which of the signs survive, and by what rule."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError

from .trained_weights import TrainedWeights

__all__ = ["AgreeingWeights", "KeptSigns", "MaskedWeights", "RivalWeights", "largest"]


class Largest(torch.autograd.Function):
    """Of how many masks an element is; the gradient passes straight through."""

    @staticmethod
    def forward(ctx, scores: Tensor, count: int, *inner: int) -> Tensor:
        kept = scores.flatten().topk(count, sorted=bool(inner)).indices
        mask = torch.zeros_like(scores).view(-1)
        mask.index_fill_(0, kept, 1.0)
        for fewer in inner:
            mask[kept[:fewer]] += 1
        return mask.view_as(scores)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return grads[0], *[None] * (len(ctx.needs_input_grad) - 1)


def largest(scores: Tensor, count: int, *inner: int) -> Tensor:
    """1 at the ``count`` largest elements of ``scores``, else 0; straight-through.

    One more at the largest of them, as many as each of ``inner`` says.
    """
    return Largest.apply(scores, count, *inner)


class Above(torch.autograd.Function):
    """Signs where their scores are at least a threshold, else 0; straight-through to values.

    With several thresholds the sum of that.
    """

    @staticmethod
    def forward(ctx, values: Tensor, signs: Tensor, *thresholds: float) -> Tensor:
        ranks = values * signs
        first, *inner = (ranks >= threshold for threshold in thresholds)
        return signs * (sum(inner, start=first.to(signs.dtype)) if inner else first)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return grads[0].float(), *[None] * (len(ctx.needs_input_grad) - 1)


class KeptSigns(TrainedWeights):
    """Weights m·s of one layer: fixed signs s, and m = 1 where :meth:`ranks` are largest.

    Of multicoat weights m is 2 or 3 where they are largest of all.

    Parameters
    ----------
    geometry : LayerGeometry
    signs : Tensor, (fan_in, outputs)
        −1 or +1.
    kept : int, at least 1
        How many weights survive.
    inner : tuple of int
        How many each further coat keeps.
    """

    signs: Tensor
    """(outputs, ky·kx·in)"""

    EVERY = 8
    """Steps of :meth:`kernel` for which a threshold stands."""

    def __init__(
        self, geometry: LayerGeometry, signs: Tensor, *, kept: int, inner: tuple[int, ...] = ()
    ) -> None:
        super().__init__(geometry)
        self.kept = kept
        self.inner = inner
        self.coats = 1 + len(inner)
        self.register_buffer("signs", self.inside(signs.float()), persistent=False)
        self.calls = 0
        self.thresholds = (0.0,)

    @abstractmethod
    def ranks(self) -> Tensor:
        """What the mask keeps the largest of, (outputs, ky·kx·in)."""

    @property
    def mask(self) -> Tensor:
        """The supermask, bool, (fan_in, outputs)."""
        return self.masks[0]

    @property
    def masks(self) -> list[Tensor]:
        """The mask of each coat, bool, (fan_in, outputs)."""
        counts = self.outside(self._largest(self.ranks().detach()))
        return [counts > n for n in range(self.coats)]

    def _largest(self, ranks: Tensor) -> Tensor:
        """Of how many coats a weight is."""
        return largest(ranks, self.kept, *self.inner)

    def _exact(self) -> Tensor:
        """Exactly ``kept`` others than 0."""
        return self.signs * self._largest(self.ranks())

    def _fast(self, dtype: torch.dtype) -> Tensor:
        """About ``kept`` survive: the threshold is that of one of the last :attr:`EVERY` steps."""
        if self.calls % self.EVERY == 0:
            self.thresholds = self._thresholds()
        self.calls += 1
        return self._above(dtype)

    def begin_epoch(self) -> None:
        """Take the next threshold anew."""
        self.calls = 0

    def _thresholds(self) -> tuple[float, ...]:
        """The smallest rank that survives, of each coat."""
        ranks = self.ranks().detach().flatten()
        counts = (self.kept, *self.inner)
        return tuple(float(ranks.kthvalue(ranks.numel() - n + 1).values) for n in counts)

    @abstractmethod
    def _above(self, dtype: torch.dtype) -> Tensor:
        """Weights where ranks are at least the thresholds, (outputs, ky·kx·in)."""


class MaskedWeights(KeptSigns):
    """Edge-popup: scores are drawn uniformly within ±1/√fan_in, and ranked by magnitude.

    Parameters
    ----------
    generator : torch.Generator
        Draws the first scores.
    normal : bool
        Whether they are drawn as weights are, from a normal distribution (biprop's start).

    Source
    ------
    Ramanujan et al., CVPR 2020, arXiv:1911.13299 (edge-popup). Diffenderfer & Kailkhura, ICLR
    2021, arXiv:2103.09377 (biprop).
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        signs: Tensor,
        *,
        kept: int,
        inner: tuple[int, ...] = (),
        generator: torch.Generator,
        normal: bool = False,
    ) -> None:
        super().__init__(geometry, signs, kept=kept, inner=inner)
        bound = signs.shape[0] ** -0.5
        scores = torch.empty(signs.shape)
        if normal:
            scores.normal_(0, bound, generator=generator)
        else:
            scores.uniform_(-bound, bound, generator=generator)
        self.scores = nn.Parameter(self.inside(scores))

    def ranks(self) -> Tensor:
        # The gradient must pass through |s|: ranking |s| but updating s trains backwards for s < 0.
        return self.scores.abs()

    def _above(self, dtype: torch.dtype) -> Tensor:
        magnitude = self.scores.abs()
        ones = torch.ones((), dtype=dtype, device=magnitude.device)
        return Above.apply(magnitude, ones, *self.thresholds) * self.signs.to(dtype)


class AgreeingWeights(KeptSigns):
    """Latent weights v, begun as s·|N(0, 1)|, kept where v·s is largest: where they agree with s.

    The gradient of a weight goes straight to its latent weight, kept or not.

    Parameters
    ----------
    generator : torch.Generator
        Draws the first magnitudes.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        signs: Tensor,
        *,
        kept: int,
        inner: tuple[int, ...] = (),
        generator: torch.Generator,
    ) -> None:
        super().__init__(geometry, signs, kept=kept, inner=inner)
        magnitudes = torch.empty(signs.shape).normal_(generator=generator).abs()
        self.scores = nn.Parameter(self.inside(signs.float() * magnitudes))

    def ranks(self) -> Tensor:
        return self.scores * self.signs

    def _exact(self) -> Tensor:
        ranks = self.ranks().detach()
        least = ranks.flatten().topk(self.kept, sorted=False).values.min()
        if self.inner or int((ranks >= least).sum()) != self.kept:  # or equals at the end
            kept = self.signs * self._largest(ranks)
            return kept + (self.scores - self.scores.detach())  # in this order exact
        return Above.apply(self.scores, self.signs, float(least))

    def _above(self, dtype: torch.dtype) -> Tensor:
        return Above.apply(self.scores, self.signs.to(dtype), *self.thresholds)


class Sign(torch.autograd.Function):
    """−1 or +1; straight-through."""

    @staticmethod
    def forward(ctx, values: Tensor, dtype: torch.dtype) -> Tensor:
        return torch.where(values < 0, -1.0, 1.0).to(dtype)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0].float(), None


class RivalWeights(TrainedWeights):
    """Latent weights that no supermask hides: their signs, or themselves.

    Begun as weights are, from a normal distribution of variance 2 / fan_in. They have no mask, and
    no hardware of hidden weights computes with them.

    Parameters
    ----------
    is_binary : bool
        Whether their signs count.
    generator : torch.Generator
        Draws the first weights.
    """

    def __init__(
        self, geometry: LayerGeometry, *, is_binary: bool, generator: torch.Generator
    ) -> None:
        super().__init__(geometry)
        self.is_binary = is_binary
        deviation = 1.0 if is_binary else (2 / geometry.fan_in) ** 0.5
        drawn = torch.empty(geometry.fan_in, geometry.outputs)
        drawn.normal_(0, deviation, generator=generator)
        self.scores = nn.Parameter(self.inside(drawn))

    @property
    def masks(self) -> list[Tensor]:
        """None that could be exported."""
        raise UserError("must be one that finds a supermask to be exported", where=("method",))

    def _exact(self) -> Tensor:
        return self._fast(torch.float32)

    def _fast(self, dtype: torch.dtype) -> Tensor:
        return Sign.apply(self.scores, dtype) if self.is_binary else self.scores.to(dtype)
