"""The words that load a network into the temporal accelerator, and how long that takes."""

from collections.abc import Iterable

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from kakure.hdl.weights.loading_time import mask_cycles
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import LayerParameters, Parameters
from kakure.model.parameters.supermask_image import MAGIC, pack_words
from kakure.model.reference.masks import crc32, encode_mask, shortest_token

from .image_writer import image_layout, image_value
from .mask_order import mask_groups
from .operation import Sizes, operation_layout, operation_values
from .program import LayerOperation, Program
from .record import KIND, WORD, record_words
from .widths import misfit

__all__ = ["layer_words", "loading_cycles", "program_sections", "program_words"]


def record(layout: data.Layout, value: dict) -> list[int]:
    """A record as words, the first field lowest."""
    assert misfit(layout, value) is None
    number = int(layout.const(value).as_value().value)
    return [number >> WORD * n & 0xFFFFFFFF for n in range(record_words(layout))]


def with_crc(words: Iterable[int]) -> list[int]:
    """Words, and their checksum."""
    words = list(words)
    return [*words, crc32(words)]


def program_words(
    config: Config, program: Program, array: TemporalConfig, sizes: Sizes
) -> list[int]:
    """The first section: what the network is, and its operations."""
    height, width, channels = config.shape
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    image = image_value(program.image, sizes.rows, array.slots)
    operations = operation_layout(array, sizes)
    return with_crc([
        MAGIC << 24 | KIND << 16 | len(program.operations),
        len(layers),
        -(-height * width * channels // 4) - 1,
        config.geometry[-1].outputs - 1,
        *record(image_layout(sizes.rows, array.slots), image),
        *(
            word
            for value in operation_values(config, program, sizes.rows)
            for word in record(operations, value)
        ),
    ])


def _bits(operation: LayerOperation, layer: LayerParameters, many: int) -> NDArray[np.uint8]:
    groups = list(mask_groups(operation, layer.masks, many))
    return np.concatenate([group.reshape(-1) for group in groups]).astype(np.uint8)


def layer_words(
    operation: LayerOperation, layer: LayerParameters, many: int, sets: int
) -> list[int]:
    """The section of a layer: its mask in the order of use, coded the shortest way, and scales.

    ``sets`` of them; a layer of fewer planes has the last ones more than once.
    """
    bits = _bits(operation, layer, many)
    token = shortest_token(bits)
    mask = pack_words(encode_mask(bits, token))
    parts_of = [layer.at(width).scales.parts for width in range(1, sets + 1)]
    scales = [one for parts in parts_of for one in zip(*parts, strict=True)]
    return with_crc([
        MAGIC << 24 | token << 8 | operation.geometry.index,
        len(bits) // (many * operation.array.outputs),
        len(mask),
        operation.geometry.outputs,
        *mask,
        *(
            word
            for m, b, s in scales
            for word in (int(s) << 24 | int(m) & 0xFFFF, int(b) & 0xFFFFFFFF)
        ),
    ])


def program_sections(
    config: Config, parameters: Parameters, program: Program, array: TemporalConfig, sizes: Sizes
) -> list[list[int]]:
    """All sections, in order."""
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    pairs = zip(layers, parameters.layers, strict=True)
    return [
        program_words(config, program, array, sizes),
        *(layer_words(operation, layer, array.many, sizes.sets) for operation, layer in pairs),
    ]


def loading_cycles(
    config: Config, parameters: Parameters, program: Program, array: TemporalConfig, sizes: Sizes
) -> int:
    """Cycles from the first to the last word of all sections, both counted."""
    total = len(program_words(config, program, array, sizes))
    group = array.many * array.outputs
    widths = [WORD] * (group // WORD) + ([group % WORD] if group % WORD else [])
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    for operation, layer in zip(layers, parameters.layers, strict=True):
        bits = _bits(operation, layer, array.many)
        pieces = np.array(widths * (len(bits) // group))
        mask = mask_cycles(bits, shortest_token(bits), widths=pieces)
        total += 4 + mask + 2 * sizes.sets * operation.geometry.outputs + 1
    return total
