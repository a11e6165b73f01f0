"""Matrix product with LAM on the processor, bit for bit that of the reference."""

import ctypes
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from kakure.model.files.c_library import c_library
from kakure.model.training.loops import CACHE, OPTIONS, Size, in_ranges, place

from .lam import Lam

__all__ = ["lam_product"]

COLUMNS = 64
"""Columns of the output that the kernel sums at once."""


class _Shape(ctypes.Structure):
    _fields_ = (
        ("first", Size), ("last", Size), ("inner", Size), ("columns", Size),
        ("table_bits", ctypes.c_int), ("n", ctypes.c_int),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _kernel() -> ctypes.CDLL:
    text = Path(__file__).with_name("product.c").read_text(encoding="utf-8")
    return c_library("training with LAM", text, OPTIONS, CACHE)


def lam_product(a: Tensor, b: Tensor, lam: Lam) -> Tensor:
    """a @ b, (m, k) x (k, n) -> (m, n), every product by LAM.

    Both are rounded to the fraction of ``lam``, to the nearest, ties to even, after their
    subnormal numbers became zeros. The sum of an output
    begins with +0 and takes its products in the order of k, each sum rounded to float32, with
    subnormal numbers; products have none. What is no number is treated as by
    :func:`kakure.model.reference.floating_point.lam.lam_multiply`.

    Raises
    ------
    ValueError
        If they are no float32 matrices on the CPU, or do not fit each other.
    UserError
        If there is no C compiler.
    """
    for name, x in (("a", a), ("b", b)):
        if x.dtype != torch.float32 or x.device.type != "cpu" or x.ndim != 2:
            rule = "must be a float32 matrix on the CPU"
            raise ValueError(f"{name} {rule}, not {x.ndim}-dimensional {x.dtype} on {x.device}")
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"b must have {a.shape[1]} rows, as a has columns, not {b.shape[0]}")
    (rows, inner), columns = a.shape, b.shape[1]
    padded = -(-columns // COLUMNS) * COLUMNS
    right = torch.zeros(inner, padded)
    right[:, :columns] = b
    left, right = (_rounded(x, lam) for x in (a, right))
    companion = torch.empty_like(right)
    ranges = torch.empty(inner, 3)
    units = ctypes.c_uint32(lam.compensation << (23 - lam.fraction_bits))
    kernel = _kernel()
    kernel.companions(place(right), place(companion), Size(right.numel()), units, lam.table_bits)
    kernel.ranges(place(right), Size(inner), Size(padded), place(ranges))
    out = torch.zeros(rows, padded)

    def work(_: int, first: int, last: int) -> None:
        shape = _Shape(first, last, inner, padded, lam.table_bits, lam.fraction_bits)
        kernel.product(
            place(left), place(right), place(companion), place(ranges), place(out), shape
        )

    in_ranges(rows, inner * padded, work)
    return out[:, :columns]


def _rounded(x: Tensor, lam: Lam) -> Tensor:
    """Rounded to the fraction; as numbers, whose codes are what the kernel takes."""
    x = x.detach().contiguous()
    out = torch.empty_like(x)
    _kernel().round_codes(place(x), place(out), Size(x.numel()), lam.fraction_bits)
    return out
