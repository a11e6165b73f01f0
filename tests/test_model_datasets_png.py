import zlib

import numpy as np
import pytest

from kakure.model.datasets.png import read_png


def chunk(kind, body):
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


def paeth(left, up, corner):
    p = left + up - corner
    distances = [abs(p - left), abs(p - up), abs(p - corner)]
    return (left, up, corner)[distances.index(min(distances))]


def filtered(pixels, kind):
    """Lines of a picture, all with one filter, by the definition in the PNG specification."""
    height, width, _ = pixels.shape
    lines = b""
    for y in range(height):
        line = [kind]
        for x in range(width):
            for c in range(3):
                left = int(pixels[y, x - 1, c]) if x else 0
                up = int(pixels[y - 1, x, c]) if y else 0
                corner = int(pixels[y - 1, x - 1, c]) if x and y else 0
                guess = [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]
                line.append((int(pixels[y, x, c]) - guess) % 256)
        lines += bytes(line)
    return lines


def png(pixels, lines, depth=8, colour=2):
    height, width, _ = pixels.shape
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    packed = zlib.compress(lines)
    parts = [
        chunk(b"IHDR", size + bytes([depth, colour, 0, 0, 0])),
        chunk(b"tEXt", b"a comment"),
        chunk(b"IDAT", packed[:9]),
        chunk(b"IDAT", packed[9:]),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_every_filter(tmp_path, kind):
    pixels = np.random.default_rng(kind).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(png(pixels, filtered(pixels, kind)))
    assert (read_png(tmp_path / "a.png") == pixels).all()


def test_rejects_other_pictures(tmp_path):
    pixels = np.zeros((1, 1, 3), np.uint8)
    for raw in (b"GIF89a", png(pixels, b"\0\0\0\0", depth=16), png(pixels, b"\0\0", colour=0)):
        (tmp_path / "a.png").write_bytes(raw)
        with pytest.raises(ValueError, match="must be an 8-bit RGB PNG"):
            read_png(tmp_path / "a.png")
