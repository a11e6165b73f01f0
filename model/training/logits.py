"""Logits of the integer model for images that PyTorch holds."""

import torch
from torch import Tensor

from kakure.model.config.config import Config
from kakure.model.packed.kernel import kernel
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters

from .network import IntegerNetwork

__all__ = ["integer_logits"]

BATCH = 500
"""Images that PyTorch works on at once."""


def integer_logits(config: Config, parameters: Parameters, images: Tensor) -> Tensor:
    """Logits of 8-bit images, (n, c, h, w) -> (n, classes), integers in float64.

    Images in the processor's memory go through the packed kernel, others through PyTorch where they
    lie: the same integers, those of :func:`kakure.model.reference.network.network`.
    """
    if images.device.type == "cpu" and kernel() is not None:
        packed = PackedNetwork(config, parameters, threads=torch.get_num_threads())
        return torch.from_numpy(packed(images.permute(0, 2, 3, 1).numpy())).double()
    network = IntegerNetwork(config, parameters).to(images.device)
    return torch.cat([network(part) for part in images.split(BATCH)])
