"""Activations of a position, written word by word and digit by digit."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from .bank_port import BankPort
from .destination import Destination
from .program import DIGIT
from .widths import DIGITS
from .word_turns import WordTurns

__all__ = ["CodeWriter"]


class CodeWriter:
    """Writes the codes of a position into the layer's map.

    Parameters
    ----------
    layer : View of :func:`.target_layout`
        Stays while it is written.
    port : BankPort
        Of the memory that has the map.
    outputs, word : int
        Channels of a position that are finished at once; channels of a word.
    rows : int
        Of a bank.

    Attributes
    ----------
    has_written : Signal
        Set with the last word of the layer's last position; cleared by whoever looks at it.
    """

    def __init__(self, *, layer: Any, port: BankPort, outputs: int, word: int, rows: int) -> None:
        self.port = port
        self.word = word
        self.parts = outputs // word
        self.has_written, self._ends = Signal(), Signal(name="ends")
        self.turns = WordTurns(
            walk=layer.target, parts=self.parts, banks=port.banks, rows=rows, name="write"
        )

    def build(self, m: Module, *, writes: Signal, where: Destination, codes: list[Signal]) -> None:
        """Write in ``m`` the codes that are there from a cycle of ``writes`` on."""
        turns, ends = self.turns, self._ends
        turns.build(m, begins=writes, at=where.at, many=where.many)
        with m.If(writes):
            m.d.sync += ends.eq(where.is_last)
        with m.If(turns.goes & turns.is_last & Mux(writes, where.is_last, ends)):
            m.d.sync += self.has_written.eq(1)
        self.port.write(m, turns.goes, turns.address, self._word(codes))

    def _word(self, codes: list[Signal]) -> Value:
        """The digits whose turn it is."""
        words = []
        for part in range(self.parts):
            some = codes[part * self.word : (part + 1) * self.word]
            low, high = (Cat(code.word_select(d, DIGIT) for code in some) for d in range(DIGITS))
            words.append(Mux(self.turns.is_second, high, low))
        return Array(words)[self.turns.number] if self.parts > 1 else words[0]
