"""Which configurations have planes."""

import json
from pathlib import Path

import pytest

from kakure.model.commands.planes_option import check_has_planes, check_planes
from kakure.model.config.config import parse_config
from kakure.model.errors import UserError


def config(**weights):
    return parse_config(
        json.dumps({
            "name": "planes",
            "dataset": "images",
            "input_shape": [1, 1, 1],
            "weights": weights,
            "layers": [{"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 1}],
        })
    )


def test_bitwise_weights_of_two_planes_have_some():
    check_has_planes(config(kind="bitwise", bits=2), Path("some.json"))
    for wrong in (config(kind="bitwise", bits=1), config(kind="hidden")):
        with pytest.raises(UserError, match="must be bitwise with at least 2 bits"):
            check_has_planes(wrong, Path("some.json"))


def test_as_many_as_there_are_may_be_used():
    for planes in (1, 3):
        check_planes(config(kind="bitwise", bits=3), planes)
    with pytest.raises(UserError, match="--planes: must be"):
        check_planes(config(kind="bitwise", bits=3), 4)
    with pytest.raises(UserError, match="must be left out with hidden weights"):
        check_planes(config(kind="hidden"), 1)
