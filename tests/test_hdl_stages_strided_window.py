# amaranth: UnusedElaboratable=no
"""Windows at a distance, and the cycles in which they come."""

import pytest

from kakure.hdl.stages.sliding_window_shape import SlidingWindowShape
from kakure.hdl.stages.strided_window import StridedWindow
from tests.test_hdl_stages_sliding_window import NAMES, check_full_rate, check_handshakes

SHAPES = [
    # height, width, channels, bits, kernel_height, kernel_width, padding, stride
    (5, 4, 2, 3, 3, 3, 1, 2),  # a column left over
    (4, 5, 1, 2, 3, 3, 1, 2),  # a row left over
    (6, 7, 1, 2, 2, 3, 0, 2),
    (4, 4, 2, 2, 1, 1, 0, 2),  # one pixel in four
    (5, 3, 1, 2, 1, 1, 0, 2),
    (3, 3, 1, 2, 1, 1, 1, 2),
    (3, 3, 1, 4, 5, 5, 2, 2),
    (1, 6, 1, 2, 1, 2, 0, 2),
    (6, 1, 1, 2, 2, 1, 0, 2),
    (3, 4, 1, 1, 3, 4, 0, 2),  # one window
    (2, 2, 1, 2, 2, 2, 1, 2),
    (7, 6, 1, 2, 3, 2, 1, 4),
    (1, 3, 1, 1, 1, 1, 0, 4),  # a map narrower than the stride
]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_position_per_cycle_at_full_rate(shape):
    check_full_rate(shape[:-1], shape[-1])


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_steps_in_exactly_the_cycles_promised(shape, has_gaps, has_stalls):
    check_handshakes(shape[:-1], shape[-1], has_gaps=has_gaps, has_stalls=has_stalls)


@pytest.mark.parametrize("stride", [-2, 0, 1, 3, 6])
def test_rejects_what_is_no_power_of_two(stride):
    sizes = dict(zip(NAMES, (3, 4, 1, 1, 3, 3, 1), strict=True))
    said = f"^stride must be a power of two, at least 2, not {stride}$"
    with pytest.raises(ValueError, match=said):
        StridedWindow(**sizes, stride=stride)


def test_rejects_what_a_window_does():
    sizes = dict(zip(NAMES, (3, 4, 1, 1, 6, 3, 1), strict=True))
    with pytest.raises(ValueError, match=r"^kernel_height must be at most 5, not 6$"):
        StridedWindow(**sizes, stride=2)


def test_a_window_of_one_pixel_has_to_know_its_place():
    plain = SlidingWindowShape(4, 5, 2, 3, 1, 1, 0)
    strided = StridedWindow(**dict(zip(NAMES, (4, 5, 2, 3, 1, 1, 0), strict=True)), stride=2)
    assert strided.shape.flops > plain.flops == 2 * 3 + 1
