# amaranth: UnusedElaboratable=no
"""The frame gate behind the register that feeds it, and what a list of frames should give."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from amaranth.hdl import Elaboratable, Module, Value
from amaranth.lib import stream

from kakure.hdl.accelerators.frame_gate import FrameError, FrameGate
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.sim.drivers.streams import send, simulate

SHORT, LONG = FrameError.IMAGE_SHORT, FrameError.IMAGE_LONG


@dataclass
class Expected:
    """What the plain-Python gate says of a list of frames."""

    words: list[int] = field(default_factory=list)
    """That go into the pipeline."""
    good: list[bool] = field(default_factory=list)
    """For each image in the pipeline, whether it has a result."""
    error: FrameError = FrameError.NONE
    dropped: int = 0


def expect(words, image_words, *, is_batch=False) -> Expected:
    """Golden model over (word, last)."""
    result = Expected()
    at = 0
    is_beyond = False
    for word, last in words:
        if is_beyond:
            is_beyond = not last
            continue
        result.words.append(word)
        at += 1
        error = FrameError.NONE
        if last and at < image_words:
            error = SHORT
            result.words += [0] * (image_words - at)
        elif at == image_words and not last and not is_batch:
            error = LONG
            is_beyond = True
        if at == image_words or error != FrameError.NONE:
            at = 0
            result.good.append(error == FrameError.NONE)
            if error != FrameError.NONE:
                result.dropped += 1
                if result.error == FrameError.NONE:
                    result.error = error
    return result


class Bench(Elaboratable):
    """The register and the gate, and a pipeline that is a list."""

    def __init__(self, image_words):
        self.front = StreamRegister(width=33)
        self.gate: Any = FrameGate(image_words=image_words)
        self.i: stream.Interface = self.front.i

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = self.front
        m.submodules.gate = self.gate
        m.d.comb += [
            self.front.is_open.eq(self.gate.is_open),
            self.gate.is_held.eq(self.front.is_held),
            self.gate.i.valid.eq(self.front.o.valid),
            Value.cast(self.gate.i.payload).eq(self.front.o.payload),
            self.front.o.ready.eq(self.gate.i.ready),
        ]
        return m


def run(words, image_words, *, is_batch=False, seed=None, capacity=4, early=False):
    """Words into the pipeline, the images whose results were sent, the gate's error and count.

    ``capacity`` images are in the pipeline at most; with ``early`` a result is there as soon as
    the image begins.
    """
    bench = Bench(image_words)
    gate = bench.gate
    taken: list[int] = []
    finished: list[bool] = []
    shown = {}
    rngs = [None if seed is None else Random(f"{seed} {n}") for n in range(3)]
    count = len(expect(words, image_words, is_batch=is_batch).good)

    async def drive(ctx):
        ctx.set(gate.is_loaded, 1)
        ctx.set(gate.is_batch, is_batch)
        await send(ctx, bench.i, [word | last << 32 for word, last in words], rngs[0])

    async def pipeline(ctx):
        """Takes words while there is room; has a result a while after an image."""
        while len(finished) < count:
            begun = -(-len(taken) // image_words) if early else len(taken) // image_words
            has_room = len(taken) // image_words - len(finished) < capacity
            ctx.set(gate.o.ready, has_room and (rngs[1] is None or rngs[1].random() < 0.6))
            has_result = begun > len(finished) and (rngs[2] is None or rngs[2].random() < 0.3)
            ends = has_result and (ctx.get(gate.may_send) or ctx.get(gate.must_drop))
            ctx.set(gate.ends, ends)
            if ends:
                assert ctx.get(gate.may_send) != ctx.get(gate.must_drop)
                finished.append(bool(ctx.get(gate.may_send)))
            *_, valid, ready, word = await ctx.tick().sample(
                gate.o.valid, gate.o.ready, gate.o.payload
            )
            if valid and ready:
                taken.append(word)
        ctx.set(gate.ends, 0)
        ctx.set(gate.o.ready, 1)

    async def rest(ctx):
        while len(finished) < count or ctx.get(bench.i.valid):
            await ctx.tick()
        for _ in range(3):
            await ctx.tick()
        shown.update(error=ctx.get(gate.error), dropped=ctx.get(gate.dropped))
        shown.update(is_busy=ctx.get(gate.is_busy), may_send=ctx.get(gate.may_send))

    deadline = 100 + 40 * (len(words) + image_words * count)
    simulate(bench, drive, pipeline, rest, deadline=deadline)
    return taken, finished, shown


def frames(*lengths, begin=1):
    """Words that count on, ``last`` with the last of each frame."""
    words = []
    for length in lengths:
        words += [(begin + len(words) + n, int(n == length - 1)) for n in range(length)]
    return words
