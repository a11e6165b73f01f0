# amaranth: UnusedElaboratable=no
"""Loads, clears, batches and the busy bit, cycle by cycle."""

from typing import Any

import pytest

from kakure.hdl.accelerators.frame_gate import FrameError, FrameGate
from kakure.sim.drivers.streams import simulate
from tests.frame_gate_bench import LONG, SHORT


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
