# amaranth: UnusedElaboratable=no
"""A design to synthesize: a block with its sizes, or a whole configuration."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.lib import wiring

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.engines.crossbar.engine import CrossbarEngine
from kakure.hdl.engines.crossbar.memory_tile import MemoryTile
from kakure.hdl.engines.crossbar.readout import Readout
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.hdl.engines.pe_array.array import PeArray
from kakure.hdl.engines.pe_array.engine import PeEngine
from kakure.hdl.memory.ram import Ram
from kakure.hdl.stages.max_pool import MaxPool
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.stages.shortcut import Shortcut
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.hdl.stages.sum_pool import SumPool
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import Config, parse_config
from kakure.search.cost.digital.tree import takes_turns

__all__ = ["SEED", "Sample", "block_of"]

SEED = 20240601
HELD_OUT = {"accelerator": 0.6, "result_sender": 0.15}
"""Share of a block's samples that is kept out of the fit; of other blocks a third."""


@dataclass(frozen=True)
class Sample:
    """One design to synthesize: a block and what it is built with, as JSON holds it."""

    block: str
    parameters: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The sample's name: equal samples, equal keys."""
        values = json.dumps(self.parameters, sort_keys=True, separators=(",", ":"))
        return f"{self.block} {values}"

    @property
    def is_held_out(self) -> bool:
        """Whether the fit may not see it; by a hash, so that new samples move no old ones."""
        digest = hashlib.sha256(f"{SEED} {self.key}".encode()).digest()
        return int.from_bytes(digest[:4]) < HELD_OUT.get(self.block, 1 / 3) * 2**32

    @property
    def config(self) -> Config | None:
        """The configuration, of blocks that are built from one."""
        if self.block not in FROM_CONFIG:
            return None
        return parse_config(json.dumps(self.parameters), self.block)

    def build(self) -> wiring.Component:
        """The component."""
        config = self.config
        if config is not None:
            return FROM_CONFIG[self.block](config)
        values = dict(self.parameters)
        if self.block == "weight_generator":
            values["layers"] = tuple(LayerWeights(*layer) for layer in values["layers"])
        if "write_groups" in values:
            values["write_groups"] = tuple(values["write_groups"])
        return FROM_NUMBERS[self.block](**values)


FROM_NUMBERS: dict[str, Callable[..., wiring.Component]] = {
    "popcount": Popcount,
    "readout": Readout,
    "crossbar_tile": CrossbarTile,
    "memory_tile": MemoryTile,
    "pe_array": PeArray,
    "sliding_window": SlidingWindow,
    "strided_window": StridedWindow,
    "sum_pool": SumPool,
    "max_pool": MaxPool,
    "requantizer": Requantizer,
    "shortcut": Shortcut,
    "ram": Ram,
    "weight_generator": WeightGenerator,
    "result_sender": ResultSender,
    "pixel_unpacker": PixelUnpacker,
    "frame_gate": FrameGate,
}

FROM_CONFIG: dict[str, Callable[[Config], wiring.Component]] = {
    "crossbar_engine": lambda config: CrossbarEngine(config=config, index=0),
    "pe_engine": lambda config: PeEngine(config=config, index=0),
    "accelerator": lambda config: Accelerator(config=config),
    "temporal_accelerator": lambda config: Accelerator(config=config),
}
"""Built from a whole configuration; the engines are those of its first layer."""


def block_of(config: Config) -> str:
    """What a sample of a whole accelerator is called."""
    return "temporal_accelerator" if takes_turns(config) else "accelerator"
