import itertools
from pathlib import Path

import pytest

from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space_file import load_space

SPACE = load_space(Path(__file__).resolve().parent.parent / "configs" / "search-digits.json")
POINT = Point(
    Hardware(64, 32),
    tuple(layer.choice(layer.channels[0], layer.options[0]) for layer in SPACE.layers),
)
PRECISION = PrecisionSpace(SPACE, POINT, "digits")


def test_knobs_fall_from_the_most_bits_and_start_at_the_first_of_the_file():
    assert [(k.layer, k.name, k.values, k.start) for k in PRECISION.knobs] == [
        (0, "input_bits", (4, 3, 2), 0),
        (0, "adc_bits", (5, 4, 3, 2), 1),
        (1, "input_bits", (4, 3, 2), 0),
        (1, "adc_bits", (5, 4, 3, 2), 1),
        (2, "input_bits", (4, 3, 2), 0),
    ]
    assert PRECISION.start == (0, 1, 0, 1, 0)
    assert PRECISION.config(PRECISION.start) == SPACE.config(POINT, "digits")


def test_all_are_there_once_and_each_is_a_configuration():
    found = [tuple(row) for row in PRECISION.all().tolist()]
    assert len(found) == len(set(found)) == PRECISION.size == 432
    for levels in found[::37]:
        bits = PRECISION.bits(levels)
        config = PRECISION.config(levels)
        assert [
            (getattr(layer, "adc_bits", None), layer.input_bits) for layer in config.layers
        ] == list(bits)
        assert PRECISION.levels(bits) == levels
        assert config.geometry[0].output_bits == bits[1][1]


def test_uniform_precisions_are_equal_in_all_layers():
    found = {PRECISION.bits(levels) for levels in PRECISION.uniform()}
    expected = {((a, i), (a, i), (None, i)) for a, i in itertools.product((5, 4, 3, 2), (4, 3, 2))}
    assert found == expected


def test_lowered_takes_one_knob_one_level_down():
    assert list(PRECISION.lowered((2, 3, 0, 3, 1))) == [(2, 3, 1, 3, 1), (2, 3, 0, 3, 2)]


def test_a_value_that_the_space_lacks_is_refused():
    with pytest.raises(ValueError, match=r"layers\[1\].adc_bits must be one of 5, 4, 3, 2, not 7"):
        PRECISION.levels(((4, 4), (7, 4), (None, 4)))
