"""The spatial accelerator as one of several: core, timing, image to load, parts."""

from collections.abc import Sequence

from kakure.hdl.accelerators.architecture import Architecture, Part, hidden_weights
from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.accelerators.precision_choice import can_choose
from kakure.hdl.bus.register_map import PLANES, THRESHOLD, Register
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.engines.table import engine_of
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.supermask_image import image_sections

from .bus_widths import check_bus_widths
from .core import SpatialCore
from .core_shape import SpatialCoreShape
from .cycle_model import dynamic_timing, image_timing, padding_cycles, requantizer_lanes
from .pipeline import check_pipeline

__all__ = ["Spatial"]


class Spatial(Architecture):
    """A pipeline of all layers, each with an engine of its own; weights are made on chip."""

    schedule = "All layers work at the same time."

    def check(self) -> None:
        """See that the weights have hardware, the layers are a chain, and no bus is wide."""
        if planes_of(self.config):
            self._check_engines()
        else:
            hidden_weights(self.config)
        check_pipeline(self.config)
        check_bus_widths(self.config)

    def _check_engines(self) -> None:
        """See that every engine takes planes; UserError names the first that does not."""
        for index, layer in enumerate(self.config.layers):
            if not engine_of(self.config, index).takes_planes:
                raise UserError(
                    "must be one that stores planes, as pe_array, with bitwise weights",
                    where=("layers", index, "engine"),
                    value=repr(layer.engine),
                )

    @property
    def own_registers(self) -> tuple[Register, ...]:
        """Which numbers of planes of bitwise weights are tried, and when."""
        if not planes_of(self.config):
            return ()
        return (PLANES, THRESHOLD) if can_choose(self.config) else (PLANES,)

    def core(self) -> Core:
        """The hardware."""
        return SpatialCore(config=self.config)

    def shape(self, *, has_layers: bool = True) -> SpatialCoreShape:
        """Sizes of the core, with its layers or without."""
        return SpatialCoreShape.of(self.config, has_layers=has_layers)

    def timing(self, images: int = 1) -> ImageTiming:
        """Cycles of ``images`` images in a row, exactly."""
        return image_timing(self.config, images)

    def dynamic_timing(self, passes: Sequence[Sequence[int]], last: int) -> ImageTiming:
        """Cycles of images that are tried with one number of planes after the other, exactly."""
        return dynamic_timing(self.config, passes, last)

    @property
    def layer_cycles(self) -> tuple[int, ...]:
        """Those of its engine."""
        indices = range(len(self.config.layers))
        return tuple(engine_of(self.config, index).cycles_per_image for index in indices)

    @property
    def images_at_once(self) -> int:
        """One leaves while the next one follows it through the layers."""
        return 2

    @property
    def settle_cycles(self) -> int:
        """Cycles in which every layer walks the zeros before its first pixel."""
        return padding_cycles(self.config)

    def sections(self, parameters: Parameters) -> list[list[int]]:
        """The supermask image, a section for each layer, or plane of a layer."""
        return [list(section.words) for section in image_sections(self.config, parameters)]

    @property
    def section_layers(self) -> tuple[int, ...]:
        """The layer of each section."""
        layers = range(len(self.config.layers))
        return tuple(n for n in layers for _ in range(self.config.weights_of(n).widths))

    def loading_cycles(self, parameters: Parameters) -> int:
        """Cycles from the first to the last word of the supermask image, both counted."""
        return loading_cycles(self.config, parameters)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The layers, and what makes their weights."""
        layers = [Part(f"layer {n}", f"layer_{n}", n) for n in range(len(self.config.layers))]
        return (*layers, Part("weight generator", "generator"))

    @property
    def arithmetic_blocks(self) -> int:
        """Adder trees of the engines, and multipliers of the requantizers."""
        layers = range(len(self.config.layers))
        lanes = sum(requantizer_lanes(self.config, index) for index in layers)
        return lanes + sum(engine_of(self.config, index).adders for index in layers)
