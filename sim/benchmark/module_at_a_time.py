"""Verilog with a Yosys process for each module, as Amaranth alone would have it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hdl.verilog import verilog_texts

__all__ = ["module_at_a_time"]


def module_at_a_time(rtlil: Sequence[str]) -> list[str]:
    """The same texts as :func:`hdl.verilog.verilog_texts`, by a process for each module."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [
            text for texts in pool.map(lambda one: verilog_texts([one]), rtlil) for text in texts
        ]
