"""Images a second of a training step, beside PyTorch's ordinary ways in the same run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from kakure.model.config.config import Config, load_config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.datasets.recipe import Recipe
from kakure.model.files.shipped import CONFIGS
from kakure.model.training.descent import Descent
from kakure.model.training.layers import EPSILON, quantize, shortcut
from kakure.model.training.memory import keep_memory
from kakure.model.training.network import Network
from kakure.model.training.precision import pick_precision
from kakure.model.training.recipe import recipe_for

__all__ = ["PlainNetwork", "figures"]

STEPS = 12
ROUNDS = 3
CPU = torch.device("cpu")


class PlainLayer(nn.Module):
    """A layer as it is written down in PyTorch: latent weights, pool, BatchNorm, quantization."""

    signs: Tensor

    def __init__(self, config: Config, geometry: LayerGeometry, generator: torch.Generator) -> None:
        super().__init__()
        self.geometry = g = geometry
        hidden = HiddenWeights.of(config.weights)
        shape = (g.outputs, g.in_channels, g.kernel_height, g.kernel_width)
        signs = torch.from_numpy(hidden.signs(g)).float().T.reshape(shape)
        self.register_buffer("signs", signs.contiguous(memory_format=torch.channels_last))
        self.kept = hidden.kept(signs.numel())
        drawn = torch.empty(shape).normal_(generator=generator).abs()
        self.latent = nn.Parameter(drawn * self.signs)
        self.norm = nn.BatchNorm2d(g.outputs, eps=EPSILON)

    def forward(self, x: Tensor, added: Tensor | None) -> Tensor:
        """A map, (n, c, h, w) -> (n, outputs, h', w')."""
        g = self.geometry
        if g.summed is not None:
            x = (x.float().sum((2, 3), keepdim=True) / 2.0**g.summed.shift).floor()
        ranks = (self.latent * self.signs).detach()
        least = ranks.flatten().topk(self.kept, sorted=False).values.min()
        masked = self.signs * (ranks >= least)
        w = self.latent + (masked - self.latent).detach()
        acc = functional.conv2d(x, w, stride=g.stride, padding=g.padding)
        if g.pool > 1:
            acc = functional.max_pool2d(acc, g.pool)
        y = self.norm(acc)
        if g.output_bits is None:
            return y
        y = y * (1 << (g.output_bits - 1))
        if added is not None:
            y = y + shortcut(added, g.added_bits, g.output_bits)
        return quantize(y, g.output_bits)


class PlainNetwork(nn.Module):
    """The network of a configuration, written down in PyTorch; it trains latent weights."""

    def __init__(self, config: Config, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.stack = nn.ModuleList(PlainLayer(config, g, generator) for g in config.geometry)

    @property
    def layers(self) -> list[PlainLayer]:
        """The layers, in order."""
        return [layer for layer in self.stack if isinstance(layer, PlainLayer)]

    def forward(self, images: Tensor) -> Tensor:
        """Logits of 8-bit images, (n, c, h, w) -> (n, classes)."""
        image = (images >> (8 - self.config.image_bits)).float()
        maps = [image.contiguous(memory_format=torch.channels_last)]
        for layer in self.layers:
            g = layer.geometry
            maps.append(layer(maps[g.reads], None if g.adds is None else maps[g.adds]))
        return maps[-1].flatten(1)


def ours(config: Config, recipe: Recipe) -> Callable[[Tensor, Tensor], None]:
    """A step of the trainer's."""
    network = Network(config, recipe, generator=torch.Generator().manual_seed(1))
    network.compute_in(pick_precision(recipe.precision, CPU)[0])
    network.train()
    descent = Descent(network, recipe)

    def step(images: Tensor, labels: Tensor) -> None:
        descent.step(functional.cross_entropy(network(images), labels), 1, 100)

    return step


def plain(config: Config, *, autocast: bool) -> Callable[[Tensor, Tensor], None]:
    """A step of an ordinary training, by SGD."""
    network = PlainNetwork(config, torch.Generator().manual_seed(1)).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True)

    def step(images: Tensor, labels: Tensor) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = functional.cross_entropy(network(images).float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def rates(config: Config, recipe: Recipe) -> dict[str, float]:
    """Images a second of each way, the best of some rounds in turn."""
    generator = torch.Generator().manual_seed(1)
    height, width, channels = config.shape
    shape = (recipe.batch_size, channels, height, width)
    images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, config.layers[-1].channels, shape[:1], generator=generator)
    ways = {
        "ours": ours(config, recipe),
        "plain bfloat16": plain(config, autocast=True),
        "plain float32": plain(config, autocast=False),
    }
    found = dict.fromkeys(ways, 0.0)
    for turn in range(ROUNDS + 1):
        for name, step in ways.items():
            begin = time.perf_counter()
            for _ in range(STEPS):
                step(images, labels)
            rate = STEPS * len(images) / (time.perf_counter() - begin)
            if turn:  # the first is for caches
                found[name] = max(found[name], rate)
    return found


def figures() -> Iterator[str]:
    """The shipped CIFAR-10 network, a line for each way."""
    config = load_config(CONFIGS / "cifar10.json")
    recipe = replace(recipe_for(config.dataset), precision="auto")
    keep_memory()  # of all ways: it is no merit of a step's
    flop = 6 * sum(g.positions * g.weights for g in config.geometry)  # forward and two backward
    threads = torch.get_num_threads()
    yield (
        f"training of {config.name}, {flop / 1e9:.2f} GFLOP an image, steps of "
        f"{recipe.batch_size}, {threads} threads, {pick_precision('auto', CPU)[1]}"
    )
    found = rates(config, recipe)
    for name, rate in found.items():
        ratio = "" if name == "ours" else f"; ours is {found['ours'] / rate:.2f} times as fast"
        yield f"{name}: {rate:,.0f} images/s, {rate * flop / 1e12:.2f} TFLOP/s{ratio}"
