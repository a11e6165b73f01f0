"""Reader of plain PNG files: 8-bit RGB, not interlaced, which is all that CIFAR-10 needs."""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_png"]

CHANNELS = 3


def read_png(path: Path) -> NDArray[np.uint8]:
    """Pixels of an 8-bit RGB file, (height, width, 3); ValueError if it is no such file."""
    raw = path.read_bytes()
    if raw[:8] != b"\x89PNG\r\n\x1a\n" or raw[24:29] != b"\x08\x02\0\0\0":
        raise ValueError(f"{path}: must be an 8-bit RGB PNG that is not interlaced")
    width, height = (int.from_bytes(raw[at : at + 4], "big") for at in (16, 20))
    packed, at = b"", 8
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        if raw[at + 4 : at + 8] == b"IDAT":
            packed += raw[at + 8 : at + 8 + size]
        at += 12 + size
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    pixels = lines[:, 1:].reshape(height, width, CHANNELS).copy()
    above = np.zeros_like(pixels[0])
    for kind, row in zip(lines[:, 0], pixels, strict=True):
        if kind == 1:
            np.cumsum(row, axis=0, dtype=np.uint8, out=row)
        elif kind == 2:
            row += above
        elif kind:
            _undo_slowly(int(kind), row, above)
        above = row
    return pixels


def _undo_slowly(kind: int, row: NDArray[np.uint8], above: NDArray[np.uint8]) -> None:
    """Undo filter 3 (average) or 4 (Paeth) of one row in place; each pixel needs its left one."""
    for channel in range(CHANNELS):
        left = corner = 0
        ups = above[:, channel].tolist()
        for x, (value, up) in enumerate(zip(row[:, channel].tolist(), ups, strict=True)):
            if kind == 3:
                guess = (left + up) // 2
            else:
                middle = left + up - corner
                guess = min((left, up, corner), key=lambda near: abs(middle - near))
            left, corner = (value + guess) & 255, up
            row[x, channel] = left
