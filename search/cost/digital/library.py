"""All kinds of blocks, and the areas of the cells that are counted exactly."""

import numpy as np

from kakure.hdl.accelerators.accelerator_shape import AcceleratorShape
from kakure.hdl.accelerators.counters_shape import CountersShape
from kakure.hdl.accelerators.frame_gate_shape import FrameGateShape
from kakure.hdl.accelerators.pixel_unpacker_shape import PixelUnpackerShape
from kakure.hdl.accelerators.result_sender_shape import ResultSenderShape
from kakure.hdl.accelerators.spatial.core_shape import SpatialCoreShape
from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.accelerators.temporal.array_shape import TemporalArrayShape
from kakure.hdl.accelerators.temporal.block_maker_shape import BlockMakerShape
from kakure.hdl.accelerators.temporal.core_shape import TemporalCoreShape
from kakure.hdl.accelerators.temporal.excess_counter_shape import ExcessCounterShape
from kakure.hdl.accelerators.temporal.finisher_shape import FinisherShape
from kakure.hdl.accelerators.temporal.horner_element_shape import HornerElementShape
from kakure.hdl.accelerators.temporal.image_writer_shape import ImageWriterShape
from kakure.hdl.accelerators.temporal.logit_sender_shape import LogitSenderShape
from kakure.hdl.accelerators.temporal.processor_shape import TemporalProcessorShape
from kakure.hdl.accelerators.temporal.program_reader_shape import ProgramReaderShape
from kakure.hdl.accelerators.temporal.row_signs_shape import RowSignsShape
from kakure.hdl.accelerators.temporal.scale_lane_shape import ScaleLaneShape
from kakure.hdl.accelerators.temporal.summer_shape import SummerShape
from kakure.hdl.accelerators.temporal.window_reader_shape import WindowReaderShape
from kakure.hdl.accelerators.temporal.work_counters_shape import WorkCountersShape
from kakure.hdl.arithmetic.crc32_shape import Crc32Shape
from kakure.hdl.arithmetic.popcount_shape import PopcountShape
from kakure.hdl.bus.register_bank_shape import RegisterBankShape
from kakure.hdl.bus.stream_register_shape import StreamRegisterShape
from kakure.hdl.engines.crossbar.engine_shape import CrossbarEngineShape
from kakure.hdl.engines.crossbar.grid_shape import CrossbarGridShape
from kakure.hdl.engines.crossbar.memory_tile_shape import MemoryTileShape
from kakure.hdl.engines.crossbar.readout_shape import ReadoutShape
from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.hdl.engines.pe_array.array_shape import PeArrayShape, ProcessingElementShape
from kakure.hdl.engines.pe_array.engine_shape import PeEngineShape
from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape
from kakure.hdl.shape.numbers import Number
from kakure.hdl.stages.max_pool_shape import MaxPoolShape
from kakure.hdl.stages.requantizer_shape import RequantizerLaneShape, RequantizerShape
from kakure.hdl.stages.shortcut_shape import ShortcutShape
from kakure.hdl.stages.sliding_window_shape import SlidingWindowShape
from kakure.hdl.stages.strided_window_shape import StridedWindowShape
from kakure.hdl.stages.sum_pool_shape import SumPoolShape
from kakure.hdl.synthesis.memory_macro import MemoryMacro, memory_macro
from kakure.hdl.weights.sign_generator_shape import (
    SignGeneratorShape,
    WeightOrderShape,
    Xorshift16Shape,
    Xorshift32Shape,
)
from kakure.hdl.weights.weight_generator_shape import (
    BitReaderShape,
    ImageReaderShape,
    MaskDecoderShape,
    MaskedSignsShape,
    WeightGeneratorShape,
)

__all__ = ["BLOCKS", "CLOCK_GATE_UM2", "FLIP_FLOP_UM2", "macro_of", "sequential_um2"]

FLIP_FLOP_UM2 = 4.522
"""DFF_X1, the one flip-flop that synthesis uses."""
CLOCK_GATE_UM2 = 3.458
"""CLKGATE_X1."""

BLOCKS: dict[str, type[BlockShape]] = {
    shape.kind: shape
    for shape in (
        PopcountShape,
        ReadoutShape,
        TileShape,
        MemoryTileShape,
        CrossbarGridShape,
        CrossbarEngineShape,
        ProcessingElementShape,
        PeArrayShape,
        PeEngineShape,
        SlidingWindowShape,
        StridedWindowShape,
        SumPoolShape,
        MaxPoolShape,
        RequantizerShape,
        RequantizerLaneShape,
        ShortcutShape,
        RamShape,
        RegisterBankShape,
        CountersShape,
        StreamRegisterShape,
        Crc32Shape,
        BitReaderShape,
        MaskDecoderShape,
        Xorshift32Shape,
        AcceleratorShape,
        LayerShape,
        WeightOrderShape,
        SignGeneratorShape,
        Xorshift16Shape,
        MaskedSignsShape,
        ImageReaderShape,
        WeightGeneratorShape,
        FrameGateShape,
        PixelUnpackerShape,
        ResultSenderShape,
        SpatialCoreShape,
        ExcessCounterShape,
        HornerElementShape,
        TemporalArrayShape,
        RowSignsShape,
        BlockMakerShape,
        WindowReaderShape,
        ScaleLaneShape,
        FinisherShape,
        SummerShape,
        TemporalProcessorShape,
        ProgramReaderShape,
        ImageWriterShape,
        LogitSenderShape,
        WorkCountersShape,
        TemporalCoreShape,
    )
}


def macro_of(shape: RamShape) -> MemoryMacro:
    """What memories would be as macros; all of the same cells."""
    is_lstp = np.unique(shape.is_lstp)
    assert len(is_lstp) == 1, "memories of one role are of the same cells"
    cells = "lstp" if is_lstp[0] else "lop"
    return memory_macro(np.asarray(shape.depth), np.asarray(shape.width), cells)


def sequential_um2(shape: BlockShape) -> Number:
    """Area of the flip-flops and clock gates of blocks."""
    return FLIP_FLOP_UM2 * shape.flops + CLOCK_GATE_UM2 * shape.gates
