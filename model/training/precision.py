"""In which floating point a step of training is computed."""

from typing import Literal

import torch

from .loops import loops

__all__ = ["pick_precision"]

FAST = ("amx_bf16", "avx512_bf16")
"""What processors call it when they multiply matrices of bfloat16."""


def pick_precision(
    wanted: Literal["float32", "auto"], device: torch.device
) -> tuple[torch.dtype, str]:
    """The format of a step, and why, in a few words; evaluations are exact in any case."""
    if wanted == "float32":
        return torch.float32, "float32, as the recipe says"
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported():
            return torch.bfloat16, "bfloat16 on the GPU"
        return torch.float32, "float32, as the GPU has no bfloat16"
    if device.type != "cpu":
        return torch.float32, f"float32 on {device.type}"
    found = torch.cpu.get_capabilities()
    names = [name for name in FAST if found.get(name)]
    if not names:
        return torch.float32, f"float32, as the processor has none of {', '.join(FAST)}"
    slower = "" if loops() is not None else "; without a C compiler, which would make it faster"
    return torch.bfloat16, f"bfloat16, as the processor has {names[0]}{slower}"
