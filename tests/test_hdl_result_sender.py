# amaranth: UnusedElaboratable=no
"""Results on the stream, word by word and cycle by cycle."""

from random import Random

import numpy as np
import pytest

from hdl.result_sender import ResultSender
from model.reference import classify
from sim.streams import receive, send, simulate, watch


def run(logits, *, sends_class, gaps=None, stalls=None):
    """(cycle, word, last) of every word taken; logits are (images, classes)."""
    images, classes = logits.shape
    dut = ResultSender(classes=classes)
    taken = []

    async def drive(ctx):
        ctx.set(dut.sends_class, sends_class)
        await send(ctx, dut.i, logits.tolist(), gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, images * (1 if sends_class else classes), stalls)

    monitors = [watch(dut.i), watch(dut.o, taken)]
    simulate(dut, drive, sink, monitors=monitors, deadline=20 * images * classes + 50)
    return [(cycle, payload.word, payload.last) for cycle, payload in taken]


def images(classes):
    """Random logits, then extremes, then some that are equal."""
    rng = np.random.default_rng(1)
    ends = np.array([-(1 << 31), (1 << 31) - 1])
    return np.concatenate([
        rng.integers(-(1 << 31), 1 << 31, (6, classes)),
        rng.choice(ends, (4, classes)),
        rng.integers(-1, 2, (8, classes)),
        np.full((1, classes), -5),
    ])


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
@pytest.mark.parametrize("has_pauses", [False, True])
def test_sends_every_logit(classes, has_pauses):
    logits = images(classes)
    pauses = {"gaps": Random(2), "stalls": Random(3)} if has_pauses else {}
    taken = run(logits, sends_class=0, **pauses)
    words = [int(value) & 0xFFFFFFFF for value in logits.reshape(-1)]
    assert [word for _, word, _ in taken] == words
    assert [last for _, _, last in taken] == ([0] * (classes - 1) + [1]) * len(logits)
    if not has_pauses:
        assert [cycle for cycle, _, _ in taken] == [*range(len(words))]


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
@pytest.mark.parametrize("has_pauses", [False, True])
def test_sends_the_first_of_the_largest(classes, has_pauses):
    logits = images(classes)
    pauses = {"gaps": Random(2), "stalls": Random(3)} if has_pauses else {}
    taken = run(logits, sends_class=1, **pauses)
    assert [(word, last) for _, word, last in taken] == [(c, 1) for c in classify(logits)]
    if not has_pauses:
        ends = [classes * (n + 1) - 1 for n in range(len(logits))]
        assert [cycle for cycle, _, _ in taken] == ends


def test_rejects():
    with pytest.raises(ValueError, match=r"^classes must be at least 1, not 0$"):
        ResultSender(classes=0)
