"""What loaders of networks have in common: from an image to weights and scales."""

from abc import ABC
from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Array, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .coded_words import CodedWords
from .image_reader import IMAGE_WORD, ImageReader, LoadError, scales_layout
from .layer_weights import WORD, LayerWeights, NetworkWeights
from .weight_generator_shape import most_mask_words

__all__ = ["Loader", "of_layer"]


def of_layer(numbers: Sequence[int], layer: Value) -> Value:
    """The number of a layer, of constants."""
    shape = range(max(numbers) + 1)
    return Array([Const(number, shape) for number in numbers])[layer]


class Loader(wiring.Component, ABC):
    """Weights and scales of all layers, once, from an image.

    Reads section after section as :func:`kakure.model.parameters.supermask_image.image_words` lays
    them out. Everything is checked; the first thing wrong ends the load for good: the rest is taken
    and dropped until reset. A kind of weights is a subclass: it makes words of them out of the
    coded bits.

    Parameters
    ----------
    layers : tuple of LayerWeights, 1 to 256
        Sizes of the layers, each number at least 1.
    values : tuple of str
        What a word of weights holds, 32 bits each.
    has_planes : bool
        Whether words of weights belong to planes.
    waits : bool
        Whether some words take more than a cycle to be written.

    Members
    -------
    i : ``In(stream)``
        ``word``, and ``last`` with the last word of the image and no other.
    is_split : ``In(1)``
        ``last`` is not looked at.
    weights : ``Out(struct)``
        In a cycle with ``valid``, the word at ``layer``, ``plane`` (where there are some), ``row``,
        ``block`` is ``values``: bit b belongs to output 32·block + b. Every word comes once, in
        order.
    written : ``In(1)``, of one that ``waits``
        The word of weights stays until the cycle that has it.
    scales : ``Out(struct)``
        In a cycle with ``valid``, output ``channel`` of ``layer`` has ``multiplier``, ``offset``,
        ``shift``, of several planes where ``plane`` is the last one used. It has no ``ready``, nor
        have the weights, but of a loader that ``waits`` for ``written``.
    done : ``Out(1)``
        The image was right to its end. Stays; ``i.ready`` is 0 from then on.
    error : ``Out(LoadError)``
        The first thing that was wrong, or NONE. Stays.
    error_layer : ``Out``
        The layer of ``error``.

    Timing
    ------
    A weight word is written from the cycle after its last coded bit was read on; scales in the
    cycle that takes their second word. At full rate a section takes exactly
    :func:`kakure.hdl.weights.loading_time.section_cycles`. The next section follows at once;
    ``done`` or ``error`` the cycle after the word.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    i: stream.Interface
    is_split: Signal
    weights: data.View
    written: Signal
    scales: data.View
    done: Signal
    error: Any
    error_layer: Signal

    def __init__(
        self,
        *,
        layers: tuple[LayerWeights, ...],
        values: tuple[str, ...],
        has_planes: bool = False,
        waits: bool = False,
    ) -> None:
        self.layers = layers
        self.waits = waits
        self.network = network = NetworkWeights(layers)
        self.has_planes = has_planes
        self.planes = network.max_planes
        self.values = values
        index = range(len(layers))
        weights = data.StructLayout({
            "valid": 1,
            "layer": index,
            **({"plane": range(max(self.planes, 2))} if has_planes else {}),
            "row": range(network.max_rows),
            "block": range(network.max_blocks),
            **dict.fromkeys(values, WORD),
        })
        scales = scales_layout(
            layers=len(layers), max_outputs=network.max_outputs, planes=self.planes
        )
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "is_split": In(1),
            "weights": Out(weights),
            **({"written": In(1)} if waits else {}),
            "scales": Out(scales),
            "done": Out(1),
            "error": Out(LoadError),
            "error_layer": Out(index),
        })

    def reader(self) -> ImageReader:
        """What reads the image."""
        return ImageReader(
            layers=len(self.layers),
            max_outputs=self.network.max_outputs,
            max_mask_words=most_mask_words(self.network.max_weights),
            planes=self.planes,
        )

    def write(self, m: Module, reader: ImageReader, words: CodedWords) -> None:
        """Write the words that were made, and say what the reader says.

        Where words wait, ``words.o.ready`` and ``reader.ends_mask`` follow from that: scales are
        read when all is written.
        """
        m.d.comb += [
            self.scales.eq(reader.scales),
            self.done.eq(reader.done),
            self.error.eq(reader.error),
            self.error_layer.eq(reader.layer),
        ]
        valid = Signal()
        word: Any = Signal(words.o.p.shape(), reset_less=True)  # a View
        if self.waits:
            is_free = ~valid | self.written
            m.d.comb += words.o.ready.eq(is_free)
            m.d.comb += reader.ends_mask.eq(valid & self.written & word.last)
            with m.If(is_free):
                m.d.sync += valid.eq(words.o.valid)
            with m.If(words.o.valid & is_free):  # nothing moves where no word comes
                m.d.sync += word.eq(words.o.p)
        else:
            m.d.sync += valid.eq(words.o.valid)
            m.d.sync += word.eq(words.o.p)
        m.d.comb += self.weights.valid.eq(valid)
        m.d.comb += self.weights.layer.eq(reader.layer)  # stays for many cycles after the last word
        if self.has_planes:
            m.d.comb += self.weights.plane.eq(reader.plane if self.planes > 1 else 0)
        m.d.comb += [self.weights[name].eq(word[name]) for name in ("row", "block", *self.values)]
