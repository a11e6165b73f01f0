"""Sizes of addresses in banks, and of an operation's record, which is mostly addresses."""

from dataclasses import dataclass

from kakure.hdl.shape.numbers import Number, at_least, choose, range_bits

__all__ = ["BanksShape", "record_width"]


@dataclass(frozen=True)
class BanksShape:
    """Memories of ``banks``, each of ``rows`` words."""

    banks: Number
    rows: Number

    @property
    def row_bits(self) -> Number:
        """Bits of a bank's row."""
        return range_bits(at_least(self.rows, 2))

    @property
    def address_bits(self) -> Number:
        """Bits of :func:`~kakure.hdl.accelerators.temporal.address.address_layout`."""
        return range_bits(self.banks) + self.row_bits

    @property
    def odd_banks(self) -> Number:
        """1 where a bank is no lower part of an address: they are no power of two."""
        return choose(self.banks & (self.banks - 1) > 0, 1.0, 0.0)


def record_width(address_bits: Number, pace: Number) -> Number:
    """Bits of an operation's record, without those that fill its last word.

    As :func:`~kakure.hdl.accelerators.temporal.operation.operation_layout` has it; ``pace`` is the
    most cycles between positions.
    """
    return 541 + 21 * address_bits + range_bits(pace + 1)
