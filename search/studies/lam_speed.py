"""Time of a matrix product with LAM, beside PyTorch's in float32."""

import time
from collections.abc import Iterator

import torch

from kakure.model.training.lam.lam import VARIANTS, Lam
from kakure.model.training.lam.product import lam_product

__all__ = ["figures", "times"]

SIZE = 512
ROUNDS = 20


def times(lam: Lam) -> tuple[float, float]:
    """Times of LAM's product and PyTorch's, the least of some rounds in turn [s]."""
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(SIZE, SIZE, generator=generator) for _ in range(2))
    found = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for n, product in enumerate((lambda: lam_product(a, b, lam), lambda: a @ b)):
            begin = time.perf_counter()
            product()
            found[n] = min(found[n], time.perf_counter() - begin)
    return found[0], found[1]


def figures() -> Iterator[str]:
    """A line for each variant, of a square product, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield f"product of {SIZE} x {SIZE} x {SIZE}, float32, one thread"
        for variant in VARIANTS:
            ours, theirs = times(Lam.named(variant))
            yield (
                f"LAM, {variant}: {1000 * ours:.1f} ms; torch.matmul {1000 * theirs:.2f} ms; "
                f"{ours / theirs:.1f} times as long"
            )
    finally:
        torch.set_num_threads(threads)
