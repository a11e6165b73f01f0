"""Loader of a network: from the supermask image to weights and scales."""

from typing import Any

from amaranth.hdl import Array, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .image_reader import IMAGE_WORD, ImageReader, LoadError, scales_layout
from .masked_signs import MaskedSigns
from .sign_generator import job_prefix
from .weight_generator_shape import WORD, LayerWeights, WeightGeneratorShape
from .weight_order import GENERATORS

__all__ = ["LayerWeights", "LoadError", "WeightGenerator"]


class WeightGenerator(wiring.Component):
    """Weights and scales of all layers, once, from a supermask image.

    Reads section after section as :func:`kakure.model.parameters.supermask_image.image_words` lays
    them out, makes the signs of every layer on chip, and writes what survives the mask. Everything
    is checked; the first thing wrong ends the load for good: the rest is taken and dropped until
    reset.

    Parameters
    ----------
    generator : str
        ``xorshift32`` or ``xorshift16``.
    seed : int, 0 .. 2^32 − 1
        Seed of the signs.
    layers : tuple of LayerWeights, 1 to 256
        Sizes of the layers, each number at least 1.

    Members
    -------
    i : ``In(stream)``
        ``word``, and ``last`` with the last word of the image and no other.
    is_split : ``In(1)``
        ``last`` is not looked at.
    weights : ``Out(struct)``
        In a cycle with ``valid``, the word at ``layer``, ``row``, ``block`` is ``positive``,
        ``negative``: bit b belongs to output 32·block + b, both are 0 where the weight is 0 or
        there is no such output. Every word comes once, in order.
    scales : ``Out(struct)``
        In a cycle with ``valid``, output ``channel`` of ``layer`` has ``multiplier``, ``offset``,
        ``shift``. Neither of the two has a ``ready``.
    done : ``Out(1)``
        The image was right to its end. Stays; ``i.ready`` is 0 from then on.
    error : ``Out(LoadError)``
        The first thing that was wrong, or NONE. Stays.
    error_layer : ``Out``
        The layer of ``error``.

    Timing
    ------
    A weight word is written in the cycle after its last mask bit was read; scales in the cycle
    that takes their second word. At full rate a section takes exactly
    :func:`kakure.hdl.weights.loading_time.section_cycles`: a cycle per word for a raw mask whose
    rows are multiples of 32, and 2 more with ``xorshift32``, whose first signs come 4 cycles after
    the header. The next section follows at once; ``done`` or ``error`` the cycle after the word.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    i: stream.Interface
    is_split: Signal
    weights: data.View
    scales: data.View
    done: Signal
    error: Any
    error_layer: Signal

    def __init__(self, *, generator: str, seed: int, layers: tuple[LayerWeights, ...]) -> None:
        if generator not in GENERATORS:
            raise ValueError(f"generator must be {' or '.join(GENERATORS)}, not {generator!r}")
        if not 0 <= seed < 1 << 32:
            raise ValueError(f"seed must be 0 to 4294967295, not {seed!r}")
        if not 1 <= len(layers) <= 256:
            raise ValueError(f"layers must be 1 to 256, not {len(layers)}")
        for index, layer in enumerate(layers):
            for name in ("channels", "window", "outputs"):
                if getattr(layer, name) < 1:
                    raise ValueError(
                        f"layers[{index}].{name} must be at least 1, not {getattr(layer, name)!r}"
                    )
        self.generator = generator
        self.seed = seed
        self.layers = layers
        self.shape = shape = WeightGeneratorShape.of(generator, layers)
        index = range(shape.layers)
        weights = data.StructLayout({
            "valid": 1,
            "layer": index,
            "row": range(shape.max_rows),
            "block": range(shape.max_blocks),
            "positive": WORD,
            "negative": WORD,
        })
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "is_split": In(1),
            "weights": Out(weights),
            "scales": Out(scales_layout(layers=shape.layers, max_outputs=shape.max_outputs)),
            "done": Out(1),
            "error": Out(LoadError),
            "error_layer": Out(index),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        reader = ImageReader(
            layers=shape.layers,
            max_outputs=shape.max_outputs,
            max_mask_words=shape.max_mask_words,
        )
        masked = MaskedSigns(
            generator=self.generator,
            max_channels=shape.signs.max_channels,
            windows=tuple(sorted({layer.window for layer in self.layers})),
            max_blocks=shape.max_blocks,
        )
        m.submodules.reader = place(reader, platform)
        m.submodules.masked = place(masked, platform)

        wiring.connect(m, wiring.flipped(self.i), reader.i)
        wiring.connect(m, reader.mask, masked.i)
        self._start_jobs(m, reader, masked)
        m.d.comb += [
            reader.is_split.eq(self.is_split),
            masked.token.eq(reader.token),
            masked.o.ready.eq(1),
            reader.ends_mask.eq(masked.o.valid & masked.o.p.last),
            self.scales.eq(reader.scales),
            self.done.eq(reader.done),
            self.error.eq(reader.error),
            self.error_layer.eq(reader.layer),
        ]

        valid = Signal()
        word: Any = Signal(masked.o.p.shape(), reset_less=True)  # a View
        m.d.sync += valid.eq(masked.o.valid)
        m.d.sync += word.eq(masked.o.p)
        m.d.comb += [
            self.weights.valid.eq(valid),
            self.weights.layer.eq(reader.layer),  # stays for many cycles after the last word
            self.weights.row.eq(word.row),
            self.weights.block.eq(word.block),
            self.weights.positive.eq(word.positive),
            self.weights.negative.eq(word.negative),
        ]
        return m

    def _start_jobs(self, m: Module, reader: ImageReader, masked: MaskedSigns) -> None:
        """Each header starts the signs of its layer, whose numbers are constants."""

        def of_layer(numbers: list[int]) -> Value:
            shape = range(max(numbers) + 1)
            return Array([Const(number, shape) for number in numbers])[reader.layer]

        prefixes = [
            job_prefix(self.generator, seed=self.seed, layer=index)
            for index in range(len(self.layers))
        ]
        m.d.comb += [
            masked.jobs.valid.eq(reader.is_header),
            masked.jobs.p.prefix.eq(of_layer(prefixes)),
            masked.jobs.p.channels.eq(of_layer([x.channels for x in self.layers])),
            masked.jobs.p.window.eq(of_layer([x.window for x in self.layers])),
            masked.jobs.p.blocks.eq(of_layer([x.blocks for x in self.layers])),
            masked.tail.eq(of_layer([x.tail for x in self.layers])),
            reader.outputs.eq(of_layer([x.outputs for x in self.layers])),
        ]
