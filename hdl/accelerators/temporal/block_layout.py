"""What a block of weights is made from, and what is made: windows, their slots, weights."""

from amaranth.lib import data

from .address import address_layout
from .widths import CHANNEL_BITS, COUNT_BITS, KERNEL_BITS, PLANE_BITS

__all__ = ["made_layout", "slot_layout", "window_layout"]


def window_layout(rows: int, banks: int, planes: int = 0) -> data.StructLayout:
    """What a layer's windows look like, and how often its weights are made.

    ``prefix`` begins its hashes; ``mask`` is where its masks begin. With ``planes``, there are
    no hashes, but ``planes`` of the layer, and ``pass_words`` words of masks for the channels of a
    pass. ``words`` of a
    position, ``run`` slots of a kernel row, ``next_line`` from the last of them to the first of the
    next.
    """
    return data.StructLayout({
        "pass_words" if planes else "prefix": 32,
        **({"planes": PLANE_BITS} if planes else {}),
        "mask": 32,
        "channels": CHANNEL_BITS,
        "words": CHANNEL_BITS,
        "run": COUNT_BITS,
        "kernel_height": KERNEL_BITS,
        "kernel_width": KERNEL_BITS,
        "window": 2 * KERNEL_BITS,
        "next_line": address_layout(rows, banks),
        "blocks": COUNT_BITS,
        "channel_passes": COUNT_BITS,
        "position_passes": COUNT_BITS,
        "last_outputs": COUNT_BITS,
    })


def slot_layout(rows: int, banks: int) -> data.StructLayout:
    """A word of a window: whether it is there, its place in the kernel, and its distance."""
    return data.StructLayout({
        "is_there": 1,
        "ky": KERNEL_BITS,
        "kx": KERNEL_BITS,
        "distance": address_layout(rows, banks),
    })


def made_layout(*, inputs: int, outputs: int, many: int) -> data.StructLayout:
    """Weights of ``many`` neighbouring inputs."""
    row = data.ArrayLayout(outputs, many)
    return data.StructLayout({
        "valid": 1,
        "group": range(max(inputs // many, 2)),
        "positive": row,
        "negative": row,
    })
