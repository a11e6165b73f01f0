"""Guard of the image stream: whole images go in, results of wrong frames do not come out."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.weights.image_reader import IMAGE_WORD

from .frame_gate_shape import OWED_BITS, WORD, FrameGateShape
from .image_length import ImageLength

__all__ = ["FrameError", "FrameGate"]


class FrameError(enum.Enum, shape=4):
    """What was wrong with the frame of an image; values that no error of loading has."""

    NONE = 0
    IMAGE_SHORT = 8
    """TLAST came before the last word of an image."""
    IMAGE_LONG = 9
    """The last word of an image came without TLAST."""


class FrameGate(wiring.Component):
    """Cuts words into images by count, and holds the frames to that.

    An image is a frame: ``last`` comes with its last word. With ``is_batch`` it may stay away.
    Of a short frame the rest is filled with zeros, so that what follows stays in step; of a long
    one the words up to and including the next ``last`` are dropped. Nothing is let in until the
    result of such an image has come out at the other end and was dropped, so that it is the
    latest image on its way, and known by the count of results that are owed. No result may be
    sent that is not owed: an image is owed its result once its last word was taken and right.

    A new load waits until nothing is on its way; where no network is loaded it begins at once.

    Parameters
    ----------
    image_words : int, at least 1, or None
        Words of an image; None where a program says how many.

    Members
    -------
    last_word : ``In(24)``
        Words of an image, but one; only where a program says so.
    i : ``In(stream)`` of ``word``, ``last``
        Words from a :class:`~kakure.hdl.bus.stream_register.StreamRegister`, while ``is_loaded``.
    is_held, is_open
        ``In(1)``, ``Out(1)``: those of that register.
    o : ``Out(stream.Signature(32))``
        Whole images.
    ends : ``In(1)``
        In this cycle the result that is at the end of the pipeline is taken from it.
    may_send, must_drop : ``Out(1)``
        What to do with the result at the end of the pipeline, if one is there: send it, or take
        it and say nothing. Neither: it waits.
    is_loaded : ``In(1)``
        Words belong to images.
    is_batch : ``In(1)``
        ``last`` need not come with an image's last word. Looked at with that word, and while words
        are dropped: that ends where it is 1.
    load : ``In(1)``
        In this cycle a new load is asked for.
    restarts : ``Out(1)``
        In this cycle the loader, and the register in front, are to be reset.
    is_waiting : ``Out(1)``
        A load was asked for, and waits for the images on their way.
    clear : ``In(1)``
        Forget ``error`` and ``dropped``, but not what was wrong in the cycle before.
    error : ``Out(FrameError)``
        The first thing that was wrong since the reset, the load or ``clear``.
    dropped : ``Out(32)``
        Images whose frame was wrong, since then.
    is_busy : ``Out(1)``
        A word of an image was let in whose result has not been taken from the pipeline, or the
        rest of a frame is being dropped.

    Timing
    ------
    ``o`` is combinational from ``i``; all that is not in ``o`` or ``i`` comes from registers.
    ``may_send`` rises in the cycle after an image's last word was taken, ``must_drop`` in the cycle
    after the wrong word was, ``error`` and ``dropped`` a cycle later. While no network is loaded
    ``restarts`` follows ``load`` by a cycle; else the image that is being let in is let in to its
    end (and the rest of a long frame), nothing after it, and ``restarts`` comes in the first cycle
    without ``is_busy``. In the cycle of ``load`` nothing is let in.

    Raises
    ------
    ValueError
        If ``image_words`` is below 1.
    """

    last_word: Signal
    i: stream.Interface
    o: stream.Interface
    is_held: Signal
    is_open: Signal
    ends: Signal
    may_send: Signal
    must_drop: Signal
    is_loaded: Signal
    is_batch: Signal
    load: Signal
    restarts: Signal
    is_waiting: Signal
    clear: Signal
    error: Any
    dropped: Signal
    is_busy: Signal

    def __init__(self, *, image_words: int | None) -> None:
        self.image_words = image_words
        self.length = ImageLength(image_words)
        self.shape = FrameGateShape.told() if image_words is None else FrameGateShape(image_words)
        super().__init__({
            **self.length.members,
            "i": In(stream.Signature(IMAGE_WORD)),
            "o": Out(stream.Signature(WORD)),
            "is_held": In(1),
            "is_open": Out(1),
            "ends": In(1),
            "may_send": Out(1),
            "must_drop": Out(1),
            "is_loaded": In(1),
            "is_batch": In(1),
            "load": In(1),
            "restarts": Out(1),
            "is_waiting": Out(1),
            "clear": In(1),
            "error": Out(FrameError),
            "dropped": Out(32),
            "is_busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        word = Signal(self.length.count)
        is_last = word == self.length.last_word(self)
        is_filling = Signal()  # the frame was short
        is_beyond = Signal()  # the frame is long
        drops_word = is_beyond & ~self.is_batch
        m.d.comb += [
            self.o.valid.eq(is_filling | (self.i.valid & ~drops_word)),
            self.o.payload.eq(Mux(is_filling, 0, self.i.p.word)),
            self.i.ready.eq(drops_word | (self.o.ready & ~is_filling)),
        ]

        takes = self.o.valid & self.o.ready
        ends_image = takes & is_last
        is_short = Signal()
        is_long = Signal()
        m.d.comb += is_short.eq(takes & ~is_last & ~is_filling & self.i.p.last)
        m.d.comb += is_long.eq(ends_image & ~is_filling & ~self.i.p.last & ~self.is_batch)
        with m.If(takes):
            m.d.sync += word.eq(Mux(is_last, 0, word + 1))
        with m.If(is_short | ends_image):
            m.d.sync += is_filling.eq(is_short)
        with m.If(is_long | self.is_batch | (self.i.valid & self.i.p.last)):
            m.d.sync += is_beyond.eq(is_long)

        is_wrong = self._count_results(m, ends_image & ~is_filling & ~is_long, is_short | is_long)
        self._keep_errors(m, is_short, is_long)

        is_asked = Signal()
        begins_image = (word == 0) & ~drops_word
        is_stopped = is_asked & (~self.is_loaded | begins_image)
        m.d.comb += [
            self.is_waiting.eq(is_asked & self.is_loaded),
            self.is_busy.eq(
                self.is_loaded & (~begins_image | self.is_held | self.may_send | is_wrong)
            ),
            self.restarts.eq(is_asked & ~self.is_busy),
            self.is_open.eq(~self.load & ~is_stopped & ~((is_wrong | is_filling) & ~drops_word)),
        ]
        with m.If(self.load | self.restarts):
            m.d.sync += is_asked.eq(self.load)
        return m

    def _count_results(self, m: Module, is_right: Any, fails: Any) -> Signal:
        """Know which results may leave; return whether one is on its way that may not."""
        # The handshakes of every layer pass here, so no adder hangs on them: what they did is
        # counted a cycle late, and whether a result is owed is a register of its own.
        has_ended = Signal()
        has_sent = Signal()
        owed = Signal(OWED_BITS)
        owed_now = Signal(OWED_BITS)
        sends = self.ends & self.may_send
        m.d.comb += owed_now.eq(owed + has_ended - has_sent)
        m.d.sync += [
            has_ended.eq(is_right),
            has_sent.eq(sends),
            owed.eq(owed_now),
            self.may_send.eq(is_right | Mux(sends, owed_now[1:].any(), owed_now.any())),
        ]

        is_wrong = Signal()
        m.d.comb += self.must_drop.eq(is_wrong & ~self.may_send)
        with m.If(fails | (self.ends & self.must_drop)):
            m.d.sync += is_wrong.eq(fails)
        return is_wrong

    def _keep_errors(self, m: Module, is_short: Signal, is_long: Signal) -> None:
        """Keep the first error, and count all, a cycle late: the counter is long."""
        was_short = Signal()
        was_long = Signal()
        m.d.sync += was_short.eq(is_short)
        m.d.sync += was_long.eq(is_long)
        forgets = self.clear | self.restarts
        with m.If(was_short | was_long):
            m.d.sync += self.dropped.eq(Mux(forgets, 0, self.dropped) + 1)
            with m.If(forgets | (self.error == FrameError.NONE)):
                m.d.sync += self.error.eq(
                    Mux(was_long, FrameError.IMAGE_LONG, FrameError.IMAGE_SHORT)
                )
        with m.Elif(forgets):
            m.d.sync += self.dropped.eq(0)
            m.d.sync += self.error.eq(FrameError.NONE)
