"""Hidden weights: the signs that the supermask leaves, a word of 32 per cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .mask_decoder import MAX_TOKEN, MaskDecoder
from .sign_generator import SignGenerator, job_layout, signs_shape
from .weight_generator_shape import WORD, MaskedSignsShape

__all__ = ["MaskedSigns"]


class MaskedSigns(wiring.Component):
    """Weights of one layer after the other, 32 consecutive outputs of a row at a time.

    Joins :class:`kakure.hdl.weights.sign_generator.SignGenerator` and
    :class:`kakure.hdl.weights.mask_decoder.MaskDecoder`. Bit-equal to
    :func:`kakure.model.reference.signs.hidden_weights`.

    Parameters
    ----------
    generator, max_channels, windows, max_blocks
        As those of :class:`kakure.hdl.weights.sign_generator.SignGenerator`.

    Members
    -------
    jobs : ``In(stream)``
        Layers, as those of :class:`kakure.hdl.weights.sign_generator.SignGenerator`.
    token : ``In(range(6))``
        Coding of the layer's mask; hold until its last word is taken.
    tail : ``In(range(33))``
        Outputs in the last block of a row, 1 .. 32; hold as ``token``.
    i : ``In(stream.Signature(32))``
        Coded mask. A word is taken only when one of its bits is needed, so that exactly the words
        of the layer are. ``i.ready`` says so, whether or not there is a word.
    o : ``Out(stream)``
        ``row``, ``block``, ``positive`` and ``negative`` (bit b is output 32·block + b; both 0
        where the weight is 0 or there is no such output), ``last`` with the layer's last word.

    Timing
    ------
    Combinational from ``i`` to ``o``, from 4 (``xorshift32``) or 2 (``xorshift16``) cycles after
    the job is accepted; cycles for the mask as in
    :class:`kakure.hdl.weights.mask_decoder.MaskDecoder`.

    Raises
    ------
    ValueError
        As :class:`kakure.hdl.weights.sign_generator.SignGenerator`.
    """

    jobs: stream.Interface
    token: Signal
    tail: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, *, generator: str, max_channels: int, windows: tuple[int, ...], max_blocks: int
    ) -> None:
        self.generator = generator
        self.max_channels = max_channels
        self.windows = windows
        self.max_blocks = max_blocks
        self.shape = MaskedSignsShape(
            signs_shape(
                generator=generator,
                max_channels=max_channels,
                windows=windows,
                max_blocks=max_blocks,
            )
        )
        job = job_layout(
            generator=generator, max_channels=max_channels, windows=windows, max_blocks=max_blocks
        )
        word = data.StructLayout({
            "row": range(max_channels * max(windows)),
            "block": range(max_blocks),
            "positive": WORD,
            "negative": WORD,
            "last": 1,
        })
        super().__init__({
            "jobs": In(stream.Signature(job)),
            "token": In(range(MAX_TOKEN + 1)),
            "tail": In(range(WORD + 1)),
            "i": In(stream.Signature(WORD)),
            "o": Out(stream.Signature(word)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        signs = SignGenerator(
            generator=self.generator,
            max_channels=self.max_channels,
            windows=self.windows,
            max_blocks=self.max_blocks,
        )
        mask = MaskDecoder()
        m.submodules.signs = place(signs, platform)
        m.submodules.mask = place(mask, platform)
        wiring.connect(m, wiring.flipped(self.jobs), signs.jobs)
        wiring.connect(m, wiring.flipped(self.i), mask.i)

        m.d.comb += [
            mask.flush.eq(~signs.o.valid),  # signs are there from a layer's first word to its last
            mask.token.eq(self.token),
            mask.width.eq(Mux(signs.o.p.ends_row, self.tail, WORD)),
            mask.o.ready.eq(self.o.ready),
            signs.o.ready.eq(self.o.ready & mask.o.valid),
            self.o.valid.eq(mask.o.valid),
            self.o.p.row.eq(signs.o.p.row),
            self.o.p.block.eq(signs.o.p.block),
            self.o.p.positive.eq(mask.o.payload & signs.o.p.signs),
            self.o.p.negative.eq(mask.o.payload & ~signs.o.p.signs),
            self.o.p.last.eq(signs.o.p.last),
        ]
        return m
