"""Points of :class:`.WeightGenerator` and their golden writes."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from kakure.hdl.weights.image_reader import LoadError
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.sign_generator import LATENCY
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import Config, parse_config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import LayerParameters, random_parameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.model.reference.masks import TOKEN_SIZES, crc32, encode_mask, mask_bits
from kakure.model.reference.signs import weight_order

from .fields import Field, Fields
from .loads import Load, Loads, Write
from .point import Point

__all__ = ["points"]

WORD = 32
LAST = 1 << WORD
DENSITIES = (0.5, 0.05, 0.95, 0.0, 1.0)
CORRUPTIONS = 8
RESERVED = (16, 20, 23, 29, 30, 31)
"""Bits of the first word of a scale that must be 0."""
AFTER = 4
"""Words sent after one that is wrong."""

# Map of the network, its convolutions (kernel, channels), classes, seed of the signs.
TAILS = ((4, 4, 2), ((3, 33), (1, 3)), 2, 0)  # seed 0 gives row 0 of layer 0 a hash of 0
ONLY_WORDS = ((2, 2, 1), ((2, 64),), 32, 5)  # rows of 32 and 64: 32 weights in every cycle
ZERO_STATE = ((3, 2, 1), ((2, 33),), 32, 0)  # seed 0 of xorshift16 starts with a state of 0
QUICK = {"xorshift32": (TAILS, ONLY_WORDS), "xorshift16": (ZERO_STATE,)}
FULL = (
    TAILS,
    ONLY_WORDS,
    ZERO_STATE,
    ((4, 4, 2), ((3, 3), (1, 33)), 2, 5),
    ((1, 1, 1), (), 1, 1),  # a single weight
    ((4, 3, 2), ((2, 32),), 35, 0),
    ((5, 5, 1), ((5, 64),), 96, 2**32 - 1),
    ((3, 3, 3), ((2, 40), (1, 1), (2, 7)), 31, 77),
    ((2, 6, 1), ((1, 1),), 70, 12345),
)


def points() -> list[Point]:
    """Return the quick points and the other networks, each with both generators."""
    chosen = [(generator, shape, True) for generator in QUICK for shape in QUICK[generator]]
    chosen += [
        (generator, shape, False)
        for shape in FULL
        for generator in QUICK
        if shape not in QUICK[generator]
    ]
    result = []
    for generator, (shape, convolutions, classes, seed), is_quick in chosen:
        parameters = {
            "generator": generator,
            "shape": shape,
            "convolutions": convolutions,
            "classes": classes,
            "seed": seed,
        }
        result.append(
            Point(
                block="weight_generator",
                parameters=parameters,
                make=partial(_make, parameters),
                save_vectors=partial(save_vectors, parameters),
                is_quick=is_quick,
            )
        )
    return result


def _config(parameters: dict[str, Any]) -> Config:
    """A network whose layers have the weights wanted."""
    engine = {"engine": "pe_array", "input_bits": 2}
    layers: list[dict[str, Any]] = [
        {"kind": "conv", "kernel": kernel, "channels": channels, "padding": 0, **engine}
        for kernel, channels in parameters["convolutions"]
    ]
    layers.append({"kind": "linear", "channels": parameters["classes"], **engine})
    weights = {"kind": "hidden", "seed": parameters["seed"], "generator": parameters["generator"]}
    return parse_config(
        json.dumps({
            "name": "point",
            "dataset": "none",
            "input_shape": parameters["shape"],
            "weights": weights,
            "layers": layers,
        })
    )


def _make(parameters: dict[str, Any]) -> WeightGenerator:
    config = _config(parameters)
    return WeightGenerator(
        generator=parameters["generator"],
        seed=parameters["seed"],
        layers=tuple(LayerWeights(g.in_channels, g.window, g.outputs) for g in config.geometry),
    )


def save_vectors(parameters: dict[str, Any], path: Path) -> None:
    """Write the images of a point and what must come of them."""
    config = _config(parameters)
    rng = np.random.default_rng(1)
    images = []
    for index, density in enumerate(DENSITIES):
        for token in TOKEN_SIZES if index < 2 else (0, 1 + index):
            name = f"density {density}, token {token}"
            images.append(_Image(config, name, _parameters(config, rng, density), token))
    good = [image.load() for image in images]
    cycles = max(image.end for image in images)
    faulty = [*_faults(images[0]), *_faults(images[2])]
    faulty += _random_faults(Random(1), [images[0], images[3]])
    Loads([*good, *faulty], _fields(config), cycles).save(path)


def _parameters(config: Config, rng: np.random.Generator, density: float) -> list[LayerParameters]:
    """Masks of a density, and scales that use all bits."""
    layers = []
    for geometry, layer in zip(
        config.geometry, random_parameters(config, seed=1).layers, strict=True
    ):
        multiplier = rng.integers(-(1 << 15), 1 << 15, geometry.outputs)
        multiplier[0] = -(1 << 15)
        offset = rng.integers(-(1 << 31), 1 << 31, geometry.outputs)
        offset[-1] = -(1 << 31)
        mask = rng.random(layer.mask.shape) < density
        shift = rng.integers(0, 32, geometry.outputs)
        layers.append(LayerParameters(mask, multiplier, offset, shift))
    return layers


def _fields(config: Config) -> dict[str, Fields]:
    """The numbers in the ports that write; an index that can only be 0 has no bits."""
    geometry = config.geometry
    layer = Field("layer", (len(geometry) - 1).bit_length())
    rows = max(g.fan_in for g in geometry)
    blocks = max(-(-g.outputs // WORD) for g in geometry)
    outputs = max(g.outputs for g in geometry)
    return {
        "weights": Fields([
            Field("valid", 1),
            layer,
            Field("row", (rows - 1).bit_length()),
            Field("block", (blocks - 1).bit_length()),
            *(Field(f"output 32·block + {b}, positive", 1) for b in range(WORD)),
            *(Field(f"output 32·block + {b}, negative", 1) for b in range(WORD)),
        ]),
        "scales": Fields([
            Field("valid", 1),
            layer,
            Field("channel", (outputs - 1).bit_length()),
            Field("multiplier", 16, is_signed=True),
            Field("offset", 32, is_signed=True),
            Field("shift", 5),
        ]),
    }


@dataclass
class _Section:
    """One layer of an image: its words, and the cycles of what comes of them."""

    words: list[int]
    mask_words: int
    start: int
    end: int


class _Image:
    """A good image: its words, and what is written in which cycle at full rate."""

    def __init__(
        self, config: Config, name: str, layers: list[LayerParameters], token: int
    ) -> None:
        self.config = config
        self.name = name
        self.layers = layers
        self.token = token
        self.sections: list[_Section] = []
        self.writes: dict[str, list[Write]] = {"weights": [], "scales": []}
        self.fields = _fields(config)
        self.end = 0
        for index in range(len(layers)):
            self._add(index)

    def _add(self, index: int) -> None:
        """Lay out one layer, from the cycle on that follows the layer before."""
        geometry, layer = self.config.geometry[index], self.layers[index]
        generator = HiddenWeights.of(self.config.weights).generator
        sizes = {"channels": geometry.in_channels, "window": geometry.window}
        section = layer_section(self.config, geometry, layer, self.token)
        bits = mask_bits(layer.mask, generator, **sizes)
        outputs = geometry.outputs
        start = self.end
        w = layer.weights(self.config, geometry)

        # A step makes a token, or what is left of one, up to the end of a word.
        order = list(weight_order(generator, **sizes, outputs=outputs))
        word_ends = np.cumsum([min(WORD, outputs - WORD * block) for _, block in order])
        ends = word_ends
        if self.token:
            code = encode_mask(bits, self.token).reshape(-1, self.token)
            zeros = code @ (1 << np.arange(self.token))
            lengths = zeros + (zeros != (1 << self.token) - 1)
            ends = np.union1d(word_ends, np.minimum(np.cumsum(lengths), len(bits)))
        first_step = start + LATENCY[generator]
        for (row, block), end in zip(order, word_ends, strict=True):
            cycle = first_step + int(np.searchsorted(ends, end)) + 1
            word = w[row, WORD * block : WORD * (block + 1)]
            word = np.pad(word, (0, WORD - len(word)))
            values = [1, index, row, block, *(word > 0), *(word < 0)]
            self._write("weights", cycle, values, f"layer {index}, row {row}, block {block}")
        scales = first_step + len(ends)
        for channel in range(outputs):
            scale = (layer.multiplier[channel], layer.offset[channel], layer.shift[channel])
            values = [1, index, channel, *scale]
            cycle = scales + 2 * channel + 1
            self._write("scales", cycle, values, f"layer {index}, channel {channel}")
        self.end = scales + 2 * outputs + 1
        self.sections.append(_Section([*section.words], section.mask_words, start, self.end))

    def _write(self, port: str, cycle: int, values: list[int], where: str) -> None:
        self.writes[port].append(Write(cycle, self.fields[port].pack(values), where))

    def load(self) -> Load:
        """Return the image as it is."""
        geometry = self.config.geometry
        is_raw = self.token == 0 and all(g.outputs % WORD == 0 for g in geometry)
        raw_words = [g.weights // WORD for g in geometry] if is_raw else []
        taken = {str(number): cycle for number, (cycle, _) in self.taken().items()}
        return Load(self.name, self.words(), self.writes, taken, raw_words)

    def taken(self) -> dict[int, tuple[int, int]]:
        """By the number of a word: its cycle and layer; of all words but those of the masks."""
        taken: dict[int, tuple[int, int]] = {}
        number = 0
        for index, section in enumerate(self.sections):
            scales = len(section.words) - 2 - section.mask_words
            taken |= {number + n: (section.start + n, index) for n in range(2)}
            number += len(section.words)
            taken |= {number - n: (section.end - n, index) for n in range(scales, 0, -1)}
        return taken

    def writes_until(self, cycle: int) -> dict[str, list[Write]]:
        """What is written up to a cycle, that one included."""
        return {
            port: [write for write in writes if write.cycle <= cycle]
            for port, writes in self.writes.items()
        }

    def words(self, sections: list[list[int]] | None = None) -> list[int]:
        """Words of the image, or of its sections as they are given."""
        if sections is None:
            sections = [section.words for section in self.sections]
        words = [word for section in sections for word in section]
        return [*words[:-1], words[-1] | LAST]


def _faults(image: _Image) -> list[Load]:
    """Faults of every kind in every layer, with a checksum that does not show them."""
    result = []
    for index, section in enumerate(image.sections):
        header, count, *rest = section.words[:-1]
        mask, scales = rest[: section.mask_words], rest[section.mask_words :]
        headers = {
            "magic": header ^ 1 << 31,
            "layer": header ^ 1 << 7,
            "token 6": header & ~0xFF00 | 6 << 8,
            "token 8": header & ~0xFF00 | 8 << 8,
            "reserved bit": header | 1 << 16,
        }
        lengths = {
            "no mask": (0, []),
            "short mask": (count - 1, mask[:-1]),
            "long mask": (count + 1, [*mask, 0]),
            "huge mask": (count | 1 << 31, mask),
        }
        made = {
            name: (LoadError.HEADER, [word, count, *rest], section.start + 1)
            for name, word in headers.items()
        }
        made |= {
            name: (LoadError.LENGTH, [header, n, *words, *scales], -1)
            for name, (n, words) in lengths.items()
        }
        made |= {
            f"scale bit {bit} at {at}": (
                LoadError.SCALE,
                [header, count, *mask, *scales[:at], scales[at] | 1 << bit, *scales[at + 1 :]],
                section.end - 1 - len(scales) + at + 1,
            )
            for at in (0, len(scales) - 2)
            for bit in RESERVED
        }
        for name, (error, words, cycle) in made.items():
            result.append(_faulty(image, index, name, error, [*words, crc32(words)], cycle))
        wrong = [*section.words[:-1], section.words[-1] ^ 1]
        result.append(_faulty(image, index, "crc", LoadError.CRC, wrong, section.end))
    return [*result, *_wrong_ends(image)]


def _faulty(
    image: _Image, index: int, name: str, error: LoadError, section: list[int], cycle: int
) -> Load:
    """The image with another section; up to the word that is wrong all is written, but lengths."""
    sections = [other.words for other in image.sections]
    sections[index] = section
    writes = {}
    if error != LoadError.LENGTH:
        # The last weights of a layer are written while its first scale is taken.
        writes = image.writes_until(cycle - (1 if error == LoadError.SCALE else 2))
    return Load(
        f"{image.name}: {name} of layer {index}",
        image.words(sections),
        writes,
        error=error.value,
        error_layer=index,
        error_cycle=cycle,
    )


def _wrong_ends(image: _Image) -> list[Load]:
    """A ``last`` with any word but those of the masks, and none at all."""
    words = image.words()
    error = LoadError.LENGTH.value
    result = []
    for number, (cycle, layer) in image.taken().items():
        is_end = number == len(words) - 1
        cut = [*words[:number], words[number] ^ LAST, *words[number + 1 : number + AFTER]]
        name = f"{image.name}: {'no last' if is_end else f'last with word {number}'}"
        load = Load(name, cut, error=error, error_layer=layer, error_cycle=cycle + 1)
        result.append(load)
    return result


def _random_faults(rng: Random, images: list[_Image]) -> list[Load]:
    """Flipped bits, and a ``last`` that comes too early: which error follows depends."""
    result = []
    for image in images:
        good = image.words()
        for n in range(CORRUPTIONS):
            words = list(good)
            for _ in range(rng.randint(1, 3)):
                words[rng.randrange(len(words))] ^= 1 << rng.randrange(WORD)
            if words == good:
                continue
            result.append(Load(f"{image.name}: flipped bits {n}", words, error=-1))
        for n in range(min(CORRUPTIONS, len(good) - 1)):
            early = rng.randrange(len(good) - 1)
            words = [*good[:early], good[early] | LAST, *good[early + 1 :]]
            error = LoadError.LENGTH.value
            result.append(Load(f"{image.name}: early last {n}", words, error=error))
    return result
