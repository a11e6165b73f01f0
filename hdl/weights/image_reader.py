"""Reader of the supermask image: takes its sections apart and checks them."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, Shape, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.crc32 import Crc32
from kakure.hdl.emission.hierarchy import place
from kakure.model.parameters.parameters import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS
from kakure.model.parameters.supermask_image import MAGIC

from .layer_weights import WORD
from .weight_generator_shape import MAX_TOKEN, ImageReaderShape

__all__ = ["IMAGE_WORD", "ImageReader", "LoadError", "scales_layout"]

IMAGE_WORD = data.StructLayout({"word": WORD, "last": 1})
HEADER = data.StructLayout({"layer": 8, "token": 8, "plane": 8, "magic": 8})
SCALE = data.StructLayout({
    "multiplier": MULTIPLIER_BITS,
    "zero": 24 - MULTIPLIER_BITS,
    "shift": SHIFT_BITS,
    "zero_above": 8 - SHIFT_BITS,
})


class LoadError(enum.Enum, shape=3):
    """What was wrong with an image."""

    NONE = 0
    HEADER = 1
    """Magic, layer or token is not what it must be, or a reserved bit is set."""
    LENGTH = 2
    """The mask ends before the weights or goes on after them, or the image ends elsewhere."""
    CRC = 3
    """The checksum of a section is wrong."""
    SCALE = 4
    """A reserved bit of a channel's scale is set."""


def scales_layout(*, layers: int, max_outputs: int, planes: int = 1) -> data.StructLayout:
    """Shape of a write to the requantizers' M, B and S."""
    return data.StructLayout({
        "valid": 1,
        "layer": range(layers),
        **({"plane": range(planes)} if planes > 1 else {}),
        "channel": range(max_outputs),
        "multiplier": Shape(MULTIPLIER_BITS, signed=True),
        "offset": Shape(OFFSET_BITS, signed=True),
        "shift": SHIFT_BITS,
    })


