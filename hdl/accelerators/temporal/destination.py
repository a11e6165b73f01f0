"""Where the words of a finished position go, while the position passes through a pipeline."""

from typing import Any

from amaranth.hdl import Shape, Signal, Value
from amaranth.lib import data

__all__ = ["Destination"]


class Destination:
    """Signals of a stage that move together to the next one.

    Parameters
    ----------
    address : Layout
        Of an address, as :func:`.address_layout` has it.
    many : Shape
        Of a number of words.
    name : str
        Of the stage.

    Attributes
    ----------
    is_last : Signal
        The position is a layer's last one.
    at : View
        Address of its first word.
    many : Signal
        Its words.
    """

    def __init__(self, address: data.Layout, many: Shape, name: str) -> None:
        self.is_last = Signal(name=f"{name}_is_last", reset_less=True)
        self.at: Any = Signal(address, name=f"{name}_at", reset_less=True)
        self.many = Signal(many, name=f"{name}_many", reset_less=True)

    @property
    def parts(self) -> tuple[Value, Any, Value]:
        """All signals, in the order in which :meth:`follow` takes them."""
        return self.is_last, self.at, self.many

    def follow(self, is_last: Value, at: Any, many: Value) -> list[Any]:
        """Statements that make it this one."""
        return [
            self.is_last.eq(is_last),
            Value.cast(self.at).eq(Value.cast(at)),
            self.many.eq(many),
        ]
