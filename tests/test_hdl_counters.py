# amaranth: UnusedElaboratable=no
"""Counters against the handshakes that they watch, cycle by cycle."""

from random import Random

import pytest

from hdl.counters import Counters
from sim.streams import simulate

INPUTS = ("offers", "takes", "is_loaded", "has_failed", "ends")
OUTPUTS = ("load_cycles", "results", "latency", "cycles", "is_busy")


def run(image_words, cycles):
    """The counters, two cycles after ``cycles``, each a set of the inputs that are 1."""
    dut = Counters(image_words=image_words)
    shown = {}

    async def drive(ctx):
        for high in [*cycles, cycles[-1] - {"offers", "takes", "ends"}]:
            for name in INPUTS:
                ctx.set(getattr(dut, name), name in high)
            await ctx.tick()
        await ctx.tick()
        shown.update({name: ctx.get(getattr(dut, name)) for name in OUTPUTS})

    simulate(dut, drive, deadline=len(cycles) + 10)
    return shown


def words(*numbers, total, offered=()):
    """Cycles in which the words of an image go in, taken in ``numbers``."""
    return [
        {"offers", "takes"} if n in numbers else {"offers"} if n in offered else set()
        for n in range(total)
    ]


def loaded(cycles, ends=()):
    return [
        high | {"is_loaded"} | ({"ends"} if n in ends else set()) for n, high in enumerate(cycles)
    ]


LOADING = words(2, 3, 6, total=7)


def test_loading_counts_from_the_first_word_taken_to_the_last():
    shown = run(1, [*LOADING, *loaded(words(total=5))])
    assert shown == {"load_cycles": 5, "results": 0, "latency": 0, "cycles": 0, "is_busy": 0}


def test_loading_that_fails_stops_the_count():
    after = [{"has_failed", "offers", "takes"}] * 4
    assert run(1, [*LOADING, *after])["load_cycles"] == 5


def test_latency_counts_from_the_first_word_offered():
    image = words(4, 9, total=30, offered=(2, 3))
    shown = run(2, [*LOADING, *loaded(image, ends=(20,))])
    assert shown == {"load_cycles": 5, "results": 1, "latency": 19, "cycles": 19, "is_busy": 0}


def test_cycles_go_on_to_the_latest_result_and_latency_does_not():
    image = words(0, 5, 6, 7, total=30)
    shown = run(2, [*LOADING, *loaded(image, ends=(9, 25))])
    assert shown == {"load_cycles": 5, "results": 2, "latency": 10, "cycles": 26, "is_busy": 0}


@pytest.mark.parametrize(
    ("image_words", "taken", "ends", "is_busy"),
    [
        (2, (0,), (), 1),
        (2, (0, 1), (), 1),
        (2, (0, 1), (5,), 0),
        (2, (0, 1, 2), (5,), 1),
        (2, (0, 1, 2, 3), (5, 8), 0),
        (1, (0, 1), (5,), 1),
        (3, (0, 1, 2), (5,), 0),
        (3, (0, 1, 2, 3), (5,), 1),
    ],
)
def test_busy_while_an_image_is_on_its_way(image_words, taken, ends, is_busy):
    shown = run(image_words, loaded(words(*taken, total=10), ends=ends))
    assert shown["is_busy"] == is_busy
    assert shown["results"] == len(ends)


def test_random_handshakes():
    rng = Random(1)
    image = words(*rng.sample(range(200), 60), total=200)
    ends = sorted(rng.sample(range(40, 200), 15))
    begin = next(n for n, high in enumerate(image) if high)
    shown = run(4, loaded(image, ends=ends))
    assert shown == {
        "load_cycles": 0,
        "results": 15,
        "latency": ends[0] - begin + 1,
        "cycles": ends[-1] - begin + 1,
        "is_busy": 0,
    }


def test_rejects():
    with pytest.raises(ValueError, match=r"^image_words must be at least 1, not 0$"):
        Counters(image_words=0)
