"""Memory of a training: what is freed stays with the process, in large pages.

A step takes and frees hundreds of megabytes. The C library gives them back each time, and the
next step waits while the system clears them again, page by page: a quarter of its time, and more
on a virtual machine.
"""

import ctypes
import sys
from functools import lru_cache

__all__ = ["keep_memory"]

LARGE_PAGE = 1 << 21
"""Of x86-64 and of most others [byte]."""

HEAP = 1 << 32
"""How much of the heap may lie in large pages [byte]; it is taken when it is first used."""

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Of mallopt(3)."""

MADV_HUGEPAGE = 14
"""Of madvise(2)."""


@lru_cache(maxsize=1)
def keep_memory() -> bool:
    """Keep what this process frees from here on; False where the C library is not glibc's."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    library.mallopt(MMAP_MAX, 0)
    library.mallopt(TRIM_THRESHOLD, -1)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    place = library.malloc(HEAP)
    if place is not None:  # None: memory is limited; small pages do as well
        first, last = -(-place // LARGE_PAGE), (place + HEAP) // LARGE_PAGE
        library.madvise(first * LARGE_PAGE, (last - first) * LARGE_PAGE, MADV_HUGEPAGE)
        library.free(place)
    return True
