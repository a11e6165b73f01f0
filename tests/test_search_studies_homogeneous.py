"""The best homogeneous points are found without trying every choice of copies."""

from itertools import product

import pytest

from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS, vgg16_config
from kakure.search.space.space_file import load_space
from kakure.search.studies.headline import SPACE, at_precision, with_channels
from kakure.search.studies.homogeneous import with_copies


def test_copies_of_the_homogeneous_points_are_chosen_as_well_as_by_trying_them_all():
    """Seven layers of the space have one count or two, so that every choice can be tried."""
    model, space = AnalogModel(), at_precision(load_space(SPACE), 3, 4)
    counts = [(1, 4)] * 3 + [(1, 2)] * 4 + [(1,)] * 7
    layers = [
        layer.changed(copies=count, column_sharing=(4, 8), adc_type=("flash",))
        for layer, count in zip(space.layers, counts, strict=True)
    ]
    small = with_channels(space.changed(layers=tuple(layers)), (*VGG16_CHANNELS, 10))
    tried = []
    for sharing in (4, 8):
        for copies in product(*counts[:-1]):
            config = vgg16_config(VGG16_CHANNELS, sharing, "flash", 3, 4, copies=copies)
            figures = model.figures(config)
            tried.append((figures.edap, figures.area_mm2))
    for area in (None, 74.3e6, 70e6):
        row, _ = with_copies(small, model, area)
        least = min(edap for edap, mm2 in tried if area is None or 1e6 * mm2 <= area)
        assert row.figures.edap == pytest.approx(least)
        assert area is None or 1e6 * row.figures.area_mm2 <= area
