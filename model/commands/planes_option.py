"""``--planes``: how many planes of bitwise weights are used."""

from pathlib import Path

from kakure.model.config.config import Config
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.errors import UserError

__all__ = ["check_has_planes", "check_planes"]


def check_has_planes(config: Config, file: Path) -> None:
    """See that a configuration has weights of more than one plane; UserError if not."""
    if not isinstance(config.weights, BitwiseWeights) or config.weights.bits < 2:
        raise UserError(
            "must be bitwise with at least 2 bits",
            where=("weights",),
            value=config.weights.model_dump(mode="json"),
            file=file,
        )


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
