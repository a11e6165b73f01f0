"""A whole board in the simulator: an accelerator behind a UART, used as a host uses it."""

import json

import numpy as np
import pytest

from kakure.hdl.boards.serial_accelerator import SerialAccelerator
from kakure.model.config.config import parse_config
from kakure.model.errors import UserError
from kakure.model.link.host import Host
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.board.client import BoardClient
from kakure.sim.drivers.line import SimulatedUart
from tests.tiny_accelerator import CONFIG, IMAGES, LOGITS, PARAMETERS


def board(depth=16):
    design = SerialAccelerator(config=CONFIG, divisor=4, gap=800, depth=depth)
    return Host(SimulatedUart(design, divisor=4, patience=2000))


def test_a_network_is_loaded_and_images_become_its_logits():
    client = BoardClient(board(), CONFIG)
    client.load(PARAMETERS)
    told = []
    assert (client.run(IMAGES, told.append) == LOGITS).all()
    assert sum(told) == len(IMAGES) == client.register("RESULTS")
    assert (client.run(IMAGES[:1]) == LOGITS[:1]).all()
    client.reset()
    other = random_parameters(CONFIG, 7)
    client.load(other)
    assert not (client.run(IMAGES) == LOGITS).all()


@pytest.mark.full
def test_results_wait_where_there_is_no_room_and_none_is_lost():
    client = BoardClient(board(depth=4), CONFIG)
    client.load(PARAMETERS)
    many = np.concatenate([IMAGES] * 3)
    told = []
    assert (client.run(many, told.append) == np.concatenate([LOGITS] * 3)).all()
    assert sum(told) == len(many)  # four words at a time, three to a result


def test_another_network_and_wrong_words_are_named():
    host = board()
    data = CONFIG.model_dump(mode="json")
    other = parse_config(json.dumps(data | {"weights": data["weights"] | {"seed": 4}}))
    with pytest.raises(UserError, match=r"DIGEST_\d: must be 0x[0-9a-f]{8}, as kakure gen makes"):
        BoardClient(host, other)
    client = BoardClient(host, CONFIG)
    words = [0] * 40
    with pytest.raises(UserError, match="the accelerator has found an error: "):
        client._exchange(words, 1)
    client.reset()
    client.load(PARAMETERS)
    assert (client.run(IMAGES[:2]) == LOGITS[:2]).all()


def test_a_board_that_is_stuck_is_named(monkeypatch):
    monkeypatch.setattr("kakure.sim.board.client.IDLE_ASKS", 3)
    client = BoardClient(board(), CONFIG)
    client.load(PARAMETERS)
    with pytest.raises(UserError, match="must answer with 5 words; it is stuck after, not 0"):
        client._exchange([], 5)
