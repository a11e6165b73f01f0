"""Loader of a network of bitwise weights: from an image to planes and scales."""

from typing import Any

from amaranth.hdl import Array, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .image_reader import IMAGE_WORD, ImageReader, LoadError, scales_layout
from .plane_words import PlaneWords
from .weight_generator_shape import MAX_TOKEN, WORD, LayerWeights

__all__ = ["PlaneLoader"]


def most_words(layer: LayerWeights) -> int:
    """Words of a coded plane at most."""
    return -(-MAX_TOKEN * layer.rows * layer.outputs // WORD)


class PlaneLoader(wiring.Component):
    """Planes and scales of all layers, once, from an image.

    Reads section after section as :func:`kakure.model.parameters.supermask_image.image_words` lays
    them out: all layers' first planes, the most significant ones, then all layers' second planes.
    Everything is checked; the first thing wrong ends the load for good: the rest is taken and
    dropped until reset.

    Parameters
    ----------
    planes : int, 1 to 8
    layers : tuple of LayerWeights, 1 to 256
        Sizes of the layers, each number at least 1.

    Members
    -------
    i, is_split, done, error, error_layer
        As those of :class:`kakure.hdl.weights.weight_generator.WeightGenerator`.
    weights : ``Out(struct)``
        In a cycle with ``valid``, the word at ``layer``, ``plane``, ``row``, ``block`` is ``bits``:
        bit b belongs to output 32·block + b. Every word comes once, in order.
    scales : ``Out(struct)``
        In a cycle with ``valid``, output ``channel`` of ``layer`` has ``multiplier``, ``offset``,
        ``shift`` where ``plane`` is the last one used. Neither of the two has a ``ready``.

    Timing
    ------
    As :class:`kakure.hdl.weights.weight_generator.WeightGenerator`, but that no word waits for
    signs.

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

    def __init__(self, *, planes: int, layers: tuple[LayerWeights, ...]) -> None:
        if not 1 <= planes <= 8:
            raise ValueError(f"planes must be 1 to 8, not {planes!r}")
        if not 1 <= len(layers) <= 256:
            raise ValueError(f"layers must be 1 to 256, not {len(layers)}")
        self.planes = planes
        self.layers = layers
        self.max_rows = max(layer.rows for layer in layers)
        self.max_blocks = max(layer.blocks for layer in layers)
        self.max_outputs = max(layer.outputs for layer in layers)
        index = range(len(layers))
        weights = data.StructLayout({
            "valid": 1,
            "layer": index,
            "plane": range(max(planes, 2)),
            "row": range(self.max_rows),
            "block": range(self.max_blocks),
            "bits": WORD,
        })
        scales = scales_layout(layers=len(layers), max_outputs=self.max_outputs, planes=planes)
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "is_split": In(1),
            "weights": Out(weights),
            "scales": Out(scales),
            "done": Out(1),
            "error": Out(LoadError),
            "error_layer": Out(index),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        reader = ImageReader(
            layers=len(self.layers),
            max_outputs=self.max_outputs,
            max_mask_words=max(most_words(layer) for layer in self.layers),
            planes=self.planes,
        )
        words = PlaneWords(max_rows=self.max_rows, max_blocks=self.max_blocks)
        m.submodules.reader = place(reader, platform)
        m.submodules.words = place(words, platform)
        wiring.connect(m, wiring.flipped(self.i), reader.i)
        wiring.connect(m, reader.mask, words.i)

        def of_layer(numbers: list[int]) -> Value:
            shape = range(max(numbers) + 1)
            return Array([Const(number, shape) for number in numbers])[reader.layer]

        plane = reader.plane if self.planes > 1 else Const(0)
        m.d.comb += [
            reader.is_split.eq(self.is_split),
            reader.outputs.eq(of_layer([layer.outputs for layer in self.layers])),
            reader.ends_mask.eq(words.o.valid & words.o.p.last),
            words.jobs.valid.eq(reader.is_header),
            words.jobs.p.rows.eq(of_layer([layer.rows for layer in self.layers])),
            words.jobs.p.blocks.eq(of_layer([layer.blocks for layer in self.layers])),
            words.tail.eq(of_layer([layer.tail for layer in self.layers])),
            words.token.eq(reader.token),
            words.o.ready.eq(1),
            self.scales.eq(reader.scales),
            self.done.eq(reader.done),
            self.error.eq(reader.error),
            self.error_layer.eq(reader.layer),
        ]
        valid = Signal()
        word: Any = Signal(words.o.p.shape(), reset_less=True)  # a View
        m.d.sync += valid.eq(words.o.valid)
        m.d.sync += word.eq(words.o.p)
        m.d.comb += [
            self.weights.valid.eq(valid),
            self.weights.layer.eq(reader.layer),  # stays for many cycles after the last word
            self.weights.plane.eq(plane),
            self.weights.row.eq(word.row),
            self.weights.block.eq(word.block),
            self.weights.bits.eq(word.bits),
        ]
        return m
