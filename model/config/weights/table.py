"""Every kind of weights, by the name that a configuration gives it."""

from kakure.model.config.kinds import Kinds

from .bitwise import BitwiseWeights
from .hidden import HiddenWeights
from .multicoat import MulticoatWeights
from .weights import Weights

__all__ = ["WEIGHTS"]

WEIGHTS = Kinds[Weights](
    "kind",
    Weights,
    {
        "hidden": HiddenWeights,
        "bitwise": BitwiseWeights,
        "multicoat": MulticoatWeights,
    },
)
"""A kind is a subclass of :class:`.weights.Weights` in this folder, and a line here."""