class ImageReader(wiring.Component):
    """Mask words and scales of all layers, from the words of an image.

    The layout is that of :func:`kakure.model.parameters.supermask_image.image_words`. Everything is
    checked; the first thing wrong ends the load for good: what follows is taken and dropped until
    reset.

    Parameters
    ----------
    layers : int, 1 to 256
        Layers, in order.
    max_outputs : int, at least 1
        Largest number of output channels.
    max_mask_words : int, at least 1
        Largest number of words of a coded mask; a longer one is a LENGTH error.
    planes : int, 1 to 8
        Sections of each layer: all layers' first ones, then all layers' second ones, and so on.

    Members
    -------
    i : ``In(stream)``
        ``word``, and ``last`` with the last word of the image and no other.
    is_split : ``In(1)``
        ``last`` is not looked at: the image may come in several frames, or without any.
    layer : ``Out``
        The layer that is being read.
    plane : ``Out``, of more than one
        The plane that is being read.
    layer_planes : ``In``, with it
        Planes of ``layer``; may depend on it.
    outputs : ``In``
        Output channels of ``layer``.
    is_header : ``Out(1)``
        The header of ``layer`` is taken in this cycle.
    token : ``Out(range(6))``
        Coding of the mask, from the cycle after the header on.
    mask : ``Out(stream.Signature(32))``
        Words of the coded mask. ``ready`` must mean that a word is needed: a need after the last
        one is a LENGTH error (whatever it is given), as are words left over when the mask ends.
    ends_mask : ``In(1)``
        This cycle completes the mask of ``layer``. Never without the mask having been begun.
    scales : ``Out(struct)``
        In a cycle with ``valid``: M, B and S of a channel. No ``ready``.
    done : ``Out(1)``
        The image was right to its end. Stays; ``i.ready`` is 0 from then on.
    error : ``Out(LoadError)``
        The first thing that was wrong, in ``layer``, which stays. NONE otherwise.

    Timing
    ------
    One word per cycle, but for the mask, which waits for ``mask.ready``. ``mask`` and ``scales``
    are combinational from ``i``; ``done`` and ``error`` follow a word by one cycle.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    unnamed: ClassVar = {"planes": 1}

    i: stream.Interface
    is_split: Signal
    layer: Signal
    plane: Signal
    layer_planes: Signal
    outputs: Signal
    is_header: Signal
    token: Signal
    mask: stream.Interface
    ends_mask: Signal
    scales: data.View
    done: Signal
    error: Any

    def __init__(
        self, *, layers: int, max_outputs: int, max_mask_words: int, planes: int = 1
    ) -> None:
        if not 1 <= layers <= 256:
            raise ValueError(f"layers must be 1 to 256, not {layers!r}")
        if max_outputs < 1:
            raise ValueError(f"max_outputs must be at least 1, not {max_outputs!r}")
        if max_mask_words < 1:
            raise ValueError(f"max_mask_words must be at least 1, not {max_mask_words!r}")
        if not 1 <= planes <= 8:
            raise ValueError(f"planes must be 1 to 8, not {planes!r}")
        self.layers = layers
        self.planes = planes
        self.max_outputs = max_outputs
        self.max_mask_words = max_mask_words
        self.shape = ImageReaderShape(layers, max_outputs, max_mask_words)
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "is_split": In(1),
            "layer": Out(range(layers)),
            **({"plane": Out(range(planes))} if planes > 1 else {}),
            **({"layer_planes": In(range(planes + 1))} if planes > 1 else {}),
            "outputs": In(range(max_outputs + 1)),
            "is_header": Out(1),
            "token": Out(range(MAX_TOKEN + 1)),
            "mask": Out(stream.Signature(WORD)),
            "ends_mask": In(1),
            "scales": Out(scales_layout(layers=layers, max_outputs=max_outputs, planes=planes)),
            "done": Out(1),
            "error": Out(LoadError),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        crc = Crc32()
        m.submodules.crc = place(crc, platform)
        m.d.comb += [
            crc.clear.eq(self.is_header),
            crc.valid.eq(self.i.valid & self.i.ready),
            crc.word.eq(self.i.p.word),
            self.i.ready.eq(1),  # but in MASK and DONE
        ]
        with m.FSM():
            with m.State("HEADER"):
                self._read_header(m)
            with m.State("COUNT"):
                words_left = self._read_count(m)
            with m.State("MASK"):
                self._read_mask(m, words_left)
            self._read_scales(m)
            with m.State("CHECKSUM"), m.If(self.i.valid):
                is_last = self._is_last_section()
                with m.If(self.i.p.word != crc.value):
                    self._fail(m, LoadError.CRC)
                with m.Elif((self.i.p.last != is_last) & ~self.is_split):
                    self._fail(m, LoadError.LENGTH)
                with m.Else():
                    self._end_section(m)
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.d.comb += self.i.ready.eq(0)
            with m.State("FAILED"):
                pass

        return m

    def _is_last_section(self) -> Value:
        is_last_layer = self.layer == self.layers - 1
        return is_last_layer if self.planes == 1 else is_last_layer & self._is_last_plane()

    def _is_last_plane(self) -> Value:
        return self.plane + 1 == self.layer_planes

    def _end_section(self, m: Module) -> None:
        """Go on to the next plane, the next layer, or the end."""
        is_last_layer = self.layer == self.layers - 1
        following = Mux(is_last_layer, self.layer, self.layer + 1)
        m.next = "HEADER"
        if self.planes == 1:
            m.d.sync += self.layer.eq(following)
        else:
            is_last_plane = self._is_last_plane()
            m.d.sync += self.plane.eq(Mux(is_last_plane, 0, self.plane + 1))
            with m.If(is_last_plane):
                m.d.sync += self.layer.eq(following)
        with m.If(self._is_last_section()):
            m.next = "DONE"

    def _fail(self, m: Module, error: LoadError) -> None:
        m.d.sync += self.error.eq(error)
        m.next = "FAILED"

    def _go_on(self, m: Module, state: str) -> None:
        """Go to ``state`` after a word that is not the image's last."""
        m.next = state
        with m.If(self._ends_early()):
            self._fail(m, LoadError.LENGTH)

    def _ends_early(self) -> Value:
        """Whether a word that is not the image's last says that it is."""
        return self.i.p.last & ~self.is_split

    def _read_header(self, m: Module) -> None:
        header = data.View(HEADER, self.i.p.word)
        is_right = (
            (header.magic == MAGIC)
            & (header.layer == self.layer)
            & (header.token <= MAX_TOKEN)
            & (header.plane == (self.plane if self.planes > 1 else 0))
        )
        m.d.comb += self.is_header.eq(self.i.valid)
        m.d.sync += self.token.eq(header.token)
        with m.If(self.i.valid):
            self._go_on(m, "COUNT")
            with m.If(~is_right):
                self._fail(m, LoadError.HEADER)

    def _read_count(self, m: Module) -> Signal:
        words_left = Signal(range(self.max_mask_words + 1))
        m.d.sync += words_left.eq(self.i.p.word)
        with m.If(self.i.valid):
            self._go_on(m, "MASK")
            with m.If(self.i.p.word > self.max_mask_words):
                self._fail(m, LoadError.LENGTH)
        return words_left

    def _read_mask(self, m: Module, words_left: Signal) -> None:
        takes = self.mask.valid & self.mask.ready
        left_after = words_left - takes
        m.d.comb += [
            self.mask.payload.eq(self.i.p.word),
            self.mask.valid.eq(self.i.valid),
            self.i.ready.eq(self.mask.ready),
        ]
        m.d.sync += words_left.eq(left_after)
        is_starved = self.mask.ready & (words_left == 0)
        is_left_over = self.ends_mask & left_after.any()
        with m.If(self.ends_mask):
            m.next = "MULTIPLIER"
        with m.If(is_starved | is_left_over | (takes & self._ends_early())):
            self._fail(m, LoadError.LENGTH)

    def _read_scales(self, m: Module) -> None:
        channel = Signal(range(self.max_outputs))
        first = data.View(SCALE, self.i.p.word)
        multiplier = Signal(MULTIPLIER_BITS, reset_less=True)
        shift = Signal(SHIFT_BITS, reset_less=True)
        is_last = channel == self.outputs - 1
        m.d.comb += [
            self.scales.layer.eq(self.layer),
            *([self.scales.plane.eq(self.plane)] if self.planes > 1 else []),
            self.scales.channel.eq(channel),
            self.scales.multiplier.eq(multiplier),
            self.scales.offset.eq(self.i.p.word),
            self.scales.shift.eq(shift),
        ]
        with m.State("MULTIPLIER"):
            m.d.sync += multiplier.eq(first.multiplier)
            m.d.sync += shift.eq(first.shift)
            with m.If(self.i.valid):
                self._go_on(m, "OFFSET")
                with m.If(first.zero.any() | first.zero_above.any()):
                    self._fail(m, LoadError.SCALE)
        with m.State("OFFSET"), m.If(self.i.valid):
            m.d.comb += self.scales.valid.eq(1)
            m.d.sync += channel.eq(Mux(is_last, 0, channel + 1))
            with m.If(is_last):
                self._go_on(m, "CHECKSUM")
            with m.Else():
                self._go_on(m, "MULTIPLIER")
