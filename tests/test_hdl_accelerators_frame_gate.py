# amaranth: UnusedElaboratable=no
"""Frames, right and wrong, word by word, behind the register that feeds the gate."""

from random import Random

import pytest

from kakure.hdl.accelerators.frame_gate import FrameError
from tests.frame_gate_bench import SHORT, expect, frames, run

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
