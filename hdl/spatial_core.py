"""The spatial accelerator without its buses: words in, results out."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from model.config import Config

from .bus_widths import check_bus_widths
from .hierarchy import Platform, place
from .identity import core_identity
from .image_reader import IMAGE_WORD
from .layer import Layer, join
from .pixel_unpacker import PixelUnpacker
from .result_sender import ResultSender
from .weight_generator import LayerWeights, LoadError, WeightGenerator

__all__ = ["SpatialCore"]


class SpatialCore(wiring.Component):
    """The layers of a network as a stream pipeline, each with its own engine.

    The first words are the supermask image; from it and the configuration's seed the weights are
    made on chip, once. Then every word belongs to an image. Where the supermask image is wrong,
    ``error`` says so, words are dropped, and no result ever leaves until a reset.

    Bit-equal to :func:`model.reference.network`.

    Parameters
    ----------
    config : Config
        With hidden weights.

    Members
    -------
    i : ``In(stream)`` of ``word``, ``last``
        The supermask image, ``last`` with its final word; then images, as
        :class:`~hdl.pixel_unpacker.PixelUnpacker` reads them, ``last`` is not looked at.
    o : ``Out(stream)`` of ``word``, ``last``
        Results, as :class:`~hdl.result_sender.ResultSender` sends them.
    sends_class : ``In(1)``
        Results are classes, not logits.
    loaded, error, error_layer : Out
        As ``done``, ``error``, ``error_layer`` of :class:`~hdl.weight_generator.WeightGenerator`.

    Timing
    ------
    As :func:`hdl.cycle_model.image_timing` computes, exactly.

    Raises
    ------
    UserError
        If a layer is too wide to be emitted (:mod:`hdl.bus_widths`).
    """

    i: stream.Interface
    o: stream.Interface
    sends_class: Signal
    loaded: Signal
    error: Any
    error_layer: Signal

    def __init__(self, *, config: Config) -> None:
        check_bus_widths(config)
        self.config = config
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "o": Out(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
            "sends_class": In(1),
            "loaded": Out(1),
            "error": Out(LoadError),
            "error_layer": Out(8),
        })

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return core_identity(self.config)

    def elaborate(self, platform) -> Module:
        m = Module()
        height, width, channels = self.config.shape
        generator = self._generator()
        m.submodules.generator = place(generator, platform)
        unpacker = PixelUnpacker(
            pixels=height * width, channels=channels, bits=self.config.layers[0].input_bits
        )
        m.submodules.unpacker = place(unpacker, platform)
        sender = ResultSender(classes=self.config.geometry[-1].outputs)
        m.submodules.sender = place(sender, platform)

        m.d.comb += [
            generator.i.payload.eq(self.i.payload),
            unpacker.i.payload.eq(self.i.payload.word),
            self.loaded.eq(generator.done),
            self.error.eq(generator.error),
            self.error_layer.eq(generator.error_layer),
            sender.sends_class.eq(self.sends_class),
        ]
        with m.If(generator.done):
            m.d.comb += unpacker.i.valid.eq(self.i.valid)
            m.d.comb += self.i.ready.eq(unpacker.i.ready)
        with m.Else():
            m.d.comb += generator.i.valid.eq(self.i.valid)
            m.d.comb += self.i.ready.eq(generator.i.ready)

        source = unpacker.o
        for index in range(len(self.config.layers)):
            layer = self._layer(m, platform, generator, index)
            join(m, source, layer.i)
            source = layer.o
        join(m, source, sender.i)
        join(m, sender.o, wiring.flipped(self.o))
        return m

    def _generator(self) -> WeightGenerator:
        weights = self.config.weights
        assert weights.kind == "hidden"
        return WeightGenerator(
            generator=weights.generator,
            seed=weights.seed,
            layers=tuple(
                LayerWeights(geometry.in_channels, geometry.window, geometry.outputs)
                for geometry in self.config.geometry
            ),
        )

    def _layer(
        self, m: Module, platform: Platform | None, generator: WeightGenerator, index: int
    ) -> Layer:
        """A layer, with what the generator writes into it."""
        layer = Layer(config=self.config, index=index)
        m.submodules[f"layer_{index}"] = place(layer, platform)
        weights, scales = generator.weights, generator.scales
        m.d.comb += layer.weights.valid.eq(weights.valid & (weights.layer == index))
        for name in ("row", "block", "positive", "negative"):
            m.d.comb += layer.weights[name].eq(weights[name])
        m.d.comb += layer.scales.valid.eq(scales.valid & (scales.layer == index))
        for name in ("channel", "multiplier", "offset", "shift"):
            m.d.comb += layer.scales[name].eq(scales[name])
        return layer
