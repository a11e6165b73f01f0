"""Sizes that are chosen, not drawn: the edges of what is drawn, and those that are built."""

from typing import Any

__all__ = ["CHAINS", "CHOSEN", "SHIPPED", "WIDE_GRIDS"]

CHOSEN: tuple[tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...]], ...] = (
    (
        "crossbar_tile",
        ("rows", "columns", "sharing", "adc_type", "adc_bits", "input_bits", "adc_shift"),
        (
            (64, 64, 8, "sar", 6, 8, 0),
            (64, 64, 2, "flash", 5, 4, 0),
            (64, 32, 1, "flash", 7, 4, 0),
            (64, 32, 32, "sar", 8, 6, 0),
            (1, 32, 4, "flash", 4, 4, 0),
            (1, 16, 2, "sar", 3, 6, 0),
            (2, 24, 8, "sar", 5, 8, 0),
            (2, 32, 1, "flash", 3, 2, 0),
            (3, 16, 16, "flash", 6, 5, 0),
            (3, 64, 8, "sar", 2, 3, 0),
            (100, 28, 14, "sar", 5, 5, 0),
            (100, 28, 14, "sar", 5, 5, 1),
            (100, 28, 14, "sar", 6, 5, 1),
            (100, 16, 16, "sar", 4, 6, 1),
            (100, 16, 16, "sar", 6, 5, 1),
            (100, 16, 4, "sar", 6, 6, 2),
            (128, 16, 8, "sar", 5, 4, 1),
            (128, 8, 8, "sar", 8, 7, 0),
            (112, 16, 16, "sar", 4, 4, 0),
            (110, 24, 12, "sar", 3, 6, 0),
            (96, 12, 6, "sar", 7, 8, 1),
            (80, 16, 16, "sar", 5, 5, 2),
            (72, 16, 16, "sar", 5, 6, 1),
            (64, 14, 14, "sar", 6, 5, 1),
            (96, 16, 2, "flash", 6, 5, 1),
            (120, 8, 4, "flash", 6, 6, 0),
        ),
    ),
    (
        "requantizer",
        ("channels", "lanes", "peak", "output_bits"),
        (
            (16, 2, 300_000, 8),
            (12, 4, 1_200_000, 4),
            (32, 1, 1_900_000, None),
            (256, 2, 500_000, 6),
            (8, 1, 1, 4),
            (3, 1, 2, 2),
            (1, 1, 700, 4),
            (1, 1, 700, None),
        ),
    ),
    (  # all held out: the fit sees shortcuts of up to 7 bits, and takes one more for known
        "requantizer",
        ("channels", "lanes", "peak", "output_bits", "shortcut_bits"),
        (
            (4, 4, 90, 8, 8),
            (10, 5, 60, 8, 8),
            (16, 2, 5_000, 8, 8),
            (48, 2, 900, 8, 8),
            (32, 8, 900, 8, 8),
            (64, 4, 2_000, 8, 8),
        ),
    ),
    (
        "max_pool",
        ("height", "width", "channels", "peak", "size"),
        ((8, 8, 10, 400_000, 2), (4, 4, 8, 1_900_000, 2), (6, 6, 9, 1, 3), (2, 2, 16, 900_000, 2)),
    ),
    (
        "pe_array",
        ("inputs", "outputs", "pixels", "input_bits", "kind", "peak", "banks"),
        (
            (1, 8, 4, 4, "hidden", 60, 2),
            (16, 4, 2, 8, "hidden", 1_200_000, 2),
            (64, 2, 2, 8, "hidden", 300_000, 1),
            (2, 4, 1, 1, "hidden", 2, 1),
            (8, 16, 1, 1, "hidden", 8, 6),
        ),
    ),
    (
        "sum_pool",
        ("positions", "channels", "bits", "shift", "output_bits"),
        (
            (16, 128, 4, 0, 8),
            (64, 256, 4, 2, 8),
            (16, 512, 4, 0, 8),
            (64, 512, 4, 2, 8),
            (1024, 3, 8, 10, 8),
            (1, 10, 4, 2, 2),
            (1, 3, 2, 0, 4),
            (2, 3, 1, 0, 1),
        ),
    ),
    ("ram", ("depth", "width"), ((40, 8), (60, 4), (48, 10), (33, 2))),
)
"""Sizes at the edges of what is drawn, and those that are built."""

WIDE_GRIDS = ((64, 4, 8, 8), (64, 9, 8, 7), (32, 3, 8, 8), (64, 2, 7, 8), (50, 6, 6, 7))
"""Rows, row groups, input and readout bits of layers of two outputs with wide sums."""

CHAINS = (
    (32, 16, 32, "flash", 6, 6, 2),
    (64, 12, 48, "flash", 5, 5, 1),
    (24, 24, 18, "flash", 5, 6, 2),
    (20, 16, 20, "sar", 4, 8, 2),
)
"""Input and output channels, rows, converter, its bits, input bits and copies of accelerators whose
clock is set by the chain from the tiles through the adders of many row groups and the pool."""

SHIPPED = ("digits",)
"""Configurations of ``configs/`` that are measured whole."""
