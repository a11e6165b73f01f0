"""Where the parameters of a configuration lie."""

from pathlib import Path

from kakure.model.config.config import Config
from kakure.model.errors import UserError

__all__ = ["parameters_path"]


def parameters_path(path: Path, config: Config, output: Path | None = None) -> Path:
    """Where the parameters of the configuration in ``path`` lie, or ``output`` if that is given."""
    if output is not None:
        return output
    if config.parameters is None:
        raise UserError("is required here, as a file name", where=("parameters",), file=path)
    return path.parent / config.parameters
