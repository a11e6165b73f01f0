"""The temporal accelerator, as all that works on accelerators sees it."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property

from kakure.hdl.accelerators.architecture import Architecture, Part, hidden_weights
from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.bus.register_map import PLANES, THRESHOLD, Register
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.shape.numbers import signed_bits
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters

from .core import TemporalCore, has_choice
from .core_shape import TemporalCoreShape
from .image import loading_cycles, program_sections, program_words
from .image_writer import image_cycles, image_layout, image_value
from .logit_sender import sender_cycles
from .operation import Sizes, needs_of, operation_layout, operation_values, sizes_of
from .planner import program_of
from .program import LayerOperation, Program
from .record import record_words
from .timing import layer_work, operation_cycles
from .widths import misfit

__all__ = ["Temporal"]


class Temporal(Architecture):
    """One array, on which the layers take turns."""

    schedule = "One layer works after the other, on one array."

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
        planes = planes_of(self.config)
        facts = self.array.model_dump(mode="json") | ({"planes": planes} if planes else {})
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def own_registers(self) -> tuple[Register, ...]:
        """What the array does in its cycles."""
        planes = (PLANES,) if planes_of(self.config) else ()
        planes += (THRESHOLD,) if has_choice(self.config) else ()
        return (*TemporalCore.own_registers, *planes)

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
            "LANES": sum(
                o.planes * o.geometry.weights * o.positions * sum(o.digit_planes) for o in layers
            ),
        }

    @cached_property
    def program(self) -> Program:
        """The network's operations."""
        return program_of(self.config)

    @cached_property
    def sizes(self) -> Sizes:
        """What the accelerator holds."""
        return sizes_of(self.program, self.array, planes_of(self.config))

    def check(self) -> None:
        """See that the weights have hardware, sums are exact, and fit."""
        weights = None if planes_of(self.config) else hidden_weights(self.config)
        if weights is not None and weights.generator != "xorshift32":
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
            most = self.sizes.sum_bits
            if bits > most:
                raise UserError(
                    f"must have sums of at most {most} bits for a temporal accelerator",
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
        sends = self._sends
        results, free, sent = [], 0, 0
        for _ in range(images):
            free = self._worked(free, sent)
            sent = free + sends
            results.append(sent)
        return ImageTiming(tuple(results))

    @property
    def _sends(self) -> int:
        """Cycles of a result."""
        return sender_cycles(self.config.geometry[-1].outputs, self.array.outputs)

    @cached_property
    def _operation_cycles(self) -> list[int]:
        """Cycles of each operation."""
        return [operation_cycles(operation) for operation in self.program.operations]

    def _worked(self, free: int, sent: int) -> int:
        """The first cycle after an image's work, which begins as words are taken from ``free``.

        ``sent`` is the first one after the result before it.
        """
        taken = image_cycles(self.program.image, self.array.word)
        fetches = record_words(operation_layout(self.array, self.sizes)) + 1
        cycle = free + taken  # of the first word of an operation
        for number, cycles in enumerate(self._operation_cycles, 1):
            start = cycle + fetches
            if number == len(self._operation_cycles):
                start = max(start, sent)
            cycle = start + cycles + 1
        return cycle

    def dynamic_timing(self, passes: Sequence[Sequence[int]], last: int) -> ImageTiming:
        """Cycles of images that are tried with one number of planes after the other, exactly."""
        at = {n: Temporal(self.config.at(n)) for n in {n for planes in passes for n in planes}}
        results, free, sent = [], 0, 0
        for planes in passes:
            for number, used in enumerate(planes):
                free = at[used]._worked(free, sent)
                is_judged = used < last and self.config.geometry[-1].outputs > 1
                free += self._sends + 1 if is_judged else 0
                if number == len(planes) - 1:
                    sent = free + self._sends
            results.append(sent)
            if planes[0] < last:  # the next image waits for the result
                free = sent
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

    @property
    def section_layers(self) -> tuple[int, ...]:
        """The layer of each section."""
        return tuple(range(len(self.config.layers)))

    @property
    def section_heads(self) -> tuple[int, ...]:
        """The program before the first layer, which has a checksum of its own."""
        program = program_words(self.config, self.program, self.array, self.sizes)
        return (len(program), *(0 for _ in self.config.layers[1:]))

    @property
    def scale_sets(self) -> int:
        """Those of each number of planes."""
        return self.sizes.sets

    def loading_cycles(self, parameters: Parameters) -> int:
        """Cycles from the first to the last word of all sections, both counted."""
        return loading_cycles(self.config, parameters, self.program, self.array, self.sizes)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be seen by itself."""
        names = ("array", "maker", "masks", "reader", "finisher", "summer")
        parts = [Part(name, f"processor.{name}") for name in names]
        return (*parts, Part("activations", "processor.memory_*"), Part("program", "program"))

    @property
    def arithmetic_blocks(self) -> int:
        """Adder trees and multipliers, which is about what a simulation costs."""
        return self.array.outputs * (self.array.pixels + 2)
