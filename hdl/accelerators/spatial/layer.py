"""A layer of the spatial accelerator: sum pool, window, engine, pool or shortcut, requantizer."""

from functools import cached_property
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.ports import EngineComponent, WeightWrite, planes_of
from kakure.hdl.engines.table import engine_of
from kakure.hdl.stages.max_pool import MaxPool
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.stages.requantizer_ports import output_shape, scales_layout
from kakure.hdl.stages.shortcut import Shortcut
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.hdl.stages.sum_pool import SumPool
from kakure.model.config.config import Config

from .cycle_model import requantizer_lanes
from .layer_shape import LayerShape

__all__ = ["Layer", "join"]


def join(m: Module, source: Any, sink: Any) -> None:
    """Connect two streams, or flipped streams, whose payloads have the same bits."""
    assert len(Value.cast(source.payload)) == len(Value.cast(sink.payload))
    m.d.comb += sink.valid.eq(source.valid)
    m.d.comb += Value.cast(sink.payload).eq(Value.cast(source.payload))
    m.d.comb += source.ready.eq(sink.ready)


class Layer(wiring.Component):
    """One layer of the network as a stream of pixels to a stream of pixels.

    Bit-equal to one layer of :func:`kakure.model.reference.network.network_layers`.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Members
    -------
    weights : ``In(WeightWrite)``
        Weights, written once before the first pixel.
    written : ``Out(1)``, of an engine that waits
        The last cycle of a word of weights.
    scales : ``In(StructLayout)``
        M, B and S of a channel, as :class:`~kakure.hdl.stages.requantizer.Requantizer`.
    used : ``In``, with bitwise weights
        Planes in use, 1 to all of the layer's; it changes only while no image is on its way whose
        result is still to come.
    i : ``In(stream.Signature(ArrayLayout(read_bits, in_channels)))``
        Pixels in raster order, image after image.
    o : ``Out(stream.Signature(ArrayLayout(output_bits or signed(32), outputs)))``
        Pixels of the next layer, or the logits.

    Timing
    ------
    As :func:`kakure.hdl.accelerators.spatial.cycle_model.image_timing` computes, exactly.
    """

    weights: data.View
    written: Signal
    scales: data.View
    used: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, config: Config, index: int) -> None:
        geometry, planes = config.geometry[index], planes_of(config, index)
        self.config = config
        self.planes = planes
        self.index = index
        self.engine = engine_of(config, index)
        self.waits = self.engine.write_cycles is not None
        pixel = data.ArrayLayout(config.layers[index].read_bits, geometry.in_channels)
        result = data.ArrayLayout(output_shape(geometry.output_bits), geometry.outputs)
        super().__init__({
            "weights": In(
                WeightWrite(rows=geometry.fan_in, outputs=geometry.outputs, planes=planes)
            ),
            **({"written": Out(1)} if self.waits else {}),
            "scales": In(scales_layout(geometry.outputs, "channel", max(planes, 1))),
            **({"used": In(range(planes + 1))} if planes else {}),
            "i": In(stream.Signature(pixel)),
            "o": Out(stream.Signature(result)),
        })

    @cached_property
    def shape(self) -> LayerShape:
        """Its sizes; UserError if the engine has no closed form."""
        return LayerShape.of(self.config, self.index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, self.engine.identity)

    def elaborate(self, platform) -> Module:
        m = Module()
        geometry = self.config.geometry[self.index]
        window = self._window()
        m.submodules.window = place(window, platform)
        engine = self.engine.component()
        m.submodules.engine = place(engine, platform)
        m.d.comb += engine.weights.eq(self.weights)
        if self.waits:
            m.d.comb += self.written.eq(engine.written)
        requantizer = Requantizer(
            channels=geometry.outputs,
            lanes=requantizer_lanes(self.config, self.index),
            peak=geometry.peak,
            output_bits=geometry.output_bits,
            shortcut_bits=geometry.shortcut_bits,
            sets=max(self.planes, 1),
        )
        if self.planes:
            m.d.comb += engine.used.eq(self.used)
        if self.planes > 1:
            m.d.comb += requantizer.set.eq(self.used - 1)
        m.submodules.requantizer = place(requantizer, platform)
        m.d.comb += requantizer.scales.eq(self.scales)

        source = wiring.flipped(self.i)
        if geometry.summed is not None:
            sums = SumPool(
                positions=geometry.summed.positions,
                channels=geometry.in_channels,
                bits=geometry.summed.bits,
                shift=geometry.summed.shift,
                output_bits=geometry.input_bits,
            )
            m.submodules.sum_pool = place(sums, platform)
            join(m, source, sums.i)
            source = sums.o
        join(m, source, window.i)
        join(m, window.o, engine.i)
        if geometry.pool > 1:
            pool = MaxPool(
                height=geometry.out_height,
                width=geometry.out_width,
                channels=geometry.outputs,
                peak=geometry.peak,
                size=geometry.pool,
            )
            m.submodules.pool = place(pool, platform)
            join(m, engine.o, pool.i)
            join(m, pool.o, requantizer.i)
        elif geometry.residual:
            self._add_shortcut(m, platform, window, engine, requantizer)
        else:
            join(m, engine.o, requantizer.i)
        join(m, requantizer.o, wiring.flipped(self.o))
        return m

    def _window(self) -> SlidingWindow:
        geometry = self.config.geometry[self.index]
        sizes = {
            "height": geometry.in_height,
            "width": geometry.in_width,
            "channels": geometry.in_channels,
            "bits": geometry.input_bits,
            "kernel_height": geometry.kernel_height,
            "kernel_width": geometry.kernel_width,
            "padding": geometry.padding,
        }
        if geometry.stride == 1:
            return SlidingWindow(**sizes)
        return StridedWindow(**sizes, stride=geometry.stride)

    def _add_shortcut(
        self,
        m: Module,
        platform: Platform | None,
        window: SlidingWindow,
        engine: EngineComponent,
        requantizer: Requantizer,
    ) -> None:
        """Bring the pixel in the middle of each window to the sums of that window.

        It has one place for each window that the engine can hold, so it never waits.
        """
        geometry = self.config.geometry[self.index]
        shortcut = Shortcut(
            depth=self.engine.windows_held,
            channels=geometry.outputs,
            bits=geometry.shortcut_bits,
        )
        m.submodules.shortcut = place(shortcut, platform)
        dropped = geometry.input_bits - geometry.shortcut_bits
        middle = geometry.window // 2
        for channel in range(geometry.outputs):
            pixel = window.o.payload[channel * geometry.window + middle]
            m.d.comb += shortcut.i[channel].eq(pixel >> dropped)
        m.d.comb += [
            shortcut.push.eq(window.o.valid & window.o.ready),
            shortcut.pop.eq(engine.o.valid & engine.o.ready),
            requantizer.i.valid.eq(engine.o.valid),
            requantizer.i.payload.sums.eq(engine.o.payload),
            requantizer.i.payload.shortcut.eq(shortcut.o),
            engine.o.ready.eq(requantizer.i.ready),
        ]
