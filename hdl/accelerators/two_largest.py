"""The two largest logits of an image, and whether they are far enough apart."""

from amaranth.hdl import Module, Signal, Value, signed

__all__ = ["TwoLargest"]


class TwoLargest:
    """Registers of the two largest of signed numbers that come one after the other.

    Their difference is that of :func:`kakure.model.reference.dynamic.margins`.

    Parameters
    ----------
    bits : int
        Width of a number [bit].

    Attributes
    ----------
    largest, second : Signal
        Of the numbers that came, of equal ones both; ``second`` is −2^(bits − 1) after the first.
    """

    def __init__(self, bits: int) -> None:
        self.least = -1 << (bits - 1)
        self.largest = Signal(signed(bits), reset_less=True)
        self.second = Signal(signed(bits), reset_less=True)

    def take(
        self, m: Module, number: Value, *, is_first: Value, keeps_largest: bool = True
    ) -> None:
        """Take a number in ``m``, within what says that there is one.

        Parameters
        ----------
        is_first : Value
            Those before do not count.
        keeps_largest : bool
            False where the caller keeps :attr:`largest`.
        """
        kept = [self.largest.eq(number)] if keeps_largest else []
        with m.If(is_first):
            m.d.sync += [*kept, self.second.eq(self.least)]
        with m.Elif(number > self.largest):
            m.d.sync += [*kept, self.second.eq(self.largest)]
        with m.Elif(number > self.second):
            m.d.sync += self.second.eq(number)

    def is_clear(self, threshold: Value) -> Value:
        """Whether they are at least ``threshold``, unsigned, apart."""
        return (self.largest - self.second).as_unsigned() >= threshold
