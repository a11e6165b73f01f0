"""The network of a configuration in PyTorch: one that trains, and the integers that it becomes."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kakure.model.config.config import Config, check_density
from kakure.model.datasets.recipe import RIVALS, Recipe
from kakure.model.parameters.parameters import Parameters

from .layers import HiddenLayer, shortcut, sum_pool, unroll
from .sums import sums_by_width, trained_sums
from .weights import trained_weights

__all__ = ["IntegerNetwork", "Network", "as_tensor"]

MOST_FLOAT32 = 1 << 24
"""Below it, every integer is exact in float32."""


def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """8-bit images (n, h, w, c) of numpy as a tensor (n, c, h, w)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def quantize_image(images: Tensor, input_bits: int) -> Tensor:
    """8-bit pixels to codes: the ``input_bits`` most significant bits."""
    return (images >> (8 - input_bits)).float()


class Network(nn.Module):
    """The network that trains; activations and accumulators are the hardware's integers.

    Parameters
    ----------
    config : Config
    recipe : Recipe, optional
        How masks are found, and what BatchNorm begins with.
    generator : torch.Generator
        Draws the first scores, or weights.

    Raises
    ------
    UserError
        If weights of the configuration's kind are not trained, or a layer would keep none.
    """

    def __init__(
        self, config: Config, recipe: Recipe | None = None, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        check_density(config)
        self.config = config
        recipe = recipe or Recipe()
        layers = []
        for geometry, engine in zip(config.geometry, config.layers, strict=True):
            weights = trained_weights(config, geometry, recipe, generator)
            is_rival = recipe.method in RIVALS  # of any weights; its sums are exact
            sums = [None] if is_rival else sums_by_width(config, geometry.index)
            gamma = recipe.joined_gamma if geometry.residual else recipe.gamma
            codes = recipe.codes
            layers.append(HiddenLayer(geometry, engine, weights, sums, codes=codes, gamma=gamma))
        self.stack = nn.ModuleList(layers)

    @property
    def layers(self) -> list[HiddenLayer]:
        """The layers, in order."""
        return [layer for layer in self.stack if isinstance(layer, HiddenLayer)]

    def forward(self, images: Tensor) -> Tensor:
        """Logits of 8-bit images, (n, c, h, w) -> (n, classes)."""
        dtype = self.layers[0].dtype
        image = quantize_image(images, self.config.image_bits).to(dtype)
        maps = {0: image.contiguous(memory_format=torch.channels_last)}
        y = image
        for index, layer in enumerate(self.layers):
            geometry = layer.geometry
            y = layer(maps[geometry.reads], None if geometry.adds is None else maps[geometry.adds])
            maps[index + 1] = y
            maps = {n: maps[n] for n in maps if n in self.config.maps_needed_after(index)}
        return y.flatten(1)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Steps in float32, exact, or in a format that is fast and rounds sums."""
        for layer in self.layers:
            layer.dtype = dtype

    @property
    def widths(self) -> int:
        """Precisions of the weights, 1 to so many bits."""
        return max(layer.widths for layer in self.layers)

    def use(self, width: int) -> None:
        """Compute with weights of so many bits from now on."""
        for layer in self.layers:
            layer.use(width)

    @torch.no_grad()
    def share_norms(self, widths: Iterable[int]) -> None:
        """Give precisions that no step trains γ and β of the full one; statistics stay."""
        for layer in self.layers:
            for width in widths:
                if width >= layer.widths:
                    break
                norm = layer.norms[width - 1]
                norm.weight.copy_(layer.norm.weight)
                norm.bias.copy_(layer.norm.bias)

    @torch.no_grad()
    def cut_statistics(self) -> None:
        """Give precisions below the full one its statistics, as sums of cut weights have about.

        The first n of N planes give sums that are about 2^(n − N) times as large.
        """
        for layer in self.layers:
            full = layer.norm
            assert full.running_mean is not None and full.running_var is not None
            for width, norm in enumerate(layer.norms[:-1], 1):
                power = 2.0 ** (width - layer.widths)
                assert norm.running_mean is not None and norm.running_var is not None
                norm.running_mean.copy_(power * full.running_mean)
                norm.running_var.copy_(power**2 * full.running_var)

    def begin_epoch(self) -> None:
        """Let nothing of earlier steps decide those that follow: a resumed training has none."""
        for layer in self.layers:
            layer.weights.begin_epoch()

    @torch.no_grad()
    def reestimate(self, batches: Iterable[Tensor], widths: Sequence[int] | None = None) -> None:
        """Replace the running statistics of BatchNorm by the mean over ``batches``.

        While masks flip, running statistics are those of other masks. Sums are exact.

        Parameters
        ----------
        batches : iterable of uint8 tensor, (n, channels, height, width)
        widths : sequence of int, optional
            Precisions whose statistics are replaced, 1 to :attr:`widths`; all when left out. Those
            of all planes of a layer that has fewer than others are replaced with the last one.
        """
        dtype = self.layers[0].dtype
        self.compute_in(torch.float32)
        self.train()
        batches = list(batches)
        for width in range(1, self.widths + 1) if widths is None else widths:
            self.use(width)
            for layer in self.layers:
                layer.collect(is_new=width < layer.widths or width == self.widths)
            for images in batches:
                self(images)
        self.use(self.widths)
        self.eval()
        self.compute_in(dtype)


def exact_product(w: Tensor, x: Tensor, peak: int) -> Tensor:
    """wᵀ·x of integers, (f, c), (f, n) -> (c, n), in the shortest format that holds ``peak``."""
    dtype = torch.float32 if peak < MOST_FLOAT32 else torch.float64
    return w.to(dtype).T @ x.to(dtype)


class IntegerNetwork(nn.Module):
    """Exported parameters in PyTorch, bit-equal to :func:`.network`, but fast."""

    def __init__(self, config: Config, parameters: Parameters) -> None:
        super().__init__()
        self.config = config
        self.geometry = config.geometry
        self.sums = [trained_sums(config, geometry.index) for geometry in config.geometry]
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
            w = torch.from_numpy(np.stack(layer.coats(config, geometry))).float()
            self.register_buffer(f"w{geometry.index}", w)
            self.register_buffer(f"m{geometry.index}", torch.from_numpy(layer.multiplier).double())
            self.register_buffer(f"b{geometry.index}", torch.from_numpy(layer.offset).double())
            power = torch.from_numpy(np.ldexp(1.0, layer.shift))
            self.register_buffer(f"s{geometry.index}", power)  # 2^S

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Logits of 8-bit images, (n, c, h, w) -> (n, classes), integers in float64."""
        maps = {0: quantize_image(images, self.config.image_bits)}
        for geometry, sums in zip(self.geometry, self.sums, strict=True):
            x = maps[geometry.reads]
            if geometry.summed is not None:
                x = sum_pool(x, geometry.summed.shift, geometry.input_bits)
            kernel = geometry.kernel_height, geometry.kernel_width
            rows = unroll(x, *kernel, geometry.padding, geometry.stride)
            w = self.get_buffer(f"w{geometry.index}")
            if sums is None:
                acc = exact_product(w.sum(0), rows, geometry.peak)
            else:
                acc = torch.stack([sums(rows, coat) for coat in w]).sum(0)
            acc = acc.view(geometry.outputs, len(x), geometry.out_height, geometry.out_width)
            acc = functional.max_pool2d(acc, geometry.pool).permute(1, 2, 3, 0)  # (n, h, w, c)
            m, b = self.get_buffer(f"m{geometry.index}"), self.get_buffer(f"b{geometry.index}")
            y = acc.double() * m + b  # below 2**53
            if geometry.output_bits is None:
                return y.flatten(1)
            y = (y / self.get_buffer(f"s{geometry.index}")).floor_().permute(0, 3, 1, 2)
            if geometry.adds is not None:
                y += shortcut(maps[geometry.adds], geometry.added_bits, geometry.output_bits)
            maps[geometry.index + 1] = y.clamp_(0, (1 << geometry.output_bits) - 1).float()
            needed = self.config.maps_needed_after(geometry.index)
            maps = {n: maps[n] for n in maps if n in needed}
        raise AssertionError("the last layer has no output_bits")
