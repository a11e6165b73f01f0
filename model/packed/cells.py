"""The cells of a layer's columns in words, as the kernel reads them."""

import numpy as np
from numpy.typing import NDArray

from .window import WORD, PackedWindow

__all__ = ["packed_cells"]


def packed_cells(window: PackedWindow, w: NDArray[np.integer], lanes: int) -> NDArray[np.uint64]:
    """Words of columns, (fan_in, outputs) -> (outputs / lanes, group, word, polarity, lane).

    Bits are where :attr:`.PackedWindow.places` says; columns that are not there have no cells.

    Parameters
    ----------
    window : PackedWindow
    w : int array, (fan_in, outputs)
        Weights in {−1, 0, 1}.
    lanes : int
        Columns that the kernel works on at once.
    """
    outputs = w.shape[1]
    blocks, words = -(-outputs // lanes), window.groups * window.words
    bits = np.zeros((2, words * WORD, blocks * lanes), np.uint8)
    ordered = w[window.rows]
    bits[0, window.places, :outputs] = ordered > 0
    bits[1, window.places, :outputs] = ordered < 0
    octets = np.packbits(bits, axis=1, bitorder="little")
    octets = octets.reshape(2, words, WORD // 8, blocks, lanes).transpose(3, 1, 0, 4, 2)
    found = np.ascontiguousarray(octets).view("<u8")
    return found.reshape(blocks, window.groups, window.words, 2, lanes)
