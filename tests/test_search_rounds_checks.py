"""The least network of each layer decides whether a density will do."""

import json

import pytest

from kakure.model.errors import UserError
from kakure.search.rounds.checks import check_inputs
from kakure.search.space.space_file import parse_space
from tests.test_search_space_space import CONV, LINEAR, SMALL


def searched(layers, density):
    weights = {"kind": "hidden", "density": density}
    return parse_space(json.dumps(SMALL | {"weights": weights, "layers": layers}))


@pytest.mark.parametrize("channels", [[1, 64], [64, 1]])
def test_a_density_must_do_for_the_smallest_choice(tmp_path, channels):
    layers = [CONV | {"channels": channels}, LINEAR]
    check_inputs(searched(layers, 0.06), tmp_path)  # 0.54 of 9
    with pytest.raises(UserError) as error:
        check_inputs(searched(layers, 0.05), tmp_path)
    assert str(error.value) == (
        "weights.density: must keep at least 1 of the 9 weights of layers[0], not 0, as 0.05 does"
    )


def test_a_shortcut_keeps_the_channels(tmp_path):
    """The second layer has 8 to 8 channels, not 2 to 2: its shortcut needs as many."""
    layers = [CONV | {"channels": [8], "pool": 1}]
    layers += [CONV | {"channels": [2, 8], "pool": 1, "residual": [True]}, LINEAR]
    check_inputs(searched(layers, 0.008), tmp_path)  # 0.576 of 72, of 144 and 576 more
    with pytest.raises(UserError, match="1 of the 72 weights"):
        check_inputs(searched(layers, 0.0069), tmp_path)
