"""The spatial accelerator without its buses: words in, results out."""

from functools import cached_property
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.image_keeper import ImageKeeper
from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.hdl.accelerators.pixel_unpacker_shape import BYTES
from kakure.hdl.accelerators.precision_choice import PrecisionChoice, can_choose
from kakure.hdl.accelerators.result_judge import ResultJudge
from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.emission.identity import core_identity
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.engines.table import weights_wait
from kakure.hdl.weights.image_reader import LoadError
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.loader import Loader
from kakure.hdl.weights.plane_loader import PlaneLoader
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

from .bus_widths import check_bus_widths
from .core_shape import SpatialCoreShape
from .layer import Layer, join
from .pipeline import check_pipeline

__all__ = ["SpatialCore"]


class SpatialCore(Core):
    """The layers of a network as a stream pipeline, each with its own engine.

    The first words are the supermask image; from it and the configuration's seed the weights are
    made on chip. Then every word belongs to an image. Where the supermask image is wrong, ``error``
    says so, words are dropped, and no result leaves until another one is loaded. Where the frame of
    an image is wrong, ``error`` says so and that image has no result
    (:mod:`kakure.hdl.accelerators.frame_gate`).

    After ``load`` the next words are another supermask image: at once while one is being loaded or
    has failed, what was read of it is forgotten; else when the frame of the image that is being
    sent has ended and all results were taken.

    Bit-equal to :func:`kakure.model.reference.network.network`.

    Parameters
    ----------
    config : Config
        With hidden or bitwise weights, and a chain of layers; of bitwise ones the supermask image
        holds the planes, and no signs are made.

    Members
    -------
    As :class:`~kakure.hdl.accelerators.core.Core`.

    Timing
    ------
    As :func:`kakure.hdl.accelerators.spatial.cycle_model.image_timing` computes, exactly.

    Raises
    ------
    UserError
        If a layer reads or adds what the one before it did not write
        (:mod:`kakure.hdl.accelerators.spatial.pipeline`), or is too wide to be emitted
        (:mod:`kakure.hdl.accelerators.spatial.bus_widths`).
    """

    def __init__(self, *, config: Config) -> None:
        check_pipeline(config)
        check_bus_widths(config)
        super().__init__(config=config)

    @cached_property
    def shape(self) -> SpatialCoreShape:
        """Its sizes; UserError if an engine has no closed form."""
        return SpatialCoreShape.of(self.config)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return core_identity(self.config)

    def elaborate(self, platform) -> Module:
        m = Module()
        height, width, channels = self.config.shape
        pixels, classes = height * width, self.config.geometry[-1].outputs
        image_words = -(-pixels * channels // BYTES)
        gate = FrameGate(image_words=image_words)
        m.submodules.gate = place(gate, platform)
        front = StreamRegister(width=len(Value.cast(self.i.payload)))
        m.submodules.front = place(front, platform, reset=gate.restarts)
        generator = self._generator()
        m.submodules.generator = place(generator, platform, reset=gate.restarts)
        unpacker = PixelUnpacker(pixels=pixels, channels=channels, bits=self.config.image_bits)
        m.submodules.unpacker = place(unpacker, platform)
        sender = ResultSender(classes=classes)
        m.submodules.sender = place(sender, platform)

        self._route_words(m, front, generator, gate)
        images, results = gate.o, sender.i
        used = None
        if planes_of(self.config):
            images, results, used = self._planes(m, platform, gate, sender, image_words)
        join(m, images, unpacker.i)
        source = unpacker.o
        layers = []
        for index in range(len(self.config.layers)):
            layer = self._layer(m, platform, generator, index)
            layers.append(layer)
            if used is not None:
                most = planes_of(self.config, index)
                m.d.comb += layer.used.eq(Mux(used > most, most, used))
            join(m, source, layer.i)
            source = layer.o
        if generator.waits:
            at = generator.weights.layer
            written = (one.written if one.waits else at == n for n, one in enumerate(layers))
            m.d.comb += generator.written.eq(Cat(written).any())
        join(m, source, results)
        join(m, sender.o, wiring.flipped(self.o))

        has_failed = generator.error != LoadError.NONE
        m.d.comb += [
            gate.is_held.eq(front.is_held),
            front.is_open.eq(gate.is_open),
            gate.ends.eq(sender.i.valid & sender.i.ready),
            gate.is_loaded.eq(generator.done),
            gate.is_batch.eq(self.is_batch),
            gate.load.eq(self.load),
            gate.clear.eq(self.clear),
            generator.is_split.eq(self.is_split),
            sender.sends_class.eq(self.sends_class),
            sender.may_send.eq(gate.may_send),
            sender.must_drop.eq(gate.must_drop),
            self.loaded.eq(generator.done),
            self.error.eq(Value.cast(generator.error) | Value.cast(gate.error)),  # one is NONE
            self.error_layer.eq(Mux(has_failed, generator.error_layer, 0)),
            self.restarts.eq(gate.restarts),
            self.is_waiting.eq(gate.is_waiting),
            self.dropped.eq(gate.dropped),
            self.is_busy.eq(gate.is_busy),
        ]
        return m

    def _route_words(
        self, m: Module, front: StreamRegister, generator: Loader, gate: FrameGate
    ) -> None:
        """Words go to the generator until it is done, then to the gate."""
        join(m, wiring.flipped(self.i), front.i)
        for reader in (generator, gate):
            m.d.comb += Value.cast(reader.i.payload).eq(front.o.payload)
        with m.If(generator.done):
            m.d.comb += gate.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(gate.i.ready)
        with m.Else():
            m.d.comb += generator.i.valid.eq(front.o.valid)
            m.d.comb += front.o.ready.eq(generator.i.ready)

    def _planes(
        self,
        m: Module,
        platform: Platform | None,
        gate: FrameGate,
        sender: ResultSender,
        image_words: int,
    ) -> tuple[Any, Any, Signal]:
        """Where images come from, and results go to, and the planes that they use."""
        choice = PrecisionChoice(planes=planes_of(self.config))
        m.submodules.choice = place(choice, platform)
        m.d.comb += [
            choice.tried.eq(self.tried),
            choice.threshold.eq(self.threshold),
            choice.is_busy.eq(gate.is_busy | (gate.o.valid & gate.o.ready)),
        ]
        if not can_choose(self.config):
            return gate.o, sender.i, choice.used
        keeper = ImageKeeper(image_words=image_words)
        judge = ResultJudge(classes=sender.classes)
        m.submodules.keeper = place(keeper, platform)
        m.submodules.judge = place(judge, platform)
        join(m, gate.o, keeper.i)
        join(m, judge.o, sender.i)
        m.d.comb += [
            keeper.holds.eq(choice.has_more),
            keeper.again.eq(judge.again),
            keeper.ends.eq(sender.i.valid & sender.i.ready),
            judge.threshold.eq(choice.least),
            judge.has_more.eq(choice.has_more & ~gate.must_drop),
            judge.may_judge.eq(keeper.is_held),
            choice.again.eq(judge.again),
            choice.ends.eq((keeper.is_held | keeper.is_again) & keeper.ends),
        ]
        return keeper.o, judge.i, choice.used

    def _generator(self) -> Loader:
        layers = tuple(
            LayerWeights(
                geometry.in_channels,
                geometry.window,
                geometry.outputs,
                self.config.weights_of(geometry.index).widths,
            )
            for geometry in self.config.geometry
        )
        if planes_of(self.config):
            return PlaneLoader(layers=layers)
        weights = HiddenWeights.of(self.config.weights)
        return WeightGenerator(
            generator=weights.generator,
            seed=weights.seed,
            layers=layers,
            waits=weights_wait(self.config),
        )

    def _layer(self, m: Module, platform: Platform | None, generator: Loader, index: int) -> Layer:
        """A layer, with what the generator writes into it."""
        layer = Layer(config=self.config, index=index)
        m.submodules[f"layer_{index}"] = place(layer, platform)
        weights, scales = generator.weights, generator.scales
        m.d.comb += layer.weights.valid.eq(weights.valid & (weights.layer == index))
        planes = planes_of(self.config, index)
        values = ("plane", "row", "block", "bits")
        for name in values if planes else ("row", "block", "positive", "negative"):
            m.d.comb += layer.weights[name].eq(weights[name])
        m.d.comb += layer.scales.valid.eq(scales.valid & (scales.layer == index))
        if planes > 1:
            m.d.comb += layer.scales.set.eq(scales.plane)
        for name in ("channel", "multiplier", "offset", "shift"):
            m.d.comb += layer.scales[name].eq(scales[name])
        return layer
