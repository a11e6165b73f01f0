"""Multicoat weights: several masks over the same signs, which add up."""

from typing import Literal

from pydantic import Field

from .sign_weights import SignWeights

__all__ = ["MulticoatWeights"]


class MulticoatWeights(SignWeights):
    """Weights (m₁ + m₂ + …)·s in {−coats .. coats}: each mask is part of the one before.

    Coat n of N keeps density·(N + 1 − n)/N of the weights. A weight takes ⌈log₂(coats + 1)⌉ bits
    where it is stored, not one. Each coat's sums are read out for themselves, and added.

    Source
    ------
    Okoshi et al., Multicoated Supermasks Enhance Hidden Networks, ICML 2022.
    """

    kind: Literal["multicoat"] = "multicoat"
    coats: int = Field(2, ge=2, le=3)
    """Masks over each other N."""

    @property
    def coat_fractions(self) -> tuple[float, ...]:
        """Expected fraction of the weights in each mask, the largest first."""
        return tuple(self.density * n / self.coats for n in range(self.coats, 0, -1))
