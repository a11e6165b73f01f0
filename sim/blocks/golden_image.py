"""A supermask image that is right, and what a loader writes of it in which cycle."""

from dataclasses import dataclass

import numpy as np

from kakure.hdl.weights.sign_generator import LATENCY
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import LayerParameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.model.reference.masks import encode_mask, mask_bits
from kakure.model.reference.signs import weight_order

from .fields import Field, Fields
from .loads import Load, Write

__all__ = ["LAST", "WORD", "GoldenImage", "write_fields"]

WORD = 32
LAST = 1 << WORD
"""The bit beside a word that says that it is the last one."""


def write_fields(config: Config) -> dict[str, Fields]:
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
class Section:
    """One layer of an image: its words, and the cycles of what comes of them."""

    words: list[int]
    mask_words: int
    start: int
    end: int


class GoldenImage:
    """A good image: its words, and what is written in which cycle at full rate."""

    def __init__(
        self, config: Config, name: str, layers: list[LayerParameters], token: int
    ) -> None:
        self.config = config
        self.name = name
        self.layers = layers
        self.token = token
        self.sections: list[Section] = []
        self.writes: dict[str, list[Write]] = {"weights": [], "scales": []}
        self.fields = write_fields(config)
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
        self.sections.append(Section([*section.words], section.mask_words, start, self.end))

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
