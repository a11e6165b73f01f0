"""The verbs of the model: training, evaluation, data, configurations to start from."""

from .verb import Verb

__all__ = ["VERBS"]

VERBS = (
    Verb(
        "preset",
        "Start",
        "print a configuration or a search space to start from",
        "kakure.model.commands.preset",
    ),
    Verb("data", "Start", "fetch a data set into data/", "kakure.model.commands.data"),
    Verb(
        "train",
        "Network",
        "train a network, or resume its training",
        "kakure.model.commands.train",
        interrupted="interrupted; the same command goes on",
    ),
    Verb(
        "evaluate",
        "Network",
        "measure the accuracy of the integer model",
        "kakure.model.commands.evaluate",
    ),
)
