"""A synthesis is known by everything that decides it, and by nothing else."""

import json
from types import SimpleNamespace

import pytest

from kakure.model.config.config import parse_config
from kakure.search.rounds import synthesis
from kakure.search.store.store import key_of
from kakure.search.store.task import Task

LAYER = {"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 2}
DOCUMENT = {
    "name": "tiny",
    "dataset": "images",
    "input_shape": [2, 2, 1],
    "weights": {"kind": "hidden", "seed": 1},
    "layers": [LAYER],
}


def key(**change) -> str:
    task = synthesis.synthesis_task(parse_config(json.dumps(DOCUMENT | change)))
    assert isinstance(task, Task)
    return key_of(task.kind, task.decides)


def test_a_configuration_is_synthesized_once_whatever_it_is_called():
    assert key() == key(name="other", parameters="trained.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"layers": [LAYER | {"channels": 3}]},
        {"layers": [LAYER | {"input_bits": 3}]},
        {"weights": {"kind": "hidden", "seed": 2}},
        {"input_shape": [3, 2, 1]},
    ],
)
def test_other_hardware_is_another_synthesis(change):
    assert key(**change) != key()


@pytest.mark.parametrize("what", ["library", "yosys", "sources", "packages"])
def test_other_tools_and_sources_are_another_synthesis(what, monkeypatch):
    before = key()
    if what == "library":
        monkeypatch.setattr(synthesis, "library", lambda: SimpleNamespace(sha256="another"))
    elif what == "yosys":
        monkeypatch.setattr(synthesis, "find_engine", lambda: SimpleNamespace(version="another"))
    elif what == "sources":
        monkeypatch.setattr("kakure.search.store.task.sources", lambda *_: "others")
    else:
        monkeypatch.setattr("kakure.search.store.task.tools", lambda *_: {"amaranth": "another"})
    assert key() != before
