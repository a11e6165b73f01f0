"""``--planes``: how many planes of bitwise weights are used."""

from kakure.model.config.config import Config
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.errors import UserError

__all__ = ["check_planes"]


def check_planes(config: Config, planes: int) -> None:
    """See that a configuration's weights have so many planes; UserError if not."""
    if not isinstance(config.weights, BitwiseWeights):
        kind = config.weights.kind
        raise UserError(
            f"must be left out with {kind} weights, which have none",
            where=("--planes",),
            value=planes,
        )
    if planes > config.weights.bits:
        raise UserError(
            f"must be at most {config.weights.bits} with these weights",
            where=("--planes",),
            value=planes,
        )
