import numpy as np

from kakure.model.packed.readout import Readout


def test_counts_are_codes_where_no_group_has_more_cells_than_the_largest_code():
    w = np.zeros((12, 2), np.int8)
    w[:3, 0], w[3:6, 0], w[6:9, 1] = 1, -1, 1  # three of a polarity in a group
    groups = (6, 6)
    assert Readout(cap=3, shift=0).is_exact_for(w, groups)
    assert not Readout(cap=3, shift=1).is_exact_for(w, groups)
    for row, column, sign in ((5, 0, 1), (9, 1, 1)):
        more = w.copy()
        more[row, column] = sign
        assert not Readout(cap=3, shift=0).is_exact_for(more, groups)
    more = w.copy()
    more[9, 1] = -1
    assert Readout(cap=3, shift=0).is_exact_for(more, groups)
    assert not Readout(cap=3, shift=0).is_exact_for(w | w[::-1], (12,))
