"""Flat bit vectors, which is what the ports of a block are in Verilog, and the numbers in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Field", "Fields", "signed_bits"]


def signed_bits(peak: int) -> int:
    """Width of a two's complement number −``peak`` .. ``peak``, ``peak`` at least 1 [bit]."""
    return peak.bit_length() + 1


@dataclass(frozen=True)
class Field:
    """A number in a bit vector.

    Attributes
    ----------
    name : str
        What it is called where it differs.
    bits : int
        Its width; 0 for a number that can only be 0.
    is_signed : bool
    """

    name: str
    bits: int
    is_signed: bool = False


class Fields:
    """The numbers of a bit vector, from the least significant bit on.

    Parameters
    ----------
    fields : sequence of Field
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)

    @classmethod
    def array(cls, names: Iterable[str], bits: int, *, is_signed: bool = False) -> "Fields":
        """Numbers of one width."""
        return cls([Field(name, bits, is_signed) for name in names])

    @property
    def bits(self) -> int:
        """Width of the whole vector."""
        return sum(field.bits for field in self.fields)

    def pack(self, values: Iterable[int]) -> int:
        """Return the vector of one value per field.

        Raises
        ------
        ValueError
            If a value does not fit its field, or their number is not that of the fields.
        """
        word = 0
        start = 0
        for field, given in zip(self.fields, values, strict=True):
            value = int(given)
            low = -(1 << field.bits - 1) if field.is_signed else 0
            if not low <= value < low + (1 << field.bits):
                raise ValueError(f"{field.name} must fit {field.bits} bits, not {value}")
            word |= (value & (1 << field.bits) - 1) << start
            start += field.bits
        return word

    def unpack(self, word: int) -> list[int]:
        """Return the value of every field."""
        return [value for _, value in self._values(word)]

    def difference(self, expected: int, got: int) -> str | None:
        """Name the first field that differs, what was expected and what came; None if none does."""
        for (field, right), (_, value) in zip(
            self._values(expected), self._values(got), strict=True
        ):
            if right != value:
                return f"{field.name}: expected {right}, got {value}"
        return None if expected == got else f"expected {expected:#x}, got {got:#x}"

    def _values(self, word: int) -> Iterator[tuple[Field, int]]:
        for field in self.fields:
            value = word & (1 << field.bits) - 1
            word >>= field.bits
            if field.is_signed and value >> field.bits - 1:
                value -= 1 << field.bits
            yield field, value
