import itertools
import math

import numpy as np
import pytest

from kakure.search.phase2.paired import Paired, images_needed, loss_bound


@pytest.mark.parametrize("count", [50, 299, 1231])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_without_a_single_loss_it_is_the_rule_of_three(count, confidence):
    exact = 1 - (1 - confidence) ** (1 / count)
    bound = loss_bound(Paired(0, 0, count), confidence)
    assert exact <= bound <= 1.02 * exact + 1e-5
    assert bound == pytest.approx(-math.log(1 - confidence) / count, rel=0.06)


def test_206_images_cannot_show_one_percent_and_299_just_can():
    assert images_needed(0.01, 0.95) == 299
    assert loss_bound(Paired(0, 0, 206), 0.95) > 0.014
    for loss, confidence in itertools.product((0.005, 0.01, 0.1), (0.8, 0.95, 0.99)):
        needed = images_needed(loss, confidence)
        assert (1 - loss) ** needed <= 1 - confidence < (1 - loss) ** (needed - 1)


def trinomial(n: int, lost: float, gained: float) -> dict[tuple[int, int], float]:
    chances = {}
    for a in range(n + 1):
        for b in range(n - a + 1):
            ways = math.comb(n, a) * math.comb(n - a, b)
            chances[a, b] = ways * lost**a * gained**b * (1 - lost - gained) ** (n - a - b)
    return chances


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_true_loss_lies_above_the_bound_no_more_often_than_stated(confidence):
    n = 12
    bounds = {
        (a, b): loss_bound(Paired(a, b, n), confidence)
        for a in range(n + 1)
        for b in range(n - a + 1)
    }
    worst = naive = 0.0
    for lost, gained in itertools.product(np.linspace(0, 1, 21), repeat=2):
        if lost + gained > 1:
            continue
        chances = trinomial(n, lost, gained)
        assert sum(chances.values()) == pytest.approx(1)
        missed = [k for k, bound in bounds.items() if bound < lost - gained - 1e-9]
        worst = max(worst, sum(chances[k] for k in missed))
        z = 1.6449 if confidence == 0.95 else 0.8416
        plain = [
            (a, b)
            for a, b in chances
            if (a - b) / n + z * math.sqrt(a + b - (a - b) ** 2 / n) / n < lost - gained - 1e-9
        ]
        naive = max(naive, sum(chances[k] for k in plain))
    assert worst <= 1 - confidence
    assert worst > 0.6 * (1 - confidence)  # and it does not give much away
    assert naive > 2 * (1 - confidence)  # the usual formula breaks its word


def test_more_losses_show_less_and_more_gains_show_more():
    few = [loss_bound(Paired(a, 5, 400), 0.95) for a in range(12)]
    assert few == sorted(set(few))
    more = [loss_bound(Paired(5, b, 400), 0.95) for b in range(12)]
    assert more == sorted(set(more), reverse=True)
    assert loss_bound(Paired(3, 3, 400), 0.99) > loss_bound(Paired(3, 3, 400), 0.9)
    assert loss_bound(Paired(3, 3, 800), 0.95) < loss_bound(Paired(3, 3, 400), 0.95)


@pytest.mark.parametrize(("a", "b", "n"), [(12, 12, 1231), (0, 12, 1231), (250, 240, 6000)])
def test_large_counts_come_near_the_normal_bound(a, b, n):
    deviation = math.sqrt(a + b - (a - b) ** 2 / n) / n
    assert loss_bound(Paired(a, b, n), 0.95) == pytest.approx(
        (a - b) / n + 1.645 * deviation, abs=0.25 * deviation
    )


def test_all_lost_and_all_gained_are_the_ends():
    assert loss_bound(Paired(30, 0, 30), 0.95) == 1
    assert loss_bound(Paired(0, 30, 30), 0.95) < -0.8
    assert loss_bound(Paired(0, 0, 1), 0.95) >= 0.95


def test_counting_compares_image_by_image():
    before = np.array([1, 1, 0, 0, 1], bool)
    after = np.array([1, 0, 1, 0, 0], bool)
    paired = Paired.of(before, after)
    assert paired == Paired(2, 1, 5)
    assert paired.loss == pytest.approx(0.2) and paired.discordant == 3
