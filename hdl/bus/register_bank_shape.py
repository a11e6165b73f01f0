"""Size of the register bank."""

from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.shape.block_shape import FixedShape, Terms
from kakure.hdl.shape.numbers import Number, ceil_div

from .register_map import ACCELERATOR_REGISTERS

__all__ = ["RegisterBankShape"]

WORD = 32


@dataclass(frozen=True)
class RegisterBankShape(FixedShape):
    """The registers of every accelerator, and ``own`` words more that only show something."""

    own: Number = 0

    kind = "register_bank"
    parameters = ("own",)

    @cached_property
    def terms(self) -> Terms:
        """What all have, and the choice of another word."""
        return {**super().terms, "own": 1.0 * self.own}

    @cached_property
    def flops(self) -> Number:
        """CONTROL, the address and the data of a write that wait, and an answer of each kind.

        Of an address only whether it is CONTROL's is kept, of an answer whether it is an error.
        """
        (fields,) = (r.fields for r in ACCELERATOR_REGISTERS if r.name == "CONTROL")
        control = max(field.low + field.width for field in fields)
        address, data = 1 + 1, 1 + control + ceil_div(control, 8)
        written, read = 1 + 1, 1 + 1 + WORD
        return (control + address + data + written + read) * self.one
