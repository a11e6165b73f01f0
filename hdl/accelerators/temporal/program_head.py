"""The first section of a program: what the network is, and its operations."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream

from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.model.parameters.supermask_image import MAGIC

from .load_checks import LoadChecks
from .record import KIND, WORD

__all__ = ["ProgramHead"]


class ProgramHead:
    """States that read it, and registers that keep it but for the operations, which are passed on.

    Parameters
    ----------
    i : stream of ``word``, ``last``
        The words of the image.
    left : Signal
        Counts words of a record; whoever reads the next section may use it.
    operations : int
        Most operations.
    words : int
        Of an operation.
    image_words : int
        Of the image's record.
    classes : int
        Most classes.
    network : dict of str to Signal, or View
        ``operations``, ``last_word``, ``last_class`` and ``image``: driven, once they are known.

    Attributes
    ----------
    layers : Signal
        Sections that follow.
    """

    def __init__(
        self,
        *,
        i: stream.Interface,
        left: Signal,
        operations: int,
        words: int,
        image_words: int,
        classes: int,
        network: dict[str, Any],
    ) -> None:
        self.i = i
        self.left = left
        self.operations = operations
        self.words = words
        self.image_words = image_words
        self.classes = classes
        self.network = network
        number = range(operations + 1)  # of an operation
        self.layers, self._number = Signal(8, reset_less=True), Signal(number, name="number")
        self._address = Signal(range(operations * words), name="address", reset_less=True)
        self._image = Signal(image_words * WORD, name="image", reset_less=True)
        self._held: dict[str, Signal] = {}  # without a reset, so that they get clock gates
        for name in ("operations", "last_word", "last_class"):
            shape = network[name].shape()
            self._held[name] = Signal(shape, name=f"held_{name}", reset_less=True)

    def build(self, m: Module, record: Any) -> None:
        """Show in ``m`` what is kept, and the word that comes as one of a ``record``."""
        for name, held in self._held.items():
            m.d.comb += self.network[name].eq(held)
        m.d.comb += [
            Value.cast(self.network["image"]).eq(self._image),
            record.address.eq(self._address),
            record.word.eq(self.i.p.word),
        ]

    def read(
        self, m: Module, checks: LoadChecks, *, begins: Signal, record: Any, state: str
    ) -> None:
        """Add the states to the machine of ``m``, the first one ``PROGRAM``.

        Parameters
        ----------
        begins : Signal
            Driven: the word that comes is the section's first.
        record : View of ``valid``
            Driven: the word that comes is one of an operation.
        state : str
            What follows the last operation.
        """
        word, left, valid = self.i.p.word, self.left, self.i.valid
        held, number = self._held, self._number
        with m.State("PROGRAM"):
            m.d.comb += begins.eq(1)
            operations = word[:16]
            m.d.sync += held["operations"].eq(operations)
            with m.If(valid):
                is_right = (word[16:] == (MAGIC << 8 | KIND)) & (operations != 0)
                checks.check("LAYERS", is_right & (operations <= self.operations))
        with m.State("LAYERS"):
            m.d.sync += self.layers.eq(word)
            with m.If(valid):
                checks.check("WORDS", (word != 0) & (word < 256))
        with m.State("WORDS"):
            m.d.sync += held["last_word"].eq(word)
            with m.If(valid):
                checks.check("CLASSES", word < 1 << TOLD_BITS)
        with m.State("CLASSES"):
            m.d.sync += [held["last_class"].eq(word), left.eq(self.image_words - 1)]
            with m.If(valid):
                checks.check("IMAGE", word < self.classes)
        with m.State("IMAGE"), m.If(valid):
            m.d.sync += [self._image.eq(Cat(self._image, word)[WORD:]), left.eq(left - 1)]
            checks.go_on("IMAGE")
            with m.If(left == 0):
                m.d.sync += [left.eq(self.words - 1), number.eq(0), self._address.eq(0)]
                checks.go_on("RECORD")
        with m.State("RECORD"), m.If(valid):
            m.d.comb += record.valid.eq(1)
            m.d.sync += [self._address.eq(self._address + 1), left.eq(left - 1)]
            checks.go_on("RECORD")
            with m.If(left == 0):
                m.d.sync += [left.eq(self.words - 1), number.eq(number + 1)]
                with m.If(number == self.network["operations"] - 1):
                    checks.go_on(state)
