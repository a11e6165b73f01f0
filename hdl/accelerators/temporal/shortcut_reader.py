"""What is added to the sums of a position: read from a map, as activations of the result."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from .bank_port import BankPort
from .program import DIGIT
from .widths import CODE_BITS
from .word_turns import WordTurns

__all__ = ["ShortcutReader"]


class ShortcutReader:
    """Reads the words of a shortcut, where there is one, and says when the sums may go on.

    Equal to :func:`kakure.model.reference.stages.shortcut`.

    Parameters
    ----------
    layer : View of :func:`.target_layout`
        Stays while it is worked on.
    port : BankPort
        Of the memory that has the map.
    outputs, word : int
        Channels of a position that are finished at once; channels of a word.
    rows : int
        Of a bank.

    Attributes
    ----------
    is_ready : Signal
        Two cycles after a position without a shortcut; or all words of its shortcut are there.
    values : list of Value
        What is added to each channel then; 0 without a shortcut.
    """

    def __init__(self, *, layer: Any, port: BankPort, outputs: int, word: int, rows: int) -> None:
        self.layer = layer
        self.port = port
        self.word = word
        self.turns = WordTurns(
            walk=layer.added, parts=outputs // word, banks=port.banks, rows=rows, name="added"
        )
        self.is_ready = Signal(name="ready")
        self._codes = [
            Signal(CODE_BITS, name=f"added_{o}", reset_less=True) for o in range(outputs)
        ]
        self.values: list[Value] = [
            Mux(layer.has_added, (code << layer.left) >> layer.right, 0) for code in self._codes
        ]

    def build(self, m: Module, *, goes: Signal, at: Any, many: Value) -> None:
        """Read in ``m``, for a position in a cycle of ``goes``, ``many`` words from ``at`` on."""
        layer, turns = self.layer, self.turns
        turns.build(m, begins=goes & layer.has_added, at=at, many=many)
        self.port.ask(m, turns.goes, turns.address)
        came, came_last = Signal(), Signal()
        m.d.sync += [came.eq(turns.goes), came_last.eq(turns.goes & turns.is_last)]
        self._keep(m, came)
        has_read, plain = Signal(), Signal(2)
        m.d.sync += has_read.eq(came_last)
        m.d.sync += plain.eq(Cat(goes & ~layer.has_added, plain))
        m.d.comb += self.is_ready.eq(Mux(layer.has_added, has_read, plain[-1]))

    def _keep(self, m: Module, came: Signal) -> None:
        """Keep the digit that ``came``, of all channels of its word."""
        turns = self.turns
        its_bank, its_number, its_digit = (
            Signal(range(self.port.banks)),
            Signal.like(turns.number),
            Signal(),
        )
        with m.If(turns.goes):
            m.d.sync += [its_bank.eq(turns.address.bank), its_number.eq(turns.number)]
            m.d.sync += its_digit.eq(turns.is_second)
        word = Signal(self.word * DIGIT)
        m.d.comb += word.eq(self.port.came(its_bank))
        for o, code in enumerate(self._codes):
            part, lane = divmod(o, self.word)
            bits = word.word_select(lane, DIGIT)
            with m.If(came & (its_number == part)):
                m.d.sync += code.eq(Mux(its_digit, Cat(code[:DIGIT], bits), bits))
