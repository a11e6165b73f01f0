"""Verilog with a Yosys process for each module, as Amaranth alone would have it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kakure.hdl.emission.verilog import verilog_texts

__all__ = ["module_at_a_time"]


def module_at_a_time(rtlil: Sequence[str]) -> list[str]:
    """Write what :func:`.verilog_texts` does, by as many processes as cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for (text,) in pool.map(verilog_texts, ([one] for one in rtlil))]
