"""Frames and supermasks other than the golden ones, for a cocotb bench."""

import zlib
from random import Random

import cocotb
from axi import send
from device import CLASSES, ERRORS, GIVEN, VECTORS


async def wrong_frames(dut, rng):
    """Right, short and long frames; return the images of the right ones, and the wrong ones' codes.

    Sends them meanwhile; several images are on their way wherever the network holds several.
    """
    draw = Random(GIVEN["seed"])
    frames, right, codes = [], [], []
    for n in range(12):
        image = n % len(VECTORS.images)
        words = VECTORS.images[image]
        kind = draw.choice(["right", "right", "short", "long"]) if n < 11 else "right"
        if kind == "short" and len(words) > 1:
            frames.append(words[: draw.randrange(1, len(words))])
            codes.append(ERRORS["IMAGE_SHORT"])
        elif kind == "long":
            frames.append(words + [draw.getrandbits(32) for _ in range(draw.choice([1, 5]))])
            codes.append(ERRORS["IMAGE_LONG"])
        else:
            frames.append(words)
            right.append(image)
    cocotb.start_soon(send(dut, frames, rng=rng))
    return right, codes


def shifted(amount):
    """The supermask with ``amount`` added to B of every class, and the checksum that belongs to it.

    The last words of a section are M and B of each channel, once or more, then the CRC of all
    before it.
    """
    words = list(VECTORS.supermask)
    last = VECTORS.section_layers[-1]
    for number, size in enumerate(VECTORS.sections):
        if VECTORS.section_layers[number] != last:
            continue
        end = sum(VECTORS.sections[: number + 1])
        for channel in range(CLASSES * VECTORS.scale_sets):
            at = end - 2 - 2 * channel
            words[at] = (words[at] + amount) & 0xFFFFFFFF
        section = words[end - size + VECTORS.section_heads[number] : end - 1]
        words[end - 1] = zlib.crc32(b"".join(word.to_bytes(4, "little") for word in section))
    return words
