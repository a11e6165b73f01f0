# amaranth: UnusedElaboratable=no
"""The FIFO against lists, with every control at random."""

from random import Random

import pytest

from kakure.hdl.boards.rewindable_fifo import RewindableFifo
from kakure.sim.drivers.streams import simulate


class Lists:
    """What is written, shown, read and given up, as numbers of words since the last clear."""

    def __init__(self, depth):
        self.depth = depth
        self.clear()

    def clear(self):
        self.words = []
        self.shown = self.read = self.free = 0

    def step(self, entered, left, controls):
        if entered is not None:
            self.words.append(entered)
        self.read += left
        if controls["take_back"]:
            del self.words[self.shown :]
        if controls["show"]:
            self.shown = len(self.words)
        if controls["give_up"]:
            self.free = self.read
        if controls["rewind"]:
            self.read = self.free
        if controls["clear"]:
            self.clear()


CONTROLS = ("show", "take_back", "give_up", "rewind", "clear")


@pytest.mark.parametrize("depth", [2, 4, 16])
@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_everything(depth, seed):
    dut = RewindableFifo(depth=depth, width=20)
    rng = Random(f"{depth} {seed}")
    lists = Lists(depth)
    taken = []
    full = empty = 0

    async def drive(ctx):
        nonlocal full, empty
        for number in range(3000):
            assert ctx.get(dut.room) == depth - (len(lists.words) - lists.free)
            assert ctx.get(dut.level) == lists.shown - lists.read
            full += ctx.get(dut.room) == 0
            empty += ctx.get(dut.level) == 0
            calm = seed % 2
            chosen = {name: int(rng.random() < (0.1 if calm else 0.2)) for name in CONTROLS}
            chosen["clear"] &= rng.random() < 0.1
            chosen["show"] |= calm
            chosen["show"] &= not chosen["take_back"]
            chosen["rewind"] &= not chosen["give_up"]
            valid = int(rng.random() < 0.7 and not chosen["take_back"])
            ready = int(rng.random() < 0.7 and not chosen["rewind"])
            for name, value in chosen.items():
                ctx.set(getattr(dut, name), value)
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, number)
            ctx.set(dut.o.ready, ready)
            entered = number if valid and ctx.get(dut.i.ready) else None
            left = int(ready and ctx.get(dut.o.valid))
            if left:
                assert ctx.get(dut.o.payload) == lists.words[lists.read]
                taken.append(number)
            await ctx.tick()
            lists.step(entered, left, chosen)

    simulate(dut, drive, deadline=3100)
    assert full > 20 and empty > 20 and len(taken) > 200


def test_words_follow_each_other_without_a_pause():
    dut = RewindableFifo(depth=4, width=8)
    taken = []

    async def drive(ctx):
        ctx.set(dut.show, 1)
        ctx.set(dut.give_up, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for number in range(30):
            ctx.set(dut.i.payload, number)
            assert ctx.get(dut.i.ready)
            if ctx.get(dut.o.valid):
                taken.append((number, ctx.get(dut.o.payload)))
            await ctx.tick()

    simulate(dut, drive, deadline=40)
    assert taken == [(number, number - 2) for number in range(2, 30)]


@pytest.mark.parametrize(
    ("depth", "width", "said"), [(3, 1, "power of two"), (1, 1, "at least 2"), (2, 0, "width")]
)
def test_what_is_refused(depth, width, said):
    with pytest.raises(ValueError, match=said):
        RewindableFifo(depth=depth, width=width)


def test_words_of_one_bit_are_words():
    assert RewindableFifo(depth=2, width=1).width == 1
