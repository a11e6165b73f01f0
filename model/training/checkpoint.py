"""The state of a training in a file: whole, sealed, and of one run only."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import read_sealed, sealed

__all__ = ["read_checkpoint", "write_checkpoint"]

ANEW = "remove it, or train with --fresh, to start over"


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    UserError
        If it cannot be written, as on a full disk; the one before stays.
    """
    data = io.BytesIO()
    torch.save(state, data)
    content = sealed(data.getvalue())
    try:
        try:
            write_atomically(path, content)
        except FileNotFoundError:  # another seed has ended, and removed the folder
            write_atomically(path, content)
    except OSError as error:
        kept = "; the same command goes on after the last epoch" if path.exists() else ""
        raise UserError(f"cannot be written: {error.strerror}{kept}", file=path) from None


def read_checkpoint(
    path: Path,
    options: Mapping[str, Any],
    device: torch.device,
    restore: Callable[[dict[str, Any]], None],
) -> None:
    """Hand the state of a checkpoint to ``restore``.

    Raises
    ------
    Damaged
        If it is not what was written.
    UserError
        If it is of another run, whose ``options`` differ, or does not fit.
    """
    data = io.BytesIO(read_sealed(path))
    try:
        state = torch.load(data, map_location=device, weights_only=True)
        for name, value in options.items():
            if state["options"].get(name) != value:
                raise UserError(
                    f"{name} must be {value!r} to resume, "
                    f"not {state['options'].get(name)!r}; {ANEW}",
                    file=path,
                )
        restore(state)
    except UserError:
        raise
    except Exception as error:  # torch raises whatever the damage leads to
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"cannot be read: {reason}; {ANEW}", file=path) from None
