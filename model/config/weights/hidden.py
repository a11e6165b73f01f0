"""Hidden weights: pseudo-random signs made on chip, of which a trained mask keeps some."""

from typing import Literal, Self

from .sign_weights import SignWeights
from .weights import Weights

__all__ = ["HiddenWeights"]


class HiddenWeights(SignWeights):
    """Weights m·s: signs made on chip, a trained supermask m."""

    kind: Literal["hidden"] = "hidden"

    @classmethod
    def of(cls, weights: Weights) -> Self:
        """The same object, for what is made for hidden weights only and was checked before."""
        assert isinstance(weights, cls), f"weights must be of kind hidden, not {weights.kind}"
        return weights
