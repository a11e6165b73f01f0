"""Hidden weights: the signs that the supermask leaves, a word of 32 per cycle."""

from amaranth.hdl import Module
from amaranth.lib import wiring

from kakure.hdl.emission.hierarchy import place

from .coded_words import CodedWords
from .mask_decoder import MaskDecoder
from .sign_generator import SignGenerator, job_layout, signs_shape
from .weight_generator_shape import MaskedSignsShape

__all__ = ["MaskedSigns"]


class MaskedSigns(CodedWords):
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
    As those of :class:`kakure.hdl.weights.coded_words.CodedWords`: ``jobs`` are those of the sign
    generator, ``i`` is the coded mask, and of a word ``positive`` and ``negative`` are both 0 where
    the weight is 0.

    Timing
    ------
    As :class:`kakure.hdl.weights.coded_words.CodedWords`, from 4 (``xorshift32``) or 2
    (``xorshift16``) cycles after the job is accepted.

    Raises
    ------
    ValueError
        As :class:`kakure.hdl.weights.sign_generator.SignGenerator`.
    """

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
        super().__init__(
            job=job,
            rows=max_channels * max(windows),
            blocks=max_blocks,
            values=("positive", "negative"),
        )

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

        word, bits = signs.o.p, mask.o.payload
        self.decode(m, mask, is_walking=signs.o.valid, ends_row=word.ends_row)
        m.d.comb += signs.o.ready.eq(self.o.ready & mask.o.valid)
        self.offer(
            m,
            mask,
            row=word.row,
            block=word.block,
            positive=bits & word.signs,
            negative=bits & ~word.signs,
            last=word.last,
        )
        return m
