import numpy as np
import pytest

from kakure.search.phase1.staircase import NEVER, Labels, best_time, staircase, undominated


def brute_force(points):
    """Distinct points that no other one is as good as in all three."""
    points = set(points)
    return {
        p
        for p in points
        if not any(q != p and q[0] <= p[0] and q[1] <= p[1] and q[2] >= p[2] for q in points)
    }


def random_labels(seed, n, top, scale=1):
    generator = np.random.Generator(np.random.PCG64(seed))
    return Labels(*(generator.integers(top, size=n) * scale for _ in range(3)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("n", "top"), [(1, 5), (40, 4), (60, 12), (200, 1000)])
def test_the_undominated_are_those_of_brute_force(seed, n, top):
    labels = random_labels(seed, n, top)
    kept = undominated(labels)
    found = list(zip(kept.area.tolist(), kept.time.tolist(), kept.weights.tolist(), strict=True))
    points = zip(labels.area.tolist(), labels.time.tolist(), labels.weights.tolist(), strict=True)
    assert set(found) == brute_force(points)
    assert len(set(found)) == len(found)
    assert found == sorted(found, key=lambda p: (-p[2], p[0]))


def test_numbers_too_large_for_a_joint_key_are_ranked():
    labels = random_labels(3, 100, 9)
    large = random_labels(3, 100, 9, scale=2**58)
    small, ranked = undominated(labels), undominated(large)
    for name in ("area", "time", "weights"):
        assert (getattr(small, name) * 2**58 == getattr(ranked, name)).all()


def test_nothing_stays_nothing():
    empty = np.zeros(0, np.int64)
    assert len(undominated(Labels(empty, empty, empty))) == 0
    assert len(staircase(empty, empty)) == 0


def test_of_equal_pairs_the_first_is_kept():
    area, time = np.array([3, 1, 1, 2, 3]), np.array([1, 5, 5, 5, 1])
    assert staircase(area, time).tolist() == [1, 0]


def test_best_time_reads_the_staircase():
    area, time = np.array([2, 5]), np.array([9, 4])
    assert best_time(area, time, np.array([1, 2, 4, 5, 9])).tolist() == [NEVER, 9, 9, 4, 4]
    assert best_time(area[:0], time[:0], np.array([7])).tolist() == [NEVER]
