"""Words of a position one after the other, each digit by digit."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from .address import add_address, address_layout, address_value

__all__ = ["WordTurns"]


class WordTurns:
    """Addresses of the words of a position, in as many cycles as they have digits.

    Parameters
    ----------
    walk : View of :func:`.walk_layout`
        The map: where its second digits are, if it has them. Stays while there are words.
    parts : int
        Most words of a position.
    banks, rows : int
        Of a memory of activations.
    name : str
        Begins the names of all signals.

    Attributes
    ----------
    goes : Signal
        In this cycle it is the turn of a word.
    address : View of :func:`.address_layout`
        Where the digit is.
    number, is_second : Signal
        Which word of the position it is, and whether it is the second digit.
    is_last : Signal
        No other one follows.
    """

    def __init__(self, *, walk: Any, parts: int, banks: int, rows: int, name: str) -> None:
        self.walk = walk
        self.parts = parts
        self.banks = banks
        self.name = name
        self.layout = address_layout(rows, banks)
        self.goes = Signal(name=f"{name}_goes")
        self.address: Any = Signal(self.layout, name=f"{name}_address")
        self.number = Signal(range(parts), name=f"{name}_shown")
        self.is_second = Signal(name=f"{name}_is_second")
        self.is_last = Signal(name=f"{name}_last")
        self._one = self.layout.const(address_value(1, rows, banks))

    def build(self, m: Module, *, begins: Value, at: Any, many: Value) -> None:
        """Take turns in ``m``: ``many`` words from ``at`` on, the first in a cycle of ``begins``.

        ``begins`` comes when there are no words, or with the last of them.
        """
        walk, name = self.walk, self.name
        is_busy = Signal(name=f"{name}_busy")
        number, digit = Signal(range(self.parts), name=f"{name}_n"), Signal(name=f"{name}_digit")
        held: Any = Signal(self.layout, name=f"{name}_held", reset_less=True)
        base: Any = Signal(self.layout, name=f"{name}_base")
        m.d.comb += self.goes.eq(begins | is_busy)
        m.d.comb += Value.cast(base).eq(Mux(begins, Value.cast(at), Value.cast(held)))
        second = add_address(m, base, walk.plane, self.banks, f"{name}_second")
        is_second = digit & ~begins
        m.d.comb += Value.cast(self.address).eq(
            Mux(is_second, Value.cast(second), Value.cast(base))
        )
        on = add_address(m, base, self._one, self.banks, f"{name}_on")
        now = Mux(begins, 0, number)
        is_digit_end = ~walk.has_two_digits | is_second
        asked = Signal(range(self.parts + 1), name=f"{name}_asked")
        with m.If(begins):
            m.d.sync += asked.eq(many)
        m.d.comb += self.is_last.eq(is_digit_end & (now + 1 == Mux(begins, many, asked)))
        with m.If(self.goes):
            m.d.sync += [is_busy.eq(~self.is_last), digit.eq(~is_digit_end), number.eq(now)]
            m.d.sync += Value.cast(held).eq(Value.cast(base))
            with m.If(is_digit_end):
                m.d.sync += [number.eq(now + 1), Value.cast(held).eq(Value.cast(on))]
        m.d.comb += [self.number.eq(now), self.is_second.eq(is_second)]
