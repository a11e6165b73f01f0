import pytest
import torch

from kakure.model.datasets.table import DATASETS
from kakure.model.training.recipe import Recipe, augment, recipe_for


def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (6, 1, 8, 8), generator=generator, dtype=torch.uint8)


def vary(recipe, seed=3):
    return augment(images(), recipe, torch.Generator().manual_seed(seed))


def test_no_variation_is_the_identity():
    assert vary(Recipe()) is not None
    assert (vary(Recipe()) == images()).all()


@pytest.mark.parametrize("name", DATASETS)
def test_variation_is_seeded(name):
    recipe = recipe_for(name)
    assert vary(recipe).dtype == torch.uint8
    assert (vary(recipe) == vary(recipe)).all()
    assert (vary(recipe) != vary(recipe, seed=4)).any()


def test_mirror_only_mirrors():
    varied = vary(Recipe(mirror=True))
    kinds = set()
    for before, after in zip(images(), varied, strict=True):
        is_same, is_mirrored = (before == after).all(), (before.flip(-1) == after).all()
        assert is_same or is_mirrored
        kinds.add(bool(is_same))
    assert kinds == {True, False}


def test_shift_moves_at_most_its_pixels():
    dot = torch.zeros(200, 1, 9, 9, dtype=torch.uint8)
    dot[:, :, 4, 4] = 255
    moved = augment(dot, Recipe(shift=1.0), torch.Generator().manual_seed(1))
    touched = moved.amax(dim=(0, 1)) > 0
    assert touched[3:6, 3:6].all()
    assert not touched[:3].any() and not touched[:, 6:].any()


def test_rotation_keeps_the_middle():
    disc = torch.zeros(20, 1, 9, 9, dtype=torch.uint8)
    disc[:, :, 4, 4] = 255
    turned = augment(disc, Recipe(rotate=45.0), torch.Generator().manual_seed(1))
    assert (turned[:, 0, 4, 4] >= 254).all()


def test_an_unknown_data_set_is_not_varied():
    assert recipe_for("a/folder") == Recipe()
