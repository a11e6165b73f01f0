"""Loader of a network: from the supermask image to weights and scales."""

from typing import ClassVar

from amaranth.hdl import Module
from amaranth.lib import wiring

from kakure.hdl.emission.hierarchy import place

from .layer_weights import LayerWeights
from .loader import Loader, of_layer
from .masked_signs import MaskedSigns
from .sign_generator import job_prefix
from .weight_generator_shape import WeightGeneratorShape
from .weight_order import GENERATORS

__all__ = ["WeightGenerator"]


class WeightGenerator(Loader):
    """Weights and scales of all layers, once, from a supermask image.

    Makes the signs of every layer on chip, and writes what survives the mask.

    Parameters
    ----------
    generator : str
        ``xorshift32`` or ``xorshift16``.
    seed : int, 0 .. 2^32 − 1
        Seed of the signs.
    layers : tuple of LayerWeights, 1 to 256
        Sizes of the layers, each number at least 1.
    waits : bool
        Whether some words take more than a cycle to be written.

    Members
    -------
    As those of :class:`kakure.hdl.weights.loader.Loader`; a word of weights is ``positive`` and
    ``negative``, both 0 where the weight is 0 or there is no such output.

    Timing
    ------
    As :class:`kakure.hdl.weights.loader.Loader`: a cycle per word for a raw mask whose rows are
    multiples of 32, and 2 more with ``xorshift32``, whose first signs come 4 cycles after the
    header.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    unnamed: ClassVar = {"waits": False}

    def __init__(
        self, *, generator: str, seed: int, layers: tuple[LayerWeights, ...], waits: bool = False
    ) -> None:
        if generator not in GENERATORS:
            raise ValueError(f"generator must be {' or '.join(GENERATORS)}, not {generator!r}")
        if not 0 <= seed < 1 << 32:
            raise ValueError(f"seed must be 0 to 4294967295, not {seed!r}")
        self.generator = generator
        self.seed = seed
        super().__init__(layers=layers, values=("positive", "negative"), waits=waits)
        self.shape = WeightGeneratorShape.of(generator, layers, waits=waits)

    def elaborate(self, platform) -> Module:
        m = Module()
        reader = self.reader()
        masked = MaskedSigns(
            generator=self.generator,
            max_channels=self.shape.signs.max_channels,
            windows=tuple(sorted({layer.window for layer in self.layers})),
            max_blocks=self.network.max_blocks,
        )
        m.submodules.reader = place(reader, platform)
        m.submodules.masked = place(masked, platform)
        wiring.connect(m, wiring.flipped(self.i), reader.i)
        wiring.connect(m, reader.mask, masked.i)

        # Each header starts the signs of its layer, whose numbers are constants.
        layers, layer = self.layers, reader.layer
        prefixes = [
            job_prefix(self.generator, seed=self.seed, layer=index) for index in range(len(layers))
        ]
        m.d.comb += [
            masked.jobs.valid.eq(reader.is_header),
            masked.jobs.p.prefix.eq(of_layer(prefixes, layer)),
            masked.jobs.p.channels.eq(of_layer([x.channels for x in layers], layer)),
            masked.jobs.p.window.eq(of_layer([x.window for x in layers], layer)),
            masked.jobs.p.blocks.eq(of_layer([x.blocks for x in layers], layer)),
            masked.tail.eq(of_layer([x.tail for x in layers], layer)),
            reader.outputs.eq(of_layer([x.outputs for x in layers], layer)),
            reader.is_split.eq(self.is_split),
            masked.token.eq(reader.token),
            masked.o.ready.eq(1),
            reader.ends_mask.eq(masked.o.valid & masked.o.p.last),
        ]
        self.write(m, reader, masked)
        return m
