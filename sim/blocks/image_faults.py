"""Supermask images with something wrong, and which error follows."""

from random import Random

from kakure.hdl.weights.image_reader import LoadError
from kakure.model.reference.masks import crc32

from .golden_image import LAST, WORD, GoldenImage
from .loads import Load

__all__ = ["faults", "random_faults"]

CORRUPTIONS = 8
RESERVED = (16, 20, 23, 29, 30, 31)
"""Bits of the first word of a scale that must be 0."""
AFTER = 4
"""Words sent after one that is wrong."""


def faults(image: GoldenImage) -> list[Load]:
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
    image: GoldenImage, index: int, name: str, error: LoadError, section: list[int], cycle: int
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


def _wrong_ends(image: GoldenImage) -> list[Load]:
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


def random_faults(rng: Random, images: list[GoldenImage]) -> list[Load]:
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
