"""Golden vectors as the compiled program reads them: one binary file for each of its runs.

Every number is a word of 32 bits, the least significant byte first:

==========  =============================================================================
words       what
==========  =============================================================================
1, 1        the letters KAKV, the format's version 4
1 × 6       how many registers, sections, words of the supermask, images, words of an
            image, and classes there are
1, 1, 1     number of the first image in the test set; cycles of loading; cycles to settle
1 × 3       scales of every channel in a section; address of PLANES and what is written
            there, 0 where it is left alone
5 each      registers: address, value after a reset, 1 if it can be written, else 0; 1 if
            it counts what images take, else 0, and its value after all images
3 each      sections of the supermask, each of a layer or of a plane of one: words, layer,
            words at the beginning that the checksum at the end does not cover
1 each      words of the supermask
1 each      words of the images, one after the other
1 each      logits of the images, two's complement
1 each      cycles from the first word of the first image to the last word of each result
1           CRC-32 of all bytes before
==========  =============================================================================

``model_vectors.h`` reads it.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.register_map import PLANES, constant_values
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.network import network

from .golden import pack_image

__all__ = ["VectorWriter"]

MAGIC = int.from_bytes(b"KAKV", "little")
FORMAT = 4


class VectorWriter:
    """Writes golden vectors of one accelerator.

    Parameters
    ----------
    config : Config
    parameters : Parameters
    planes : int, optional
        Planes of its weights that it is told to use; all when left out.
    """

    def __init__(self, config: Config, parameters: Parameters, planes: int | None = None) -> None:
        self.config = config
        self.parameters = parameters
        self.planes = planes or 0
        self.used = config if planes is None else config.at(planes)
        architecture = architecture_of(config)
        self.sections = architecture.sections(parameters)
        self.load_cycles = architecture.loading_cycles(parameters)
        self.settle_cycles = architecture.settle_cycles
        self.cycles: Callable[[int], tuple[int, ...]] = cache(
            lambda images: architecture_of(self.used).timing(images).results
        )
        """Cycles of the results of so many images."""
        self.counters = len({r.name for r in architecture.registers} & set(self._counted(1)))
        """Registers that count what images take."""

    def write(self, path: Path, images: NDArray[np.uint8], first: int) -> int:
        """Write what the accelerator must do with ``images`` (n, height, width, channels), 8 bit.

        Parameters
        ----------
        first : int
            Number of the first of them in the test set.

        Returns
        -------
        int
            The checksum, which the program that has read the file repeats.
        """
        architecture = architecture_of(self.config)
        constants = constant_values(architecture.digest)
        counted = self._counted(len(images))
        registers = [
            (
                register.offset, constants.get(register.name, 0), int("w" in register.access),
                int(register.name in counted), counted.get(register.name, 0),
            )
            for register in architecture.registers
        ]  # fmt: skip
        supermask = list(chain.from_iterable(self.sections))
        heads = architecture.section_heads
        sections = zip(map(len, self.sections), architecture.section_layers, heads, strict=True)
        packed = [pack_image(image) for image in images]
        parameters = self.parameters.at(self.planes) if self.planes else self.parameters
        logits = network(self.used, parameters, images)
        words = [MAGIC, FORMAT, len(registers), len(self.sections), len(supermask)]
        words += [len(packed), len(packed[0]), logits.shape[1]]
        words += [first, self.load_cycles, self.settle_cycles]
        tried = 1 << (self.planes - 1) if self.planes else 0
        words += [architecture.scale_sets]
        words += [PLANES.offset if tried else 0, tried]
        words += [*chain.from_iterable(registers), *chain.from_iterable(sections), *supermask]
        words += [*chain.from_iterable(packed), *(logits.reshape(-1) & 0xFFFFFFFF).tolist()]
        words += self.cycles(len(packed))
        data = struct.pack(f"<{len(words)}I", *words)
        crc = zlib.crc32(data)
        path.write_bytes(data + struct.pack("<I", crc))
        return crc

    def _counted(self, images: int) -> dict[str, int]:
        """What the registers that count hold after some images, 32 bits each."""
        found = {}
        for name, each in architecture_of(self.used).counts.items():
            total = images * each
            found |= {name: total, f"{name}_LOW": total, f"{name}_HIGH": total >> 32}
        return {name: value & 0xFFFFFFFF for name, value in found.items()}
