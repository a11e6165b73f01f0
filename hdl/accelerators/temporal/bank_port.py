"""A port of all banks of a memory of activations, of which one has the word that is wanted."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Array, Module, Signal, Value

__all__ = ["BankPort"]


@dataclass(frozen=True)
class BankPort:
    """What each bank is told, and the words.

    Attributes
    ----------
    enable : Signal
        A bit for each bank: it is read, or written, at the end of the cycle.
    row : View
        The row of each bank.
    words : View
        What was read last of each bank, or what is written.
    """

    enable: Signal
    row: Any
    words: Any

    @property
    def banks(self) -> int:
        """How many banks there are."""
        return len(self.enable)

    def ask(self, m: Module, goes: Value, at: Any) -> None:
        """Read the word at an address in a cycle of ``goes``."""
        for bank in range(self.banks):
            self._choose(m, bank, goes, at)

    def came(self, bank: Value) -> Value:
        """The word that was read, given the bank of its address."""
        return Array(self.words[n] for n in range(self.banks))[bank]

    def write(self, m: Module, goes: Value, at: Any, word: Value) -> None:
        """Write a word at an address in a cycle of ``goes``."""
        for bank in range(self.banks):
            self._choose(m, bank, goes, at)
            m.d.comb += self.words[bank].eq(word)

    def _choose(self, m: Module, bank: int, goes: Value, at: Any) -> None:
        m.d.comb += self.enable[bank].eq(goes & (at.bank == bank))
        m.d.comb += self.row[bank].eq(at.row)
