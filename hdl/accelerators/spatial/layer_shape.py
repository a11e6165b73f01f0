"""Sizes of a layer of the spatial accelerator: which blocks it has, and how large each is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from kakure.hdl.engines.crossbar.engine_shape import CrossbarEngineShape
from kakure.hdl.engines.crossbar.grid_shape import CrossbarGridShape
from kakure.hdl.engines.pe_array.engine_shape import PeEngineShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number, at_least, at_most, choose, signed_bits
from kakure.hdl.stages.max_pool_shape import MaxPoolShape
from kakure.hdl.stages.requantizer_shape import RequantizerShape, least_lanes
from kakure.hdl.stages.shortcut_shape import ShortcutShape
from kakure.hdl.stages.sliding_window_shape import SlidingWindowShape
from kakure.hdl.stages.strided_window_shape import StridedWindowShape
from kakure.hdl.stages.sum_pool_shape import SumPoolShape
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.engines.pe_array import PeArrayLayer
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError

from .pipeline import check_pipeline

__all__ = ["LayerShape"]


@dataclass(frozen=True)
class LayerShape(BlockShape):
    """A layer, or many, some on crossbars and some on PE arrays.

    Fields
    ------
    in_height, in_width, in_channels : map that the windows lie in, before padding
    kernel_height, kernel_width, padding : the window; a linear layer's is the whole map
    stride : distance of windows
    out_height, out_width, pool : window positions, and the side of the max-pool behind them
    outputs : output channels
    input_bits, output_bits : widths of activations [bit]; ``output_bits`` is 0 for logits
    summed, map_bits, sum_shift : positions of the map that is summed to one pixel before the
        windows, its width [bit], bits dropped from a sum; 0 where the map is read as it is
    is_crossbar : 1 on a crossbar, 0 on a PE array
    column_sharing, is_sar, adc_bits, adc_shift, copies : of a crossbar's readouts, and copies of it
    residual : 1 where the layer adds what it reads to what it computes
    rows, columns : of a crossbar tile, at most
    in_memory : 1 where the cells of crossbars are memories, if there are words enough
    pe_inputs, pe_outputs, pe_pixels : of a PE array, at most
    is_16 : 1 where ``xorshift16`` makes the signs
    """

    in_height: Number
    in_width: Number
    in_channels: Number
    kernel_height: Number
    kernel_width: Number
    padding: Number
    stride: Number
    out_height: Number
    out_width: Number
    pool: Number
    outputs: Number
    input_bits: Number
    output_bits: Number
    summed: Number
    map_bits: Number
    sum_shift: Number
    is_crossbar: Number
    column_sharing: Number
    is_sar: Number
    adc_bits: Number
    adc_shift: Number
    copies: Number
    residual: Number
    rows: Number
    columns: Number
    pe_inputs: Number
    pe_outputs: Number
    pe_pixels: Number
    is_16: Number
    in_memory: Number = 0

    kind = "layer"
    parameters = ("one",)

    @classmethod
    def of(cls, config: Config, index: int) -> "LayerShape":
        """A layer of a configuration with hidden weights.

        Raises
        ------
        UserError
            If its engine has no closed form, or the layers are no chain.
        """
        check_pipeline(config)
        geometry, layer = config.geometry[index], config.layers[index]
        if not isinstance(layer, CrossbarLayer | PeArrayLayer):
            raise UserError(
                "must be 'crossbar' or 'pe_array' to have a shape",
                where=("layers", index, "engine"),
                value=repr(layer.engine),
            )
        summed = geometry.summed
        tiles = layer if isinstance(layer, CrossbarLayer) else None
        return cls(
            in_height=geometry.in_height,
            in_width=geometry.in_width,
            in_channels=geometry.in_channels,
            kernel_height=geometry.kernel_height,
            kernel_width=geometry.kernel_width,
            padding=geometry.padding,
            stride=geometry.stride,
            out_height=geometry.out_height,
            out_width=geometry.out_width,
            pool=geometry.pool,
            outputs=geometry.outputs,
            input_bits=geometry.input_bits,
            output_bits=geometry.output_bits or 0,
            summed=summed.positions if summed else 0,
            map_bits=summed.bits if summed else 0,
            sum_shift=summed.shift if summed else 0,
            is_crossbar=int(tiles is not None),
            column_sharing=tiles.column_sharing if tiles else 0,
            is_sar=int(tiles is not None and tiles.adc_type == "sar"),
            adc_bits=tiles.adc_bits if tiles else 0,
            adc_shift=tiles.adc_shift if tiles else 0,
            copies=tiles.copies if tiles else 1,
            residual=int(layer.residual),
            rows=config.crossbar.rows,
            columns=config.crossbar.columns,
            pe_inputs=config.pe_array.inputs,
            pe_outputs=config.pe_array.outputs,
            pe_pixels=config.pe_array.pixels,
            is_16=int(HiddenWeights.of(config.weights).generator == "xorshift16"),
            in_memory=int(config.crossbar.cells == "memory"),
        )

    def __len__(self) -> int:
        return len(self.outputs)

    def pick(self, where: Any) -> "LayerShape":
        """Some of many layers."""
        values = (getattr(self, field.name) for field in fields(self))
        return LayerShape(*(v[where] if isinstance(v, np.ndarray) else v for v in values))

    @property
    def one(self) -> Number:
        """1 for each layer."""
        return 1 + 0 * self.outputs

    @cached_property
    def terms(self) -> Terms:
        """Its gates."""
        return {"one": np.ones(np.shape(self.outputs))}

    @property
    def window(self) -> SlidingWindowShape:
        """The sliding window, as it is where it leaves none out."""
        return SlidingWindowShape(
            height=self.in_height,
            width=self.in_width,
            channels=self.in_channels,
            bits=self.input_bits,
            kernel_height=self.kernel_height,
            kernel_width=self.kernel_width,
            padding=self.padding,
        )

    @property
    def strided_window(self) -> StridedWindowShape:
        """The sliding window of layers with a stride."""
        return StridedWindowShape.of(self.window, self.stride)

    @property
    def sum_pool(self) -> SumPoolShape:
        """What sums the map, of layers that have it summed."""
        return SumPoolShape(
            positions=self.summed,
            channels=self.in_channels,
            bits=self.map_bits,
            shift=self.sum_shift,
            output_bits=self.input_bits,
        )

    @property
    def positions(self) -> Number:
        """Windows of an image."""
        return self.out_height * self.out_width

    @cached_property
    def crossbar(self) -> CrossbarEngineShape:
        """The engine of layers on crossbars; meaningless for others."""
        grid = CrossbarGridShape(
            fan_in=self.in_channels * self.kernel_height * self.kernel_width,
            outputs=self.outputs,
            rows=self.rows,
            columns=self.columns,
            sharing=self.column_sharing,
            is_sar=self.is_sar,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
            input_bits=self.input_bits,
            in_memory=self.in_memory,
        )
        return CrossbarEngineShape(self.copies, grid)

    @cached_property
    def pe_array(self) -> PeEngineShape:
        """The engine of layers on PE arrays; meaningless for others."""
        return PeEngineShape(
            in_channels=self.in_channels,
            window=self.kernel_height * self.kernel_width,
            channels=self.outputs,
            positions=self.positions,
            input_bits=self.input_bits,
            most_inputs=self.pe_inputs,
            most_outputs=self.pe_outputs,
            most_pixels=self.pe_pixels,
            is_16=self.is_16,
        )

    @property
    def vector_cycles(self) -> Number:
        """Cycles of the engine for a window, in the mean, when nothing is waited for."""
        crossbar = self.crossbar.grid.cycles / self.crossbar.copies
        array = self.pe_array.batch_cycles / self.pe_array.pixels
        return choose(self.is_crossbar == 1, crossbar, array)

    @cached_property
    def requantizer_lanes(self) -> Number:
        """Multipliers of a layer: as few as are no slower than its engine."""
        return least_lanes(self.outputs, self.vector_cycles * self.pool**2)

    @property
    def shortcut_bits(self) -> Number:
        """Bits that a shortcut adds: no more than are read, or written; 0 without one."""
        return self.residual * at_most(self.input_bits, self.output_bits)

    @property
    def shortcut(self) -> ShortcutShape:
        """The shortcut; it has a place for each window that the engine can hold."""
        held = self.crossbar.held_windows, self.pe_array.held_windows
        depth = choose(self.is_crossbar == 1, *held)
        return ShortcutShape(depth, self.outputs, self.shortcut_bits)

    @cached_property
    def sum_bits(self) -> Number:
        """Bits of a sum."""
        peak = choose(self.is_crossbar == 1, self.crossbar.grid.peak, self.pe_array.peak)
        return signed_bits(peak)

    @property
    def max_pool(self) -> MaxPoolShape:
        """The pool, of layers with one."""
        return MaxPoolShape(
            height=self.out_height,
            width=self.out_width,
            channels=self.outputs,
            sum_bits=self.sum_bits,
            size=at_least(self.pool, 2),
        )

    @cached_property
    def requantizer(self) -> RequantizerShape:
        """The requantizer."""
        return RequantizerShape(
            channels=self.outputs,
            lanes=self.requantizer_lanes,
            sum_bits=self.sum_bits,
            output_bits=self.output_bits,
            shortcut_bits=self.shortcut_bits,
        )

    def children(self) -> Iterator[Child]:
        """Sum pool, window, engine, pool or shortcut, requantizer."""
        yield from self._some("sum_pool", self.summed > 0, lambda layer: layer.sum_pool)
        yield from self._some("window", self.stride == 1, lambda layer: layer.window)
        yield from self._some("window", self.stride > 1, lambda layer: layer.strided_window)
        yield from self._some("engine", self.is_crossbar == 1, lambda layer: layer.crossbar)
        yield from self._some("engine", self.is_crossbar == 0, lambda layer: layer.pe_array)
        yield Child("pool", self.max_pool, choose(self.pool > 1, 1, 0))
        yield from self._some("shortcut", self.shortcut_bits > 0, lambda layer: layer.shortcut)
        yield Child("requantizer", self.requantizer)

    def _some(
        self, name: str, condition: Any, block: Callable[["LayerShape"], BlockShape]
    ) -> Iterator[Child]:
        """A block that only layers of some kind have."""
        if not isinstance(condition, np.ndarray):
            if condition:
                yield Child(name, block(self))
        elif condition.all():
            yield Child(name, block(self))
        elif condition.any():
            where = np.flatnonzero(condition)
            yield Child(name, block(self.pick(where)), where=where)
