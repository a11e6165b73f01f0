"""What a kind of accelerator must say of itself to be generated, proven and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS, Register
from kakure.hdl.shape.block_shape import BlockShape
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters

from .core import Core
from .image_timing import ImageTiming

__all__ = ["Architecture", "Part", "hidden_weights"]


def hidden_weights(config: Config) -> HiddenWeights:
    """The weights of a configuration, which its accelerator makes on chip; UserError if not."""
    if not isinstance(config.weights, HiddenWeights):
        raise UserError(
            "must be 'hidden' for an accelerator, whose weights are made on chip",
            where=("weights", "kind"),
            value=repr(config.weights.kind),
        )
    return config.weights


@dataclass(frozen=True)
class Part:
    """An instance below the core that a person wants to see by itself.

    Attributes
    ----------
    label : str
    path : str
        Its place below the core, or with * at the end those of several instances.
    layer : int or None
        The layer that alone uses it.
    """

    label: str
    path: str
    layer: int | None = None


class Architecture(Protocol):
    """A whole core behind the buses and registers that all accelerators share.

    A kind is a folder that implements this, and a line in :mod:`kakure.hdl.accelerators.table`.

    Parameters
    ----------
    config : Config
        Its ``accelerator`` is of this kind.
    """

    config: Config

    schedule = "When each layer works, this kind does not say."
    """When each layer works, in a sentence for a person."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def name(self) -> str:
        """What the hardware is called: the network's name, but of a chip for many."""
        return self.config.name

    @property
    def digest(self) -> str:
        """SHA-256 of what its registers say it is: the configuration, but of a chip for many."""
        return self.config.digest

    @property
    def own_registers(self) -> tuple[Register, ...]:
        """Registers of this kind alone."""
        return ()

    @property
    def registers(self) -> tuple[Register, ...]:
        """All registers, those of its own last."""
        return ACCELERATOR_REGISTERS + self.own_registers

    @property
    def counts(self) -> dict[str, int]:
        """By how much an image raises registers of its own; NAME stands for NAME_LOW, NAME_HIGH."""
        return {}

    def check(self) -> None:
        """See that the configuration can become hardware; UserError if not."""
        ...

    def core(self) -> Core:
        """The hardware."""
        ...

    def shape(self, *, has_layers: bool = True) -> BlockShape:
        """Sizes of the core; UserError if a part has no closed form.

        Without the blocks of single layers, where there are such, if not ``has_layers``.
        """
        ...

    def timing(self, images: int = 1) -> ImageTiming:
        """Cycles of ``images`` images in a row, exactly."""
        ...

    def dynamic_timing(self, passes: Sequence[Sequence[int]], last: int) -> ImageTiming:
        """Cycles of images that are tried with one number of planes after the other, exactly.

        Parameters
        ----------
        passes : sequence of sequence of int
            Planes of bitwise weights that each image is tried with, at least one.
        last : int
            The largest number of planes that is asked for: its result is not judged.
        """
        ...

    @property
    def layer_cycles(self) -> tuple[int, ...]:
        """Cycles in which each layer is worked on for an image; those of layers may overlap."""
        ...

    @property
    def images_at_once(self) -> int:
        """Images after which the next one takes as much work and time as any."""
        ...

    @property
    def settle_cycles(self) -> int:
        """Cycles after a reset before :meth:`timing` holds for a first image."""
        ...

    def sections(self, parameters: Parameters) -> list[list[int]]:
        """The 32-bit words that load a network, in sections that can fail by themselves."""
        ...

    @property
    def section_layers(self) -> tuple[int, ...]:
        """The layer of each section."""
        ...

    @property
    def section_heads(self) -> tuple[int, ...]:
        """Words that each section begins with, which the checksum at its end does not cover."""
        return (0,) * len(self.section_layers)

    @property
    def scale_sets(self) -> int:
        """Scales of every channel in a section; one, but where it has those of all planes."""
        return 1

    def loading_cycles(self, parameters: Parameters) -> int:
        """Cycles from the first to the last word of all sections, both counted."""
        ...

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be seen by itself."""
        ...

    @property
    def arithmetic_blocks(self) -> int:
        """Adder trees and multipliers, which is about what a simulation costs."""
        ...
