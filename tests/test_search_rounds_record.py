"""The record of a search says what made it."""

import json

from kakure.model.config.config import load_config
from kakure.model.datasets.images import load_images
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.provenance import array_digest, sources, tools
from tests.small_search import result


def test_the_result_says_what_made_it(searched):
    record = result(searched)
    assert record["seed"] == 1 and record["versions"] == tools(
        "amaranth", "joblib", "numpy", "optuna", "torch"
    )
    assert record["sources"] == {
        "search": sources("kakure.search.rounds.run"),
        "score": sources("kakure.search.rounds.scores"),
        "training": sources("kakure.search.phase2.accuracy"),
    }
    folder = searched / "result"
    config = load_config(folder / "best.json")
    train = load_images(config, folder, "train")
    assert record["images"]["train"] == array_digest(train.images, train.labels)
    metadata = load_parameters(folder / "best.safetensors", config).metadata
    assert metadata["config"] == config.digest == record["best"]["digest"]
    assert (
        metadata["sources"] == sources("kakure.model.training.trainer") and metadata["seed"] == "1"
    )
    assert json.loads(metadata["tools"]) == tools("numpy", "torch")
