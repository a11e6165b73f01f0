"""What is proven of which block, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.hdl.accelerators.temporal.excess_counter import ExcessCounter
from kakure.hdl.accelerators.temporal.horner_element import HornerElement
from kakure.hdl.accelerators.temporal.logit_sender import LogitSender
from kakure.hdl.arithmetic.lam_multiplier import LamMultiplier
from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.hdl.engines.crossbar.memory_tile import MemoryTile
from kakure.hdl.stages.max_pool import MaxPool
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.stages.shortcut import Shortcut
from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.hdl.stages.sum_pool import SumPool
from kakure.hdl.weights.bit_reader import BitReader
from kakure.hdl.weights.mask_decoder import MaskDecoder
from kakure.hdl.weights.sign_generator import SignGenerator

from .harness import Claim
from .lam_claims import multiplies_nearly
from .tile_claims import is_a_tile_of_registers

__all__ = ["PROOFS", "Proof"]

MAP = {"height": 4, "width": 5, "channels": 1, "bits": 2}
WINDOW = MAP | {"kernel_height": 3, "kernel_width": 3, "padding": 1}


@dataclass(frozen=True)
class Proof:
    """A claim of one block of one size.

    Attributes
    ----------
    text : str
        What is proven.
    make : callable
        The block.
    depth : int
        Cycles from reset that are looked at; and of an induction, which begins in any state.
    claim : Claim or None
        What is claimed beside the rules of streams.
    stays, rests, loose : tuple of str
        As those of :class:`.Harness`.
    """

    text: str
    make: Callable[[], wiring.Component]
    depth: int = 6
    claim: Claim | None = None
    stays: tuple[str, ...] = field(default=())
    rests: tuple[str, ...] = field(default=())
    loose: tuple[str, ...] = field(default=())


def counts(m: Module, block: Any) -> None:
    """The count is that of a plain sum, or all ones."""
    total = sum(block.i[n] for n in range(block.lanes))
    most = (1 << (block.cap_bits or 32)) - 1
    m.d.comb += Assert(block.o == Mux(total > most, most, total), "the count")


def multiplies(m: Module, block: Any) -> None:
    """The sum is Σ activation · weight of the planes so far, each weighed twice the next."""
    m.d.comb += Assume((block.positive & block.negative) == 0, "one sign")
    m.d.comb += Assume(
        block.excess == sum(block.negative[n] for n in range(block.inputs)), "excess"
    )
    plane = sum(block.x[n] * (block.positive[n] - block.negative[n]) for n in range(block.inputs))
    planes = Signal(range(5))
    total = Signal(signed(len(block.o) + 3))
    m.d.comb += Assume(~block.step | block.clears | ((planes != 0) & (planes != 4)), "planes")
    with m.If(block.step):
        m.d.sync += planes.eq(Mux(block.clears, 1, planes + 1))
        m.d.sync += total.eq(Mux(block.clears, 0, total << 1) + plane)
    m.d.comb += Assert((planes == 0) | (total == block.o), "the sum")
    peak = Mux(planes == 4, 15, Mux(planes == 3, 7, Mux(planes == 2, 3, planes)))
    bound = block.inputs * peak  # so that an induction begins in a state that can be
    m.d.comb += Assert((planes == 0) | ((total <= bound) & (total >= -bound)), "its range")
    m.d.comb += Assert(planes <= 4, "planes")


def counts_negative(m: Module, block: Any) -> None:
    """Ones of the set that is in use, whatever comes meanwhile."""
    groups = block.inputs // block.many
    group = Signal(range(groups + 1))
    made, used = Signal(range(block.inputs + 1)), Signal(range(block.inputs + 1))
    is_known = Signal()
    ones = sum(block.negative[n] for n in range(block.many))
    m.d.comb += Assume(
        ~block.valid | (block.is_first == ((group == 0) | (group == groups))), "in order"
    )
    m.d.comb += Assume(~block.takes | ((group == groups) & ~block.valid), "a whole set")
    with m.If(block.valid):
        m.d.sync += group.eq(Mux(block.is_first, 1, group + 1))
        m.d.sync += made.eq(Mux(block.is_first, 0, made) + ones)
    with m.If(block.takes):
        m.d.sync += [used.eq(made), is_known.eq(1)]
    m.d.comb += Assert(~is_known | (block.o == used), "ones in use")


def sends_or_drops(m: Module, block: Any) -> None:
    """What may be sent is not dropped."""
    m.d.comb += Assume(~(block.may_send & block.must_drop), "sent or dropped")


def keeps_its_field(m: Module, block: Any) -> None:
    """The bits of a field stay until it is taken; those above it may be anything."""
    mask, old, waits = Signal(33), Signal(32), Signal()
    m.d.comb += mask.eq((1 << block.size) - 1)
    m.d.sync += [waits.eq(block.o.valid & ~block.o.ready), old.eq(block.o.payload)]
    same = ((block.o.payload ^ old) & mask[:32]) == 0
    m.d.comb += Assert(~waits | same, "the field")


def takes_scales(m: Module, block: Any) -> None:
    """Scales are of a channel that there is."""
    m.d.comb += Assume(block.scales.channel < block.channels, "a channel")


def is_a_queue(m: Module, block: Any) -> None:
    """What was pushed first comes first, where no more is pushed and popped than may be."""
    held = Signal(range(block.depth + 1))
    pixels = [Signal(block.channels * block.bits, name=f"pixel_{n}") for n in range(block.depth)]
    m.d.comb += Assume(~block.push | block.pop | (held != block.depth), "not full")
    m.d.comb += Assume(~block.pop | (held != 0), "not empty")
    place = Signal.like(held)
    m.d.comb += place.eq(held - block.pop)
    m.d.sync += held.eq(place + block.push)
    for n, (pixel, after) in enumerate(zip(pixels, [*pixels[1:], pixels[-1]], strict=True)):
        with m.If(block.pop):
            m.d.sync += pixel.eq(after)
        with m.If(block.push & (place == n)):
            m.d.sync += pixel.eq(Value.cast(block.i))
    m.d.comb += Assert((held == 0) | (Value.cast(block.o) == pixels[0]), "the oldest")


def keeps_to_its_depth(m: Module, block: Any) -> None:
    """As many logits as it has room for come for an image."""
    came = Signal(range(block.depth + 1))
    m.d.sync += came.eq(Mux(block.ends, 0, came + block.i.valid))
    m.d.comb += Assume(~block.i.valid | (~block.is_busy & (came != block.depth)), "room")
    m.d.comb += Assume(~block.is_complete | (~block.is_busy & (came == block.depth)), "all")
    last = block.outputs * block.depth - 1
    m.d.comb += Assume(block.last_class == last, "the last class")
    m.d.comb += Assert(came <= block.depth, "no more than there is room for")


RULES = "what is offered stays until it is taken, no memory is overrun"


def _popcounts() -> dict[str, Proof]:
    found = {}
    for lanes, cap in ((1, None), (7, None), (8, None), (15, None), (15, 2), (12, 3)):
        text = f"the count of {lanes} bits is their sum" + (
            f", at most {(1 << cap) - 1}" if cap else ""
        )
        found[f"popcount_{lanes}_{cap or 'all'}"] = Proof(
            text, lambda lanes=lanes, cap=cap: Popcount(lanes=lanes, cap_bits=cap), 1, counts
        )
    return found


def _lams() -> dict[str, Proof]:
    found = {}
    for name, widths, compensation, bounds in (
        ("e4m3", (4, 3), 0, "-1/9 to 0"),
        ("e3m4", (3, 4), 0, "-1/9 to 0"),
        ("e3m4", (3, 4), 1, "-7.3 % to 1/16"),
        ("bf16", (8, 7), 7, "-7.8 % to 7/128"),
    ):
        found[f"lam_{name}_{compensation}"] = Proof(
            f"LAM's relative error is {bounds} for all normal numbers",
            lambda widths=widths, compensation=compensation: LamMultiplier(
                exponent_bits=widths[0], fraction_bits=widths[1], compensation=compensation
            ),
            1,
            multiplies_nearly,
        )
    return found


def _memory_tiles() -> dict[str, Proof]:
    found = {}
    for adc_type, rows, adc_bits, depth in (("flash", 2, 2, 16), ("sar", 3, 2, 24)):
        found[f"memory_tile_{adc_type}"] = Proof(
            "a tile of memory cells does what one of registers does, for any weights and vectors",
            lambda rows=rows, adc_type=adc_type, adc_bits=adc_bits: MemoryTile(
                rows=rows,
                columns=2,
                sharing=2,
                adc_type=adc_type,
                adc_bits=adc_bits,
                input_bits=2,
            ),
            depth,
            is_a_tile_of_registers,
        )
    return found


PROOFS: dict[str, Proof] = {
    **_popcounts(),
    **_lams(),
    "horner_element": Proof(
        "the sum of up to four planes of 5 activations is Σ activation · weight",
        lambda: HornerElement(inputs=5), 2, multiplies,
    ),
    "excess_counter": Proof(
        "negative weights of the set in use, of 6 that come in twos",
        lambda: ExcessCounter(inputs=6, many=2), 8, counts_negative,
    ),
    **_memory_tiles(),
    "stream_register": Proof(RULES, lambda: StreamRegister(width=8)),
    "frame_gate": Proof(RULES, lambda: FrameGate(image_words=3)),
    "pixel_unpacker": Proof(RULES, lambda: PixelUnpacker(pixels=3, channels=3, bits=4)),
    "sliding_window": Proof(RULES, lambda: SlidingWindow(**WINDOW), 18),
    "strided_window": Proof(RULES, lambda: StridedWindow(**WINDOW, stride=2), 18),
    "max_pool": Proof(RULES, lambda: MaxPool(height=4, width=6, channels=1, peak=3, size=2), 16),
    "requantizer": Proof(
        RULES, lambda: Requantizer(channels=5, lanes=2, peak=7, output_bits=3), 10, takes_scales,
    ),
    "requantizer_with_shortcut": Proof(
        RULES, lambda: Requantizer(channels=3, lanes=1, peak=7, output_bits=3, shortcut_bits=2), 10,
        takes_scales,
    ),
    "shortcut": Proof(
        "the oldest comes first; no memory is overrun",
        lambda: Shortcut(depth=3, channels=1, bits=2), 8, is_a_queue,
    ),
    "sum_pool": Proof(
        RULES, lambda: SumPool(positions=4, channels=2, bits=3, shift=1, output_bits=3)
    ),
    "result_sender": Proof(
        RULES, lambda: ResultSender(classes=3), claim=sends_or_drops, stays=("may_send",),
        rests=("must_drop",),
    ),
    "logit_sender": Proof(
        RULES, lambda: LogitSender(outputs=2, depth=3), 8, keeps_to_its_depth,
        stays=("last_class",), rests=("must_drop",),
    ),
    "bit_reader": Proof(
        RULES, BitReader, claim=keeps_its_field, stays=("size",), rests=("flush",), loose=("o",)
    ),
    "mask_decoder": Proof(RULES, MaskDecoder, 4, stays=("token", "width"), rests=("flush",)),
    "sign_generator": Proof(
        RULES,
        lambda: SignGenerator(
            generator="xorshift32", max_channels=4, windows=(9,), max_blocks=2
        ),
        8,
    ),
}  # fmt: skip
