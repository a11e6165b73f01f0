"""Golden vectors on disk: what goes into an accelerator, and what must come out.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LayerVectors", "PrecisionVectors", "Vectors"]

TESTS = (
    "registers_answer_as_the_map_says",
    "all_images_at_full_rate",
    "back_pressure_on_both_sides",
    "classes_instead_of_logits",
    "a_corrupted_supermask_is_refused",
    "a_reset_in_the_middle_of_an_image",
    "frames_too_short_and_too_long",
    "a_batch_without_last",
    "a_load_without_a_reset",
    "a_supermask_in_several_transfers",
    "class_changes_while_a_logit_is_offered",
)
"""What a bench must run, whatever it says of itself."""

PRECISION_TESTS = ("any_number_of_planes",)
"""And where there are several precisions."""

CHOICE_TESTS = ("more_planes_where_the_margin_is_small",)
"""And where margins choose one."""


@dataclass(frozen=True)
class LayerVectors:
    """What one layer must send.

    Attributes
    ----------
    width, channels, bits : int
        Pixels of a row of its map, values of a pixel, and bits of a value.
    is_signed : bool
        Whether a value is signed.
    pixels : list of list of int
        For each image, its pixels in raster order, channel 0 in the least significant bits.
    """

    width: int
    channels: int
    bits: int
    is_signed: bool
    pixels: list[list[int]]

    def difference(self, image: int, pixel: int, got: int) -> str | None:
        """Say where a pixel differs from what it must be, or None."""
        expected = self.pixels[image][pixel]
        if got == expected:
            return None
        for channel in range(self.channels):
            values = [self._value(word, channel) for word in (expected, got)]
            if values[0] != values[1]:
                y, x = divmod(pixel, self.width)
                return (
                    f"position ({y}, {x}), channel {channel}: expected {values[0]}, got {values[1]}"
                )
        raise AssertionError("the words differ beyond the channels")

    def _value(self, word: int, channel: int) -> int:
        value = word >> channel * self.bits & (1 << self.bits) - 1
        is_negative = self.is_signed and value >> (self.bits - 1)
        return value - (1 << self.bits) if is_negative else value


@dataclass(frozen=True)
class PrecisionVectors:
    """What the first images become with some of the planes of bitwise weights.

    Attributes
    ----------
    tried, threshold : int
        What the registers PLANES and THRESHOLD say.
    logits : list of list of int
        Of each of the images.
    cycles : list of int
        Cycles from the first word of the first image to the last word of each result.
    """

    tried: int
    threshold: int
    logits: list[list[int]]
    cycles: list[int]


@dataclass(frozen=True)
class Vectors:
    """Everything that a bench of a whole accelerator compares with.

    Attributes
    ----------
    digest : str
        SHA-256 of the configuration.
    registers : dict of str to int
        Addresses.
    fields : dict of str to int
        The bits of each field of a register, by ``REGISTER.FIELD``.
    errors : dict of str to int
        Codes of errors by name.
    constants : dict of str to int
        What the registers IDENTITY and VERSION hold.
    supermask : list of int
        Words that load the network.
    sections : list of int
        How many of them belong to each section, which can fail by itself: a layer, or a plane of a
        layer.
    section_layers : list of int
        The layer of each section.
    section_heads : list of int
        Words that each section begins with, which the checksum at its end does not cover.
    scale_sets : int
        Scales of every channel in a section.
    load_cycles : int
        Cycles from the first to the last of them.
    settle_cycles : int
        Cycles from a reset after which ``cycles`` hold for a first image.
    images : list of list of int
        Words of each image.
    logits : list of list of int
        Of each image.
    cycles : list of int
        Cycles from the first word of the first image to the last word of each result.
    layers : list of LayerVectors
        What each layer must send.
    counts : dict of str to int
        By how much each image raises further registers; of two words where they end in ``_LOW``
        and ``_HIGH``.
    tried : int
        What PLANES is written with before ``images`` come; 0 where it is left alone.
    precisions : list of PrecisionVectors
        Of bitwise weights, what the first images become at each precision.
    choices : list of PrecisionVectors
        What they become where their margins choose.
    """

    digest: str
    registers: dict[str, int]
    fields: dict[str, int]
    errors: dict[str, int]
    constants: dict[str, int]
    supermask: list[int]
    sections: list[int]
    section_layers: list[int]
    section_heads: list[int]
    load_cycles: int
    settle_cycles: int
    images: list[list[int]]
    logits: list[list[int]]
    cycles: list[int]
    layers: list[LayerVectors] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    scale_sets: int = 1
    tried: int = 0
    precisions: list[PrecisionVectors] = field(default_factory=list)
    choices: list[PrecisionVectors] = field(default_factory=list)

    def lost(self, declared: Sequence[str]) -> str:
        """What is wrong with a bench of these tests: which it lacks; empty if none."""
        tests = [*TESTS, *PRECISION_TESTS * bool(self.precisions)]
        tests += CHOICE_TESTS * bool(self.choices)
        lost = [name for name in tests if name not in declared]
        return f"the bench has lost tests: {', '.join(lost)}" if lost else ""

    def save(self, path: Path) -> None:
        """Write one JSON file; pixels in hexadecimal, as they are wide."""
        data: dict[str, Any] = asdict(self)
        for layer in data["layers"]:
            layer["pixels"] = [[f"{word:x}" for word in image] for image in layer["pixels"]]
        path.write_text(
            json.dumps(data, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, path: Path) -> "Vectors":
        """Read what :meth:`save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        for layer in data["layers"]:
            layer["pixels"] = [[int(word, 16) for word in image] for image in layer["pixels"]]
        data["layers"] = [LayerVectors(**layer) for layer in data["layers"]]
        for name in ("precisions", "choices"):
            data[name] = [PrecisionVectors(**one) for one in data.get(name, [])]
        return cls(**data)
