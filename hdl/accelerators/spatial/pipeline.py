"""Which networks a pipeline can run: every layer reads what the one before it writes."""

from kakure.model.config.config import Config
from kakure.model.errors import UserError

__all__ = ["check_pipeline"]

ADVICE = "no map is kept for a later layer; train and evaluate take the network"


def check_pipeline(config: Config, what: str = "a spatial accelerator") -> None:
    """See that the layers are a chain, with shortcuts over no more than one.

    Parameters
    ----------
    config : Config
    what : str
        Whose rule it is.

    Raises
    ------
    UserError
        If a layer reads or adds a map that its predecessor did not write.
    """
    for index, layer in enumerate(config.layers):
        if layer.reads != 1:
            raise UserError(
                f"must be 1 in {what}",
                where=("layers", index, "reads"),
                value=layer.reads,
                advice=ADVICE,
            )
        if not isinstance(layer.residual, bool):
            raise UserError(
                f"must be true or false in {what}",
                where=("layers", index, "residual"),
                value=layer.residual,
                advice=ADVICE,
            )
