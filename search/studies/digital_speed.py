"""Speed of the digital model in layer evaluations a second: ``kakure study digital-speed``."""

import argparse
import time

import numpy as np

from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import LayerBatch

__all__ = ["options", "random_batch", "run", "speed"]

SIZE = 20_000


def random_batch(size: int, seed: int) -> LayerBatch:
    """Layers as a search meets them, no two alike: three in four on crossbars."""
    rng = np.random.default_rng(seed)

    def draw(*values: int):
        return rng.choice(np.array(values, np.int64), size)

    side, kernel = draw(7, 8, 14, 16, 28, 32), draw(1, 3, 3, 3)
    is_crossbar = rng.random(size) < 0.75
    sharing, adc_bits = draw(1, 2, 4, 8, 16, 32), draw(2, 3, 4, 5, 6, 7, 8)
    zero, one = np.zeros(size, np.int64), np.ones(size, np.int64)
    return LayerBatch(
        in_height=side,
        in_width=side,
        in_channels=rng.integers(1, 257, size),
        kernel_height=kernel,
        kernel_width=kernel,
        padding=(kernel - 1) // 2,
        stride=one,
        out_height=side,
        out_width=side,
        pool=draw(1, 1, 2),
        outputs=rng.integers(8, 513, size),
        input_bits=draw(2, 3, 4, 5, 6, 7, 8),
        output_bits=draw(2, 3, 4, 5, 6, 7, 8),
        summed=zero,
        map_bits=zero,
        sum_shift=zero,
        engine=np.where(is_crossbar, 0, 1),
        column_sharing=np.where(is_crossbar, sharing, zero),
        adc_type=np.where(is_crossbar, draw(0, 1), zero),
        adc_bits=np.where(is_crossbar, adc_bits, zero),
        adc_shift=zero,
        copies=np.where(is_crossbar, draw(1, 1, 2, 4), one),
        residual=zero,
        rows=draw(32, 64),
        columns=draw(32, 64),
        pe_inputs=draw(8, 16, 32),
        pe_outputs=draw(8, 16),
        pe_pixels=draw(1, 4, 8, 16),
    )


def speed(size: int = SIZE, repeats: int = 5) -> float:
    """Layer evaluations a second of processor time, area, cycles and time of each."""
    model = DigitalModel()
    model.layer_costs(random_batch(100, seed=0), extrapolate=True)
    seconds = []
    for repeat in range(repeats):
        batch = random_batch(size, seed=repeat + 1)
        start = time.process_time()
        model.layer_costs(batch, extrapolate=True)
        seconds.append(time.process_time() - start)
    return size / min(seconds)


def options(parser: argparse.ArgumentParser) -> None:
    """It takes nothing."""


def run(args: argparse.Namespace) -> None:
    """Print the speed."""
    print(f"digital model: {speed():,.0f} layer evaluations a second, {SIZE:,} in a batch")
