"""Words of a window: where they lie, and which of them are there."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from .address import add_address
from .bank_port import BankPort
from .program import DIGIT
from .window_place import WindowPlace

__all__ = ["WindowWords"]


class WindowWords:
    """Reads all words of a position's window at once, one of each bank.

    Neighbouring slots lie in neighbouring banks: which one is first decides for all.

    Parameters
    ----------
    layer : View of :func:`.positions_layout`
        Stays while it is read.
    port : BankPort
        Of the memory.
    word : int
        Channels of a word.

    Attributes
    ----------
    is_read : Signal
        A bit for each slot: its word is there, neither in the padding nor beyond the window.
    """

    def __init__(self, *, layer: Any, port: BankPort, word: int) -> None:
        self.layer = layer
        self.port = port
        self.banks = port.banks
        self.word = word
        self.is_read, self._was_read = Signal(self.banks), Signal(self.banks)
        self._first_bank, self._turn = Value.cast(0), Signal(range(self.banks))

    def ask(
        self, m: Module, *, now: WindowPlace, slots: list[Any], digit: Signal, goes: Value
    ) -> None:
        """Read in ``m`` a digit of a position's words in a cycle of ``goes``."""
        layer, banks = self.layer, self.banks
        origin: Any = Signal(now.address.shape(), name="digit_origin")
        second = add_address(m, now.address, layer.plane, banks, "second")
        m.d.comb += Value.cast(origin).eq(
            Mux(digit == 0, Value.cast(now.address), Value.cast(second))
        )
        rows = []
        for n, slot in enumerate(slots):
            at = add_address(m, origin, slot.distance, banks, f"word_{n}")
            if n == 0:
                self._first_bank = at.bank
            rows.append(at.row)
            y, x = now.y + slot.ky, now.x + slot.kx
            m.d.comb += self.is_read[n].eq(
                slot.is_there & (now.left != 0)
                & (y >= 0) & (y < layer.height) & (x >= 0) & (x < layer.width)
            )  # fmt: skip
        for bank in range(banks):
            turned = [(bank - turn) % banks for turn in range(banks)]
            is_read = Array(self.is_read[n] for n in turned)[self._first_bank]
            m.d.comb += self.port.row[bank].eq(Array(rows[n] for n in turned)[self._first_bank])
            m.d.comb += self.port.enable[bank].eq(goes & is_read)

    def follow(self) -> list[Any]:
        """Statements of the cycle in which words are read: what came is known in the next one."""
        return [self._was_read.eq(self.is_read), self._turn.eq(self._first_bank)]

    def came(self) -> Value:
        """Digits of all inputs, slot by slot; 0 where nothing was read."""
        banks = self.banks
        return Cat(
            Array(self.port.words[(n + start) % banks] for start in range(banks))[self._turn]
            & self._was_read[n].replicate(self.word * DIGIT)
            for n in range(banks)
        )
