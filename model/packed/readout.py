"""What the kernel must know of an engine that rounds: how its groups of rows are read out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer

__all__ = ["READOUTS", "Readout"]


@dataclass(frozen=True)
class Readout:
    """The code of a count, min((count + 2^(s−1)) >> s, cap), worth code << s.

    Attributes
    ----------
    cap : int
        Largest code.
    shift : int
        Bits dropped, rounded half up, s.
    """

    cap: int
    shift: int

    def is_exact_for(self, w: NDArray[np.integer], groups: tuple[int, ...]) -> bool:
        """Whether no count of these weights can be another than its code, (fan_in, outputs)."""
        starts = np.cumsum(groups) - np.array(groups)
        cells = max(np.add.reduceat(kept, starts, dtype=int).max() for kept in (w > 0, w < 0))
        return self.shift == 0 and int(cells) <= self.cap


def crossbar_readout(config: Config, index: int) -> Readout:
    """The converter of a layer on a crossbar."""
    layer = CrossbarLayer.of(config, index)
    return Readout((1 << layer.adc_bits) - 1, layer.adc_shift)


READOUTS: dict[str, Callable[[Config, int], Readout]] = {
    "crossbar": crossbar_readout,
}
"""By engine; those whose sums are exact need none."""
