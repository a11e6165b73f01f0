"""A memory of the image on its way, from which it comes again when it is tried once more."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram

from .frame_gate_shape import WORD
from .image_length import ImageLength

__all__ = ["ImageKeeper"]


class ImageKeeper(wiring.Component):
    """Words of images, passed on and kept; an image is passed on again as often as it is wanted.

    Parameters
    ----------
    image_words : int, at least 1
        Words of an image, or of the largest one that is kept.
    is_told : bool
        Whether a program says how many they are.

    Members
    -------
    last_word : ``In(24)``, where it is told
        Words of an image, but one; of a larger one than is kept none may be wanted again.
    i : ``In(stream.Signature(32))``
        Images.
    o : ``Out(stream.Signature(32))``
        The same, each once or more.
    holds : ``In(1)``
        The image may be wanted again: nothing of the next one is taken before it ``ends``. Looked
        at with the image's last word.
    is_held : ``Out(1)``
        The image was passed on as a whole, and it is not known whether it is wanted again.
    is_again : ``Out(1)``
        The image that is passed on has been so before.
    again : ``In(1)``
        While ``is_held``: it is wanted again.
    ends : ``In(1)``
        The latest image is not wanted any more; also before it was passed on as a whole.

    Timing
    ------
    Combinational from ``i`` to ``o``. The first word of an image that comes again is offered in the
    cycle after ``again``, and then one in every cycle.

    Raises
    ------
    ValueError
        If ``image_words`` is below 1.
    """

    last_word: Signal
    i: stream.Interface
    o: stream.Interface
    holds: Signal
    is_held: Signal
    is_again: Signal
    again: Signal
    ends: Signal

    def __init__(self, *, image_words: int, is_told: bool = False) -> None:
        if image_words < 1:
            raise ValueError(f"image_words must be at least 1, not {image_words!r}")
        self.image_words = image_words
        self.is_told = is_told
        self.length = ImageLength(None if is_told else image_words)
        super().__init__({
            **self.length.members,
            "i": In(stream.Signature(WORD)),
            "o": Out(stream.Signature(WORD)),
            "holds": In(1),
            "is_held": Out(1),
            "is_again": Out(1),
            "again": In(1),
            "ends": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        memory = Ram(depth=self.image_words, width=WORD)
        m.submodules.memory = place(memory, platform)
        count = self.length.count
        word, following = Signal(count), Signal(count, name="following")
        is_last = word == self.length.last_word(self)
        is_kept_word = word < self.image_words if self.is_told else 1
        takes = Signal()
        m.d.comb += [
            takes.eq(self.o.valid & self.o.ready),
            following.eq(Mux(takes, Mux(is_last, 0, word + 1), word)),
            memory.write_address.eq(word),
            memory.write_data.eq(self.i.payload),
            memory.read_address.eq(following),
            memory.read_enable.eq(1),
        ]
        m.d.sync += word.eq(following)
        is_over = Signal()  # the image ended before its last word came
        ends_image = takes & is_last
        with m.If(ends_image):
            m.d.sync += is_over.eq(0)
        with m.Elif(self.ends):
            m.d.sync += is_over.eq(1)
        is_kept = ~is_over & ~self.ends
        with m.FSM():
            with m.State("PASS"):
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(self.i.payload),
                    self.i.ready.eq(self.o.ready),
                    memory.write_enable.eq(takes & is_kept_word),
                ]
                with m.If(~self.holds):
                    m.d.sync += is_over.eq(0)  # what ended is an earlier image
                with m.If(ends_image & self.holds & is_kept):
                    m.next = "HELD"
            with m.State("HELD"):
                m.d.comb += self.is_held.eq(1)
                with m.If(self.again):
                    m.next = "AGAIN"
                with m.If(self.ends):
                    m.d.sync += is_over.eq(0)
                    m.next = "PASS"
            with m.State("AGAIN"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(memory.read_data)]
                m.d.comb += self.is_again.eq(1)
                with m.If(ends_image):
                    m.next = "PASS"
                    with m.If(is_kept):
                        m.next = "HELD"
        return m
