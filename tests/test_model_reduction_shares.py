import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.model.reduction.shares import shares

LABELS = np.array([2] * 5 + [0] * 10 + [7] * 1)


def test_every_class_has_its_share():
    assert shares(LABELS, 16) == {0: 10, 2: 5, 7: 1}
    assert shares(LABELS, 8) == {0: 5, 2: 3, 7: 0}  # 5.0, 2.5, 0.5: of equals the first
    assert shares(LABELS, 15) == {0: 9, 2: 5, 7: 1}  # 9.4, 4.7, 0.9
    assert shares(LABELS, 1) == {0: 1, 2: 0, 7: 0}


@pytest.mark.parametrize("kept", range(1, 17))
def test_they_are_as_many_as_asked(kept):
    found = shares(LABELS, kept)
    assert sum(found.values()) == kept
    assert all(abs(found[c] - kept * n / 16) < 1 for c, n in ((0, 10), (2, 5), (7, 1)))


@pytest.mark.parametrize("kept", [0, 17, -1])
def test_refused(kept):
    with pytest.raises(UserError) as caught:
        shares(LABELS, kept)
    assert str(caught.value) == f"kept: must be 1 to 16, not {kept}"
