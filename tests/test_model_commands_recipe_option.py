import dataclasses

import pytest

from kakure.model.commands.recipe_option import changed
from kakure.model.datasets.recipe import Recipe
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import UserError


def test_values_are_read_as_what_they_are():
    given = ["method=agreeing", "learning_rate=0.25", "validation=0", "mirror=true", "codes=2"]
    assert changed(Recipe(crop=4), given) == Recipe(
        crop=4, method="agreeing", learning_rate=0.25, validation=0, mirror=True, codes=2.0
    )
    assert changed(Recipe(codes=2.0), ["codes=none"]).codes is None
    assert changed(Recipe(), ["epochs=3", "epochs=5"]).epochs == 5
    assert changed(Recipe(epochs=7), []) == Recipe(epochs=7)


@pytest.mark.parametrize("recipe", [Recipe(), *(data.recipe for data in DATASETS.values())])
def test_every_shipped_recipe_is_one(recipe):
    written = [f"{name}={value}".lower() for name, value in dataclasses.asdict(recipe).items()]
    assert changed(Recipe(), written) == recipe


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("method", "--with: must be NAME=VALUE, not 'method'"),
        ("metod=biprop", "--with: unknown name 'metod', perhaps 'method'"),
        ("learning_rate=fast", "--with learning_rate: must be a number, not 'fast'"),
        ("learning_rate=0", "--with learning_rate: must be above 0, not '0'"),
        ("learning_rate=nan", "--with learning_rate: must be at most 1e+30, not 'nan'"),
        ("smoothing=1", "--with smoothing: must be below 1, not '1'"),
        ("epochs=0", "--with epochs: must be at least 1, not '0'"),
        ("epochs=1.5", "--with epochs: must be an integer, not '1.5'"),
        ("mirror=perhaps", "--with mirror: must be true or false, not 'perhaps'"),
        ("optimizer=adam", "--with optimizer: must be one of 'sgd', 'muon', not 'adam'"),
        ("epochs=none", "--with epochs: must be an integer, not 'none'"),
        ("norm_rate=1e38", "--with norm_rate: must be at most 1e+30, not '1e38'"),
        ("crop=65", "--with crop: must be at most 64, not '65'"),
    ],
)
def test_refused(given, message):
    with pytest.raises(UserError) as caught:
        changed(Recipe(), [given])
    assert str(caught.value) == message


def test_names_are_listed_where_none_is_near():
    with pytest.raises(UserError, match=r"--with: unknown name '§', must be one of epochs, batch"):
        changed(Recipe(), ["§=1"])
