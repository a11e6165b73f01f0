"""The descent is no worse than where it starts."""

import pytest

from kakure.search.cost.analog.model import AnalogModel
from kakure.search.space.space_file import load_space
from kakure.search.studies.headline import SPACE, at_precision
from kakure.search.studies.least_edap import least_edap


@pytest.mark.full
def test_the_descent_is_no_worse_than_any_point_of_the_front_it_starts_from():
    model = AnalogModel()
    space = at_precision(load_space(SPACE), 4, 4)
    least = model.figures(least_edap(space, model, least_weights=2_000_000))
    wider = model.figures(least_edap(space, model, least_weights=1_000_000))
    assert wider.edap <= least.edap
