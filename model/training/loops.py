"""Loops in C for training in bfloat16, and the threads that run them."""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path
from platform import machine
from typing import Any

import torch
from torch import Tensor

from kakure.model.errors import UserError
from kakure.model.files.c_library import c_library

__all__ = ["Size", "has_loops", "in_ranges", "loops", "place"]

CACHE = Path("build") / "cache" / "training"
OPTIONS = (
    "-O3",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    *(["-mprefer-vector-width=512"] if machine() in ("x86_64", "AMD64") else []),
)
LEAST = 1 << 16
"""Values below which a second thread is not worth while."""

Size = ctypes.c_ssize_t


@lru_cache(maxsize=1)
def loops() -> ctypes.CDLL | None:
    """The compiled loops of ``loops.c``; None without a compiler."""
    text = Path(__file__).with_name("loops.c").read_text(encoding="utf-8")
    try:
        return c_library("training in bfloat16", text, OPTIONS, CACHE)
    except UserError:
        return None


def has_loops(x: Tensor) -> bool:
    """Whether the loops can work on a tensor: bfloat16, on the CPU, with a compiler."""
    return x.device.type == "cpu" and x.dtype == torch.bfloat16 and loops() is not None


@lru_cache(maxsize=4)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def place(tensor: Tensor | None) -> ctypes.c_void_p:
    """Where the values of a contiguous tensor lie; a null pointer for None."""
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def in_ranges(rows: int, values: int, work: Callable[[int, int, int], Any]) -> None:
    """Call ``work(part, first, last)`` so that all rows are done, a thread for each range.

    Parameters
    ----------
    values : int
        Of a row.
    """
    threads = min(torch.get_num_threads(), max(1, rows * values // LEAST))
    if threads == 1:
        work(0, 0, rows)
        return
    edges = [rows * n // threads for n in range(threads + 1)]
    pool = _pool(threads, os.getpid())
    parts = [pool.submit(work, n, edges[n], edges[n + 1]) for n in range(threads)]
    wait(parts)
    for part in parts:
        part.result()
