"""Sums of each channel over a map, shifted and clamped."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .address import add_address, address_layout, address_value
from .bank_port import BankPort
from .program import DIGIT, SumOperation
from .summer_shape import SummerShape
from .walk import walk_layout, walk_value
from .widths import CODE_BITS, COUNT_BITS, DIGITS, TOTAL_BITS

__all__ = ["Summer", "sum_cycles", "sum_layout", "sum_value"]


def sum_layout(rows: int, banks: int) -> data.StructLayout:
    """A map that is summed, and where the sums go."""
    return data.StructLayout({
        "source": walk_layout(rows, banks),
        "target": address_layout(rows, banks),
        "target_plane": address_layout(rows, banks),
        "target_has_two_digits": 1,
        "height": COUNT_BITS,
        "width": COUNT_BITS,
        "words": COUNT_BITS,
        "shift": range(21),
        "bits": range(CODE_BITS + 1),
    })


class Summer(wiring.Component):
    """Sums over all positions of a map, min(Σ >> shift, 2^bits − 1), to a map of one position.

    Bit-equal to :func:`kakure.model.reference.stages.sum_pool`. Word by word of channels: position
    by position, digit by digit.

    Parameters
    ----------
    word : int
        Channels of a word.
    banks, rows : int
        Of a memory of activations.

    Members
    -------
    layer : ``In(sum_layout(...))``
        Stays while it is worked on.
    start, is_done
        Begin; done from the cycle after the last word was written until then.
    read_enable, read_row, read, write_enable, write_row, write
        As those of :class:`~kakure.hdl.accelerators.temporal.finisher.Finisher`.

    Timing
    ------
    As :func:`sum_cycles` says.
    """

    layer: Any
    start: Signal
    is_done: Signal
    read_enable: Signal
    read_row: Any
    read: Any
    write_enable: Signal
    write_row: Any
    write: Any

    def __init__(self, *, word: int, banks: int, rows: int) -> None:
        self.word = word
        self.banks = banks
        self.rows = rows
        self.shape = SummerShape(word, banks, rows)
        self.address = address_layout(rows, banks)
        row = data.ArrayLayout(range(max(rows, 2)), banks)
        words = data.ArrayLayout(word * DIGIT, banks)
        super().__init__({
            "layer": In(sum_layout(rows, banks)),
            "start": In(1),
            "is_done": Out(1),
            "read_enable": Out(banks),
            "read_row": Out(row),
            "read": In(words),
            "write_enable": Out(banks),
            "write_row": Out(row),
            "write": Out(words),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        layer = self.layer
        reads, clears, writes = Signal(), Signal(), Signal()
        digit = Signal()
        at: Any = Signal(self.address, name="at", reset_less=True)
        first: Any = Signal(self.address, name="first", reset_less=True)  # of this word
        to: Any = Signal(self.address, name="to", reset_less=True)
        x, y = Signal(COUNT_BITS, reset_less=True), Signal(COUNT_BITS, reset_less=True)
        word = Signal(COUNT_BITS, reset_less=True)
        is_row_end = x == layer.width - 1
        is_end = is_row_end & (y == layer.height - 1)
        is_last_digit = digit == layer.source.has_two_digits
        one = self.address.const(address_value(1, self.rows, self.banks))
        step: Any = Signal(self.address, name="step")
        m.d.comb += Value.cast(step).eq(
            Mux(is_row_end, Value.cast(layer.source.next_row),
                Value.cast(layer.source.next_position))
        )  # fmt: skip
        on = add_address(m, at, step, self.banks, "on")
        next_word = add_address(m, first, one, self.banks, "next_word")
        next_to = add_address(m, to, one, self.banks, "next_to")
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [self.is_done.eq(0), word.eq(0)]
                m.d.sync += Value.cast(first).eq(Value.cast(layer.source.origin))
                m.d.sync += Value.cast(to).eq(Value.cast(layer.target))
                m.next = "WORD"
            with m.State("WORD"):
                m.d.comb += clears.eq(1)
                m.d.sync += [Value.cast(at).eq(Value.cast(first)), x.eq(0), y.eq(0), digit.eq(0)]
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += reads.eq(1)
                m.d.sync += digit.eq(~is_last_digit)
                with m.If(is_last_digit):
                    m.d.sync += [Value.cast(at).eq(Value.cast(on)), x.eq(x + 1)]
                    with m.If(is_row_end):
                        m.d.sync += [x.eq(0), y.eq(y + 1)]
                    with m.If(is_end):
                        m.next = "LAST"
            with m.State("LAST"):  # the last word is being added
                m.d.sync += digit.eq(0)
                m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += writes.eq(1)
                m.d.sync += digit.eq(1)
                with m.If(digit == layer.target_has_two_digits):
                    m.d.sync += word.eq(word + 1)
                    m.d.sync += Value.cast(first).eq(Value.cast(next_word))
                    m.d.sync += Value.cast(to).eq(Value.cast(next_to))
                    m.next = "WORD"
                    with m.If(word == layer.words - 1):
                        m.d.sync += self.is_done.eq(1)
                        m.next = "IDLE"
        self._add(m, reads, clears, digit, at)
        self._write(m, writes, digit, to)
        return m

    def _chosen(self, m: Module, at: Any, plane: Any, digit: Value, name: str) -> Any:
        """The address of a digit."""
        second = add_address(m, at, plane, self.banks, f"{name}_second")
        address: Any = Signal(self.address, name=f"{name}_address")
        m.d.comb += Value.cast(address).eq(Mux(digit, Value.cast(second), Value.cast(at)))
        return address

    def _add(self, m: Module, reads: Signal, clears: Signal, digit: Signal, at: Any) -> None:
        address = self._chosen(m, at, self.layer.source.plane, digit, "read")
        port = BankPort(self.read_enable, self.read_row, self.read)
        port.ask(m, reads, address)
        came, its_digit, its_bank = Signal(), Signal(), Signal(range(self.banks))
        m.d.sync += [came.eq(reads), its_digit.eq(digit), its_bank.eq(address.bank)]
        word = port.came(its_bank)
        self._totals = []
        for lane in range(self.word):
            total = Signal(TOTAL_BITS, name=f"total_{lane}", reset_less=True)
            value = word.word_select(lane, DIGIT)
            with m.If(clears | came):
                new = total + Mux(its_digit, value << DIGIT, value)
                m.d.sync += total.eq(Mux(clears, 0, new))
            self._totals.append(total)

    def _write(self, m: Module, writes: Signal, digit: Signal, to: Any) -> None:
        layer = self.layer
        address = self._chosen(m, to, layer.target_plane, digit, "write")
        peak = Signal(CODE_BITS)
        m.d.comb += peak.eq((1 << layer.bits) - 1)
        codes = []
        for lane, total in enumerate(self._totals):
            shifted = Signal(TOTAL_BITS, name=f"shifted_{lane}")
            code = Signal(CODE_BITS, name=f"code_{lane}")
            m.d.comb += shifted.eq(total >> layer.shift)
            m.d.comb += code.eq(Mux(shifted > peak, peak, shifted))
            codes.append(code)
        low, high = (Cat(code.word_select(d, DIGIT) for code in codes) for d in range(DIGITS))
        port = BankPort(self.write_enable, self.write_row, self.write)
        port.write(m, writes, address, Mux(digit, high, low))


def sum_cycles(operation: SumOperation) -> int:
    """Cycles from the one after ``start`` to the one in which the last word is written."""
    source, target = operation.source, operation.target
    positions = source.height * source.width
    return source.words * (2 + positions * source.digits + target.digits)


def sum_value(operation: SumOperation, rows: int, banks: int) -> dict[str, Any]:
    """An operation, as :func:`sum_layout` has it."""
    source, target = operation.source, operation.target
    return {
        "source": walk_value(source, rows, banks),
        "target": address_value(target.base, rows, banks),
        "target_plane": address_value(target.plane, rows, banks),
        "target_has_two_digits": target.digits - 1,
        "height": source.height,
        "width": source.width,
        "words": source.words,
        "shift": operation.shift,
        "bits": target.bits,
    }
