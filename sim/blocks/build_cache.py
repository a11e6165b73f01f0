"""Simulators of emitted designs, from the cache of all simulators."""

from pathlib import Path

from kakure.hdl.emission.design import Design
from kakure.sim.runner.simulate import CACHE
from kakure.sim.runner.simulator_cache import compiled as compiled_text

__all__ = ["compiled"]


def compiled(design: Design, *, waves: bool = False) -> Path:
    """Compile ``design`` unless that was done before; return the executable.

    Parameters
    ----------
    waves : bool
        Whether a run can leave a waveform, of all signals.
    """
    modules = {name: module.verilog for name, module in design.modules.items()}
    return compiled_text(modules, design.top, CACHE, waves=waves, quiet=True)
