# amaranth: UnusedElaboratable=no
"""What the reader does is tested with its masks, in test_hdl_weights_weight_generator."""

import pytest

from kakure.hdl.weights.image_reader import ImageReader


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "layers must be 1 to 256, not 0"),
        ({"layers": 257}, "layers must be 1 to 256, not 257"),
        ({"max_outputs": 0}, "max_outputs must be at least 1, not 0"),
        ({"max_mask_words": 0}, "max_mask_words must be at least 1, not 0"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=message):
        ImageReader(**({"layers": 1, "max_outputs": 1, "max_mask_words": 1} | change))
