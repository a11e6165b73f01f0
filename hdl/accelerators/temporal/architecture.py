"""The temporal accelerator, as all that works on accelerators sees it."""

import hashlib
import json
from functools import cached_property

from kakure.hdl.accelerators.architecture import Architecture, Part, hidden_weights
from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.bus.register_map import Register
from kakure.hdl.shape.numbers import signed_bits
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters

from .core import TemporalCore
from .core_shape import TemporalCoreShape
from .image import loading_cycles, program_sections
from .image_writer import image_cycles, image_layout, image_value
from .logit_sender import sender_cycles
from .operation import Sizes, needs_of, operation_layout, operation_values, sizes_of
from .planner import program_of
from .program import LayerOperation, Program
from .program_reader import record_words
from .timing import layer_work, operation_cycles
from .widths import SUM_BITS, misfit

__all__ = ["Temporal"]


class Temporal(Architecture):
    """One array, on which the layers take turns."""

    @property
    def array(self) -> TemporalConfig:
        """The array's sizes."""
        return TemporalConfig.of(self.config.accelerator)

    @property
    def name(self) -> str:
        """The chip's, or the network's."""
        return self.array.name or self.config.name

    @property
    def digest(self) -> str:
        """Of a chip for many networks, or of the configuration."""
        if self.array.name is None:
            return self.config.digest
        text = json.dumps(self.array.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def own_registers(self) -> tuple[Register, ...]:
        """What the array does in its cycles."""
        return TemporalCore.own_registers

    @property
    def counts(self) -> dict[str, int]:
        """Cycles by what the array does in them, and the products of one bit that it makes."""
        layers = [o for o in self.program.operations if isinstance(o, LayerOperation)]
        works = [layer_work(operation) for operation in layers]
        return {
            "COMPUTES": sum(work.computes for work in works),
            "WAITS_WEIGHTS": sum(work.waits_weights for work in works),
            "WAITS_WINDOWS": sum(work.waits_windows for work in works),
            "WAITS_RESULTS": sum(work.waits_results for work in works),
            "LANES": sum(o.geometry.weights * o.positions * sum(o.digit_planes) for o in layers),
        }

    @cached_property
    def program(self) -> Program:
        """The network's operations."""
        return program_of(self.config)

    @cached_property
    def sizes(self) -> Sizes:
        """What the accelerator holds."""
        return sizes_of(self.program, self.array)

    def check(self) -> None:
        """See that the weights are made on chip, sums are exact, and fit."""
        weights = hidden_weights(self.config)
        if weights.generator != "xorshift32":
            raise UserError(
                "must be 'xorshift32' for a temporal accelerator, which makes rows in any order",
                where=("weights", "generator"),
                value=repr(weights.generator),
            )
        for size, needed in needs_of(self.program, self.array).items():
            given = getattr(self.array, size)
            if given is not None and given < needed:
                raise UserError(
                    f"must be at least {needed} for this network",
                    where=("accelerator", size),
                    value=given,
                )
        for index, (layer, geometry) in enumerate(
            zip(self.config.layers, self.config.geometry, strict=True)
        ):
            if not layer.is_exact:
                raise UserError(
                    "must have exact sums for a temporal accelerator, as 'pe_array'",
                    where=("layers", index, "engine"),
                    value=repr(layer.engine),
                )
            bits = signed_bits(geometry.peak)
            if bits > SUM_BITS:
                raise UserError(
                    f"must have sums of at most {SUM_BITS} bits for a temporal accelerator",
                    where=("layers", index),
                    value=bits,
                )

        self._check_widths()

    def _check_widths(self) -> None:
        """See that every number of the program has room in its field."""
        sizes, array, program = self.sizes, self.array, self.program
        image = image_value(program.image, sizes.rows, array.slots)
        height, width, channels = self.config.shape
        words = -(-height * width * channels // 4)
        found = misfit(image_layout(sizes.rows, array.slots), image)
        if words > 1 << TOLD_BITS:
            found = "words", 1 << TOLD_BITS, words
        if found is not None:
            self._refuse(("input_shape",), *found)
        layout = operation_layout(array, sizes)
        values = operation_values(self.config, program, sizes.rows)
        index = 0
        for operation, value in zip(program.operations, values, strict=True):
            found = misfit(layout, value)
            if found is not None:
                self._refuse(("layers", index), *found)
            index += isinstance(operation, LayerOperation)

    def _refuse(self, where: tuple[str | int, ...], name: str, most: int, value: int) -> None:
        what = name.replace("_", " ")
        raise UserError(
            f"must have {what} of at most {most} for a temporal accelerator",
            where=where,
            value=value,
        )

    def core(self) -> Core:
        """The hardware."""
        return TemporalCore(config=self.config)

    def shape(self, *, has_layers: bool = True) -> TemporalCoreShape:
        """Sizes of the core, in which no block is a layer's alone."""
        return TemporalCoreShape.of(self.array, self.sizes)

    def timing(self, images: int = 1) -> ImageTiming:
        """Cycles of ``images`` images in a row, exactly."""
        taken = image_cycles(self.program.image, self.array.word)
        operations = [operation_cycles(operation) for operation in self.program.operations]
        sends = sender_cycles(self.config.geometry[-1].outputs, self.array.outputs)
        fetches = record_words(operation_layout(self.array, self.sizes)) + 1
        results, free, sent = [], 0, 0
        for _ in range(images):
            cycle = free + taken  # of the first word of an operation
            for number, cycles in enumerate(operations, 1):
                start = cycle + fetches
                if number == len(operations):
                    start = max(start, sent)
                cycle = start + cycles + 1
            free = cycle
            sent = cycle + sends
            results.append(sent)
        return ImageTiming(tuple(results))

    @property
    def layer_cycles(self) -> tuple[int, ...]:
        """Those of its operations: of a layer, and of the sums before it."""
        result, before = [], 0
        for operation in self.program.operations:
            before += operation_cycles(operation)
            if isinstance(operation, LayerOperation):
                result.append(before)
                before = 0
        return tuple(result)

    @property
    def images_at_once(self) -> int:
        """One."""
        return 1

    @property
    def settle_cycles(self) -> int:
        """Nothing has to settle."""
        return 0

    def sections(self, parameters: Parameters) -> list[list[int]]:
        """The program with the first layer's section, and those of the other layers."""
        program, first, *others = program_sections(
            self.config, parameters, self.program, self.array, self.sizes
        )
        return [program + first, *others]

    def loading_cycles(self, parameters: Parameters) -> int:
        """Cycles from the first to the last word of all sections, both counted."""
        return loading_cycles(self.config, parameters, self.program, self.array, self.sizes)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be seen by itself."""
        names = ("array", "maker", "reader", "finisher")
        return tuple(Part(name, f"processor.{name}") for name in names)

    @property
    def arithmetic_blocks(self) -> int:
        """Adder trees and multipliers, which is about what a simulation costs."""
        return self.array.outputs * (self.array.pixels + 2)
