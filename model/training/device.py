"""On which device a training computes."""

import torch

from kakure.model.errors import UserError
from kakure.model.shown import cut, printable, shown

__all__ = ["pick_device"]


def pick_device(name: str) -> torch.device:
    """``auto`` is a GPU where there is one, else the CPU; UserError if ``name`` is not usable.

    Products of float32 keep all their bits from then on: sums are integers.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if torch.ones(1, device=device).add_(1).item() != 2:
            raise RuntimeError("it does not add")
    except Exception as error:  # each kind of device that is missing has its own
        reason = cut(printable((str(error).splitlines() or [type(error).__name__])[0]), 200)
        raise UserError(
            f"must be usable here, not {shown(name)}: {reason}", where=("--device",)
        ) from None
    return device
