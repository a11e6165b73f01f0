"""A reset at any moment begins everything anew: what follows is as after the first reset."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Const, Module, ResetInserter, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from kakure.hdl.accelerators.counters import Counters
from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.image_keeper import ImageKeeper
from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.hdl.accelerators.precision_choice import PrecisionChoice
from kakure.hdl.accelerators.result_judge import ResultJudge
from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.hdl.accelerators.temporal.array import TemporalArray
from kakure.hdl.accelerators.temporal.image_writer import ImageWriter
from kakure.hdl.arithmetic.crc32 import Crc32
from kakure.hdl.boards.reply_writer import ReplyWriter
from kakure.hdl.boards.request_reader import RequestReader
from kakure.hdl.boards.uart_transmitter import UartTransmitter
from kakure.hdl.bus.register_bank import RegisterBank
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.hdl.engines.crossbar.memory_tile import MemoryTile
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.hdl.engines.pe_array.array import PeArray
from kakure.hdl.engines.pe_array.plane_engine import PlaneEngine
from kakure.hdl.stages.max_pool import MaxPool
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.hdl.stages.sum_pool import SumPool
from kakure.hdl.weights.bit_reader import BitReader
from kakure.hdl.weights.mask_decoder import MaskDecoder
from kakure.hdl.weights.plane_words import PlaneWords
from kakure.hdl.weights.sign_generator import SignGenerator
from kakure.hdl.weights.weight_order import WeightOrder
from kakure.model.link.frames import REQUEST
from tests.test_hdl_engines_pe_array_engine import engine, weights
from tests.test_hdl_engines_pe_array_plane_engine import configuration, words_of

CYCLES = 100


@dataclass
class Block:
    """A block and what random inputs would not do to it.

    Attributes
    ----------
    make : callable
        Makes it.
    fixed : dict of str to int, or of the fields of a port
        Inputs that do not change, by path.
    preparation : callable
        What is set in each of the first cycles after a reset: weights, scales.
    unset : tuple of str
        Outputs whose lowest bit alone counts: what else they say is of memories.
    """

    make: Callable[[], wiring.Component]
    fixed: dict[str, Any] = field(default_factory=dict)
    preparation: Callable[[Any], list[dict[str, Any]]] = lambda dut: []
    unset: tuple[str, ...] = ()


def scales(dut: Requantizer) -> list[dict[str, Any]]:
    return [
        {"scales": {"valid": 1, "channel": n, "multiplier": 700 + n, "offset": -n, "shift": 9}}
        for n in range(dut.channels)
    ]


def masks(dut: CrossbarTile | MemoryTile) -> list[dict[str, Any]]:
    return [
        {"write": {"valid": 1, "enable": 1, "positive": 0b101101 >> row, "negative": 2 << row}}
        for row in range(dut.rows)
    ]


def rows_of_masks(dut: MemoryTile) -> list[dict[str, Any]]:
    return [
        {"write": setting["write"] | {"part": row // dut.lanes}}
        for row, setting in enumerate(masks(dut))
        for _ in range(dut.sharing + 1)
    ]


def planes(dut: PlaneEngine) -> list[dict[str, Any]]:
    geometry = dut.config.geometry[0]
    u = np.random.default_rng(2).integers(0, 8, (geometry.fan_in, geometry.outputs))
    return [{"weights": word} for word in words_of(u, 3, geometry)]


BLOCKS = {
    "bit_reader": Block(BitReader, {"flush": 0, "size": 11}),
    "counters": Block(Counters),
    "crc32": Block(Crc32),
    "crossbar_tile": Block(
        lambda: CrossbarTile(
            rows=3, columns=4, sharing=2, adc_type="sar", adc_bits=2, input_bits=3
        ),
        {"write": 0},
        masks,
    ),
    "flash_tile": Block(
        lambda: CrossbarTile(
            rows=3, columns=6, sharing=3, adc_type="flash", adc_bits=2, input_bits=1
        ),
        {"write": 0},
        masks,
    ),
    "memory_tile": Block(
        lambda: MemoryTile(rows=3, columns=4, sharing=2, adc_type="sar", adc_bits=2, input_bits=3),
        {"write": 0},
        rows_of_masks,
    ),
    "frame_gate": Block(lambda: FrameGate(image_words=3), {"is_loaded": 1, "clear": 0}),
    "owing_gate": Block(
        lambda: FrameGate(image_words=2), {"is_loaded": 1, "is_batch": 1, "ends": 0}
    ),
    "image_writer": Block(
        lambda: ImageWriter(word=2, banks=2, rows=8),
        {"image": {"channels": 3, "width": 2, "height": 2, "drops": 3, "has_two_digits": 1}},
    ),
    "image_keeper": Block(lambda: ImageKeeper(image_words=3), {"holds": 1}),
    "runs": Block(MaskDecoder, {"token": 3, "width": 17, "flush": 0}),
    "plain_masks": Block(MaskDecoder, {"token": 0, "width": 17, "flush": 0}),
    "max_pool": Block(lambda: MaxPool(height=5, width=7, channels=2, peak=9, size=2)),
    "pe_array": Block(
        lambda: PeArray(
            inputs=3, outputs=2, pixels=2, input_bits=3, kind="hidden", peak=30, banks=1
        ),
        {"i.payload.is_first": 1},
    ),
    "pe_engine": Block(
        lambda: engine(((2, 2, 2), 1, 2, (1, 1, 3), 1), "xorshift32"),
        {"weights.valid": 0},
        lambda dut: [{"weights": word} for word in weights(dut, np.random.default_rng(2))[1]],
    ),
    "banked_engine": Block(
        lambda: engine(((2, 2, 2), 1, 3, (1, 1, 3), 1), "xorshift16"),
        {"weights.valid": 0},
        lambda dut: [{"weights": word} for word in weights(dut, np.random.default_rng(2))[1]],
    ),
    "plane_engine": Block(
        lambda: PlaneEngine(config=configuration(((2, 2, 2), 1, 2, (1, 1, 3), 1), 3), index=0),
        {"weights.valid": 0, "used": 2},
        planes,
    ),
    "plane_words": Block(
        lambda: PlaneWords(max_rows=3, max_blocks=2),
        {"token": 0, "tail": 5, "jobs.payload.rows": 3, "jobs.payload.blocks": 2},
    ),
    "plane_engine_of_rows": Block(
        lambda: PlaneEngine(config=configuration(((2, 2, 2), 1, 2, (2, 1, 3), 1), 3), index=0),
        {"weights.valid": 0, "used": 2},
        planes,
    ),
    "precision_choice": Block(lambda: PrecisionChoice(planes=3), {"tried": 0b101}),
    "pixel_unpacker": Block(lambda: PixelUnpacker(pixels=7, channels=3, bits=5)),
    "register_bank": Block(RegisterBank, {"values": 0}),
    "reply_writer": Block(ReplyWriter),
    "request_reader": Block(lambda: RequestReader(gap=5), {"is_open": 1, "byte": REQUEST}),
    "requantizer": Block(
        lambda: Requantizer(channels=5, lanes=2, peak=99, output_bits=4),
        {"scales.valid": 0},
        scales,
    ),
    "result_judge": Block(lambda: ResultJudge(classes=3), {"has_more": 1, "threshold": 1 << 30}),
    "result_sender": Block(lambda: ResultSender(classes=5), {"must_drop": 0}),
    "sign_generator": Block(
        lambda: SignGenerator(generator="xorshift32", max_channels=3, windows=(2,), max_blocks=2),
        {"jobs.payload": {"prefix": 77, "channels": 2, "window": 2, "blocks": 2}},
    ),
    "sliding_window": Block(
        lambda: SlidingWindow(
            height=4, width=5, channels=2, bits=2, kernel_height=3, kernel_width=3, padding=1
        )
    ),
    "strided_window": Block(
        lambda: StridedWindow(
            height=5,
            width=4,
            channels=2,
            bits=2,
            kernel_height=3,
            kernel_width=3,
            padding=1,
            stride=2,
        )
    ),
    "sum_pool": Block(lambda: SumPool(positions=6, channels=2, bits=3, shift=1, output_bits=3)),
    "stream_register": Block(lambda: StreamRegister(width=5)),
    "temporal_array": Block(
        lambda: TemporalArray(
            inputs=2, outputs=2, pixels=3, batches=4, sum_bits=9, many=1, most_pace=3
        ),
        {"weights.group": 0, "pace": 2, "made": 3},
        unset=("o",),
    ),
    "uart_transmitter": Block(lambda: UartTransmitter(divisor=3)),
    "weight_order": Block(
        lambda: WeightOrder(generator="xorshift32", max_channels=3, max_window=4, max_blocks=2),
        {"channels": 3, "window": 4, "blocks": 2},
    ),
}


def put(ctx: Any, dut: wiring.Component, path: str, value: Any) -> None:
    """Set a port, or a field of one, to a number or to the values of its fields."""
    port = reduce(getattr, path.split("."), dut)
    ctx.set(Value.cast(port) if isinstance(value, int) else port, value)


def ports(dut: wiring.Component) -> tuple[dict[str, Value], dict[str, Value]]:
    """Inputs and outputs by path."""
    found: tuple[dict[str, Value], dict[str, Value]] = {}, {}
    for path, member, value in dut.signature.flatten(dut):
        if isinstance(value, Const):  # of a stream that is always ready
            continue
        found[member.flow is not In][".".join(map(str, path))] = Value.cast(value)
    return found


def begins_with_valid(dut: wiring.Component, path: str) -> bool:
    """Whether the lowest bit of a port says whether the others count."""
    shape = getattr(reduce(getattr, path.split("."), dut), "shape", lambda: None)()
    return isinstance(shape, data.StructLayout) and next(iter(shape))[0] == "valid"


def answers(block: Block, *moments: tuple[int, int]) -> list[list[dict[str, int]]]:
    """What leaves a block in each cycle, per moment (seed of the inputs, cycles); a reset between.

    A payload that is offered stays until it is taken; what is not valid does not count.
    """
    dut = block.make()
    inputs, outputs = ports(dut)
    held = [path for path in inputs if path.endswith(".valid")]
    qualified = [path for path in outputs if begins_with_valid(dut, path)]
    found = []
    reset = Signal()
    top = Module()
    top.submodules.dut = ResetInserter(reset)(dut)

    def seen(values: dict[str, int]) -> Iterator[tuple[str, int]]:
        for path, value in values.items():
            stream = path.removesuffix(".payload")
            if path in block.unset:
                yield path, value & 1
            elif path in qualified:
                yield path, value if value & 1 else 0
            elif stream == path or values[f"{stream}.valid"]:
                yield path, value

    async def bench(ctx):
        for seed, cycles in moments:
            rng = Random(seed)
            for path in inputs:
                ctx.set(inputs[path], 0)
            log = []
            for settings in block.preparation(dut):
                for path, value in settings.items():
                    put(ctx, dut, path, value)
                log.append(dict(seen({path: ctx.get(value) for path, value in outputs.items()})))
                await ctx.tick()
            offered: set[str] = set()
            for _ in range(cycles):
                for path, value in inputs.items():
                    if path.rpartition(".")[0] not in offered:
                        ctx.set(value, rng.getrandbits(len(value)))
                for path, value in block.fixed.items():
                    put(ctx, dut, path, value)
                log.append(dict(seen({path: ctx.get(value) for path, value in outputs.items()})))
                names = {path.removesuffix(".valid") for path in held if ctx.get(inputs[path])}
                offered = {n for n in names if not log[-1].get(f"{n}.ready", 1)}
                await ctx.tick()
            found.append(log)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("name", BLOCKS)
def test_after_a_reset_at_any_moment_a_block_is_as_new(name):
    after = [(seed, 8) for seed in range(8)] + [(99, CYCLES)]
    new = {seed: answers(BLOCKS[name], (seed, cycles)) for seed, cycles in after}
    assert len(set(map(str, new[99][0]))) > 2  # it does something
    before = list(enumerate([*range(1, 26, 2), 40]))
    moments = [moment for first in before for second in after for moment in (first, second)]
    found = answers(BLOCKS[name], *moments)
    for (_, cycles), (seed, _), log in zip(moments[::2], moments[1::2], found[1::2], strict=True):
        assert [log] == new[seed], f"after {cycles} cycles"
