"""Planes of zeros among the work of a temporal array, on real images: what might be left out.

A step adds one digit of a block of some positions' windows, plane by plane. Counted for every
layer: steps, planes, planes in which no activation of the step has a one, of these the leading
ones, and steps without any one.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.program import DIGIT, LayerOperation
from kakure.model.commands.command import positive
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.network import network_layers
from kakure.model.reference.stages import quantize_image, sum_pool
from kakure.search.cost.digital.energy import open_trained, trained_images

from .array_shape import FORM, SHAPES, shaped, shapes
from .page import check_page, write_page

__all__ = ["Planes", "count_planes", "options", "run"]


@dataclass(frozen=True)
class Planes:
    """Work of an image, as a mean over images.

    Attributes
    ----------
    steps, empty_steps : float
        Steps, and those without any one.
    planes, zero_planes, leading_zero_planes : float
    """

    steps: float
    empty_steps: float
    planes: float
    zero_planes: float
    leading_zero_planes: float


def count_planes(config: Config, parameters: Parameters, images: NDArray[np.uint8]) -> list[Planes]:
    """The planes of each layer of a configuration whose accelerator is temporal."""
    architecture = architecture_of(config)
    assert isinstance(architecture, Temporal)
    maps = [quantize_image(images, config.image_bits)]
    maps += [y for _, y in network_layers(config, parameters, images)]
    operations = architecture.program.operations
    layers = [one for one in operations if isinstance(one, LayerOperation)]
    result = []
    for operation in layers:
        g = operation.geometry
        x = maps[g.reads]
        if g.summed is not None:
            x = sum_pool(x, g.summed.shift, g.input_bits)
        counts = np.sum([_counts(operation, ones) for ones in _ones(operation, x)], axis=0)
        result.append(Planes(*(operation.channel_passes * counts / len(images)).tolist()))
    return result


def _ones(operation: LayerOperation, x: NDArray[np.integer]) -> Iterator[NDArray[np.int64]]:
    """Block by block: bits that any activation of a step has, (images, steps)."""
    g, array = operation.geometry, operation.array
    sides = (g.padding, g.padding)
    channels = (0, operation.source.words * array.word - x.shape[3])
    padded = np.pad(x, ((0, 0), sides, sides, channels))
    places = [operation.position(number) for number in range(operation.positions)]
    rows, columns = g.stride * np.array([place for place in places if place is not None]).T
    rest = -operation.positions % array.pixels
    for block in range(operation.blocks):
        ones = np.zeros((len(x), operation.positions), np.int64)
        for slot in operation.slots(block):
            if slot is not None:
                word = slice(slot.word * array.word, (slot.word + 1) * array.word)
                read = padded[:, rows + slot.ky, columns + slot.kx, word]
                ones |= np.bitwise_or.reduce(read.astype(np.int64), axis=2)
        ones = np.pad(ones, ((0, 0), (0, rest)))
        yield np.bitwise_or.reduce(ones.reshape(len(x), -1, array.pixels), axis=2)


def _counts(operation: LayerOperation, ones: NDArray[np.int64]) -> NDArray[np.float64]:
    """Steps, empty ones, planes, zero ones, leading zero ones, of all images."""
    total = np.zeros(5)
    for digit, planes in enumerate(operation.digit_planes):
        bits = ones >> (DIGIT * digit) & ((1 << planes) - 1)
        leading = planes - np.frexp(bits.astype(np.float64))[1]
        zeros = sum(((bits >> plane & 1) == 0).sum() for plane in range(planes))
        total += [bits.size, (bits == 0).sum(), planes * bits.size, zeros, leading.sum()]
    return total


def table(found: Sequence[tuple[str, Sequence[Planes]]]) -> str:
    """All arrays, in Markdown."""
    names = "array", "planes an image", "of zeros", "leading", "steps", "empty"
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for name, layers in found:
        sums = {field: sum(getattr(one, field) for one in layers) for field in vars(layers[0])}
        cells = [
            name.replace("x", "×"),
            f"{sums['planes']:,.0f}",
            f"{sums['zero_planes'] / sums['planes']:.1%}",
            f"{sums['leading_zero_planes'] / sums['planes']:.1%}",
            f"{sums['steps']:,.0f}",
            f"{sums['empty_steps'] / sums['steps']:.1%}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained, temporal (.json)")
    add("--shapes", type=shapes, default=shapes(SHAPES), help=f"{FORM},... (six of them)")
    add("--images", type=positive, default=32, help="test images (%(default)s)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Count the planes of every array, and print the table."""
    project = open_trained(args.config)
    if project.config.accelerator.kind != "temporal":
        raise UserError(
            "must be 'temporal'",
            where=("accelerator", "kind"),
            value=repr(project.config.accelerator.kind),
            file=args.config,
        )
    if args.page is not None:
        check_page(args.page, "zero-planes")
    images = trained_images(project, args.images)
    found = []
    for shape in args.shapes:
        config = shaped(project.config, shape)
        found.append((shape, count_planes(config, project.parameters, images)))
    text = table(found)
    print(text)
    if args.page is not None:
        write_page(args.page, "zero-planes", text)
