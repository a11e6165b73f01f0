# amaranth: UnusedElaboratable=no
"""Frames, right and wrong, word by word, behind the register that feeds the gate."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
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


LENGTHS = {
    "right": (3, 3, 3),
    "short, then right": (2, 3),
    "right, shortest, right": (3, 1, 3),
    "short, short, right": (1, 2, 3, 3),
    "long, then right": (4, 3),
    "long by images": (3, 9, 3, 3),
    "long, short, long, right": (5, 1, 7, 3),
    "short, long": (2, 4, 3),
    "several right before": (3, 3, 3, 3, 2, 3, 3),
}


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("early", [False, True])
def test_wrong_frames_have_no_result_and_the_next_is_right(name, seed, early):
    words = frames(*LENGTHS[name])
    expected = expect(words, 3)
    taken, finished, shown = run(words, 3, seed=seed, early=early)
    assert taken == expected.words
    assert finished == expected.good
    assert shown == {
        "error": expected.error,
        "dropped": expected.dropped,
        "is_busy": 0,
        "may_send": 0,
    }


@pytest.mark.parametrize("seed", [None, *range(25)])
def test_random_frames(seed):
    rng = Random(seed)
    for image_words in (1, 2, 5):
        lengths = [
            rng.choice([image_words] * 3 + [*range(1, 2 * image_words + 3)]) for _ in range(20)
        ]
        words = frames(*lengths, image_words)
        is_batch = rng.random() < 0.3
        if is_batch:
            words = [(word, int(last and rng.random() < 0.8)) for word, last in words]
            words += [(9, 0)] * (
                -len(expect(words, image_words, is_batch=True).words) % image_words
            )
        expected = expect(words, image_words, is_batch=is_batch)
        taken, finished, shown = run(
            words, image_words, is_batch=is_batch, seed=seed, capacity=rng.choice([1, 2, 6])
        )
        assert (taken, finished) == (expected.words, expected.good)
        assert (shown["error"], shown["dropped"]) == (expected.error, expected.dropped)


@pytest.mark.parametrize("seed", [None, 4])
@pytest.mark.parametrize(
    ("lasts", "good", "error"),
    [
        ((0, 0, 0, 0, 0, 0), [True, True], FrameError.NONE),
        ((0, 0, 0, 0, 0, 1), [True, True], FrameError.NONE),
        ((0, 0, 1, 0, 0, 1), [True, True], FrameError.NONE),
        ((0, 0, 0, 0, 1, 0, 0, 0), [True, False, True], SHORT),
        ((1, 0, 0, 1), [False, True], SHORT),
    ],
)
def test_in_a_batch_only_an_early_last_is_wrong(lasts, good, error, seed):
    words = [*enumerate(lasts, 1)]
    taken, finished, shown = run(words, 3, is_batch=True, seed=seed)
    assert taken == expect(words, 3, is_batch=True).words
    assert (finished, shown["error"]) == (good, error)


class Stepped:
    """A gate that a test steps through by hand."""

    def __init__(self, ctx, gate):
        self.ctx, self.gate = ctx, gate
        ctx.set(gate.is_loaded, 1)
        ctx.set(gate.o.ready, 1)

    async def word(self, last):
        assert self.ctx.get(self.gate.is_open) == 1
        self.ctx.set(self.gate.i.valid, 1)
        self.ctx.set(self.gate.i.p.last, last)
        await self.ctx.tick()
        self.ctx.set(self.gate.i.valid, 0)

    async def pulse(self, name):
        self.ctx.set(getattr(self.gate, name), 1)
        await self.ctx.tick()
        self.ctx.set(getattr(self.gate, name), 0)

    def shown(self, *names):
        return tuple(self.ctx.get(getattr(self.gate, name)) for name in names)


def stepped(bench, image_words=2):
    gate: Any = FrameGate(image_words=image_words)

    async def drive(ctx):
        await bench(Stepped(ctx, gate))

    simulate(gate, drive, deadline=200)


def test_the_first_error_is_kept_and_clear_forgets_it_with_the_count():
    async def bench(gate):
        await gate.word(1)
        assert gate.shown("error", "dropped", "is_open") == (FrameError.NONE, 0, 0)
        await gate.ctx.tick()  # the zeros; the count is a cycle late
        assert gate.shown("error", "dropped", "is_open") == (SHORT, 1, 0)
        await gate.pulse("ends")
        await gate.word(0)
        await gate.word(0)
        await gate.pulse("ends")
        assert gate.shown("error", "dropped", "is_open", "is_busy") == (SHORT, 2, 1, 1)
        await gate.pulse("clear")
        assert gate.shown("error", "dropped") == (FrameError.NONE, 0)
        await gate.word(1)  # the end of the long frame
        assert gate.shown("error", "dropped", "is_busy") == (FrameError.NONE, 0, 0)
        await gate.word(0)
        await gate.word(0)
        await gate.ctx.tick()
        assert gate.shown("error", "dropped") == (LONG, 1)

    stepped(bench)


@pytest.mark.parametrize("late", [0, 1])
def test_clear_does_not_forget_what_happens_in_its_cycle_or_the_one_before(late):
    async def bench(gate):
        await gate.word(1)
        await gate.ctx.tick()
        await gate.pulse("ends")
        await gate.word(0)
        gate.ctx.set(gate.gate.clear, not late)
        await gate.word(0)
        gate.ctx.set(gate.gate.clear, late)
        await gate.ctx.tick()
        gate.ctx.set(gate.gate.clear, 0)
        assert gate.shown("error", "dropped") == (LONG, 1)

    stepped(bench)


def test_batch_ends_the_dropping_of_words():
    async def bench(gate):
        await gate.word(0)
        await gate.word(0)
        await gate.pulse("ends")
        await gate.word(0)
        assert gate.shown("is_busy", "is_open") == (1, 1)
        gate.ctx.set(gate.gate.is_batch, 1)
        assert gate.shown("is_busy") == (0,)
        await gate.word(0)
        assert gate.shown("is_busy") == (1,)
        await gate.word(0)
        assert gate.shown("may_send", "error", "dropped") == (1, LONG, 1)

    stepped(bench)


def test_busy_from_the_first_word_to_the_result():
    async def bench(gate):
        assert gate.shown("is_busy", "may_send") == (0, 0)
        await gate.word(0)
        assert gate.shown("is_busy", "may_send") == (1, 0)
        await gate.word(1)
        assert gate.shown("is_busy", "may_send") == (1, 1)
        await gate.pulse("ends")
        assert gate.shown("is_busy", "may_send") == (0, 0)
        gate.ctx.set(gate.gate.is_held, 1)
        assert gate.shown("is_busy") == (1,)

    stepped(bench)


def test_a_load_waits_for_the_frame_and_its_result():
    async def bench(gate):
        await gate.word(0)
        gate.ctx.set(gate.gate.load, 1)
        assert gate.shown("is_open") == (0,)
        await gate.ctx.tick()
        gate.ctx.set(gate.gate.load, 0)
        assert gate.shown("is_open", "is_waiting", "restarts") == (1, 1, 0)
        await gate.word(1)
        for _ in range(3):
            assert gate.shown("is_open", "is_waiting", "restarts") == (0, 1, 0)
            await gate.ctx.tick()
        await gate.pulse("ends")
        assert gate.shown("is_open", "is_waiting", "restarts") == (0, 1, 1)
        await gate.ctx.tick()
        gate.ctx.set(gate.gate.is_loaded, 0)
        assert gate.shown("is_open", "is_waiting", "restarts") == (1, 0, 0)

    stepped(bench)


def test_nothing_is_let_in_while_a_short_image_is_filled():
    """Its result may be dropped before that: what comes then may be of the next load."""

    async def bench(gate):
        await gate.word(1)
        gate.ctx.set(gate.gate.o.ready, 0)
        assert gate.shown("must_drop") == (1,)
        await gate.pulse("ends")
        await gate.pulse("load")
        for _ in range(3):
            assert gate.shown("must_drop", "is_open", "restarts") == (0, 0, 0)
            await gate.ctx.tick()
        gate.ctx.set(gate.gate.o.ready, 1)
        await gate.ctx.tick()
        assert gate.shown("is_open", "restarts") == (0, 1)

    stepped(bench)


@pytest.mark.parametrize("is_short", [False, True])
def test_a_load_waits_for_a_wrong_image_and_forgets_it(is_short):
    async def bench(gate):
        if not is_short:
            await gate.word(0)
        await gate.word(is_short)
        await gate.pulse("load")
        if is_short:
            await gate.ctx.tick()
        else:
            await gate.word(0)
            await gate.word(1)
        assert gate.shown("is_open", "restarts", "dropped") == (0, 0, 1)
        await gate.pulse("ends")
        assert gate.shown("restarts") == (1,)
        await gate.ctx.tick()
        assert gate.shown("error", "dropped", "is_waiting") == (FrameError.NONE, 0, 0)

    stepped(bench)


def test_a_load_begins_at_once_where_nothing_is_loaded():
    async def bench(gate):
        gate.ctx.set(gate.gate.is_loaded, 0)
        gate.ctx.set(gate.gate.is_held, 1)
        gate.ctx.set(gate.gate.load, 1)
        assert gate.shown("is_open", "restarts") == (0, 0)
        await gate.ctx.tick()
        gate.ctx.set(gate.gate.load, 0)
        assert gate.shown("is_open", "restarts", "is_waiting", "is_busy") == (0, 1, 0, 0)
        gate.ctx.set(gate.gate.is_held, 0)
        await gate.ctx.tick()
        assert gate.shown("is_open", "restarts") == (1, 0)

    stepped(bench)


def test_rejects():
    with pytest.raises(ValueError, match=r"^image_words must be at least 1, not 0$"):
        FrameGate(image_words=0)
