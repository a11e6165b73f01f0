"""What every kind of trained weights gives a layer.

All keep the weights' shape of the reference, (fan_in, outputs), outside; inside, what is trained
lies as the rows of a convolution in channels_last, (outputs, ky·kx·in), so that neither the weights
nor their gradients are copied in a step.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from kakure.model.config.geometry import LayerGeometry

__all__ = ["TrainedWeights"]


class TrainedWeights(nn.Module, ABC):
    """Weights of one layer, and the real numbers that decide them.

    Parameters
    ----------
    geometry : LayerGeometry
    """

    scores: nn.Parameter
    """What is trained, (outputs, ky·kx·in)."""

    coats: int = 1
    """Sets of weights in {−1, 0, 1} whose sums the engine adds up."""

    def __init__(self, geometry: LayerGeometry) -> None:
        super().__init__()
        self.geometry = geometry

    def inside(self, weights: Tensor) -> Tensor:
        """(fan_in, outputs) -> (outputs, ky·kx·in)."""
        channels, window = self.geometry.in_channels, self.geometry.window
        moved = weights.reshape(channels, window, -1).permute(2, 1, 0)
        return moved.reshape(weights.shape[1], -1).contiguous()

    def outside(self, weights: Tensor) -> Tensor:
        """(outputs, ky·kx·in) -> (fan_in, outputs)."""
        channels, window = self.geometry.in_channels, self.geometry.window
        moved = weights.reshape(-1, window, channels).permute(2, 1, 0)
        return moved.reshape(channels * window, -1)

    @property
    @abstractmethod
    def masks(self) -> list[Tensor]:
        """What is stored of the weights, bool, (fan_in, outputs) each.

        Raises
        ------
        UserError
            If no hardware makes such weights.
        """

    @abstractmethod
    def _exact(self) -> Tensor:
        """Weights as they are exported, float32, (outputs, ky·kx·in)."""

    def _fast(self, dtype: torch.dtype) -> Tensor:
        """Weights for a step of training, which may be others by little."""
        return self._exact().to(dtype)

    def forward(self) -> Tensor:
        """Weights as they are exported, (fan_in, outputs), float32."""
        return self.outside(self._exact())

    def exact_kernel(self) -> Tensor:
        """The same as those of a convolution, (outputs, in, ky, kx)."""
        return self._as_kernel(self._exact())

    def kernel(self, dtype: torch.dtype) -> Tensor:
        """Weights of a convolution for a step, (outputs, in, ky, kx), channels_last."""
        return self._as_kernel(self._fast(dtype))

    def _as_kernel(self, w: Tensor) -> Tensor:
        g = self.geometry
        return w.view(g.outputs, g.kernel_height, g.kernel_width, -1).permute(0, 3, 1, 2)

    def use(self, width: int) -> None:
        """Give weights of so many bits from now on, 1 to the configuration's ``widths``."""

    def begin_epoch(self) -> None:
        """Let nothing of earlier steps decide those that follow: a resumed training has none."""
