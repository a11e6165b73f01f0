"""Loader of a network of bitwise weights: from an image to planes and scales."""

from amaranth.hdl import Module
from amaranth.lib import wiring

from kakure.hdl.emission.hierarchy import place

from .layer_weights import LayerWeights
from .loader import Loader, of_layer
from .plane_words import PlaneWords

__all__ = ["PlaneLoader"]


class PlaneLoader(Loader):
    """Planes and scales of all layers, once, from an image.

    The image has the planes of the first layer, the most significant one first, then those of the
    second layer, and so on.

    Parameters
    ----------
    layers : tuple of LayerWeights, 1 to 256
        Sizes of the layers, each number at least 1, planes at most 8.

    Members
    -------
    As those of :class:`kakure.hdl.weights.loader.Loader`; a word of weights is ``bits``.

    Timing
    ------
    As :class:`kakure.hdl.weights.loader.Loader`.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(self, *, layers: tuple[LayerWeights, ...]) -> None:
        super().__init__(layers=layers, values=("bits",), has_planes=True)
        if self.planes > 8:
            raise ValueError(f"planes must be 1 to 8, not {self.planes!r}")

    def elaborate(self, platform) -> Module:
        m = Module()
        reader = self.reader()
        words = PlaneWords(max_rows=self.network.max_rows, max_blocks=self.network.max_blocks)
        m.submodules.reader = place(reader, platform)
        m.submodules.words = place(words, platform)
        wiring.connect(m, wiring.flipped(self.i), reader.i)
        wiring.connect(m, reader.mask, words.i)

        layers, layer = self.layers, reader.layer
        if self.planes > 1:
            m.d.comb += reader.layer_planes.eq(of_layer([x.planes for x in layers], layer))
        m.d.comb += [
            reader.is_split.eq(self.is_split),
            reader.outputs.eq(of_layer([x.outputs for x in layers], layer)),
            reader.ends_mask.eq(words.o.valid & words.o.p.last),
            words.jobs.valid.eq(reader.is_header),
            words.jobs.p.rows.eq(of_layer([x.rows for x in layers], layer)),
            words.jobs.p.blocks.eq(of_layer([x.blocks for x in layers], layer)),
            words.tail.eq(of_layer([x.tail for x in layers], layer)),
            words.token.eq(reader.token),
            words.o.ready.eq(1),
        ]
        self.write(m, reader, words)
        return m
