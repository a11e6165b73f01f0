"""What a benchmark measures."""

from dataclasses import dataclass

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """One speed, beside another way of doing the same in the same run.

    Attributes
    ----------
    what, unit : str
    value, other : float
        Kakure's, and the other way's.
    way : str
        What the other way is.
    ratio : float
        How many times as fast Kakure is.
    """

    what: str
    unit: str
    value: float
    way: str
    other: float
    ratio: float
