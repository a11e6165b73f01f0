import pytest
import torch

from kakure.model.datasets.table import DATASETS
from kakure.model.training.augment import augment
from kakure.model.training.recipe import Recipe, recipe_for


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


def test_crops_are_whole_pixels_mirrored_at_the_edge():
    row = torch.arange(8, dtype=torch.uint8).expand(64, 1, 8, 8)
    got = augment(row, Recipe(crop=2), torch.Generator().manual_seed(1))
    lines = {tuple(line.tolist()) for line in got.reshape(-1, 8)}
    assert lines == {
        (2, 1, 0, 1, 2, 3, 4, 5),
        (1, 0, 1, 2, 3, 4, 5, 6),
        (0, 1, 2, 3, 4, 5, 6, 7),
        (1, 2, 3, 4, 5, 6, 7, 6),
        (2, 3, 4, 5, 6, 7, 6, 5),
    }
    columns = augment(row.transpose(2, 3), Recipe(crop=2), torch.Generator().manual_seed(1))
    assert {tuple(line.tolist()) for line in columns.transpose(2, 3).reshape(-1, 8)} == lines


def test_the_images_that_are_turned_are_mirrored_and_no_others():
    given = images()
    turned = torch.tensor([True, False, False, True, False, True])
    got = augment(given, Recipe(crop=1, mirror=True), torch.Generator().manual_seed(3))
    mirrored = augment(
        given, Recipe(crop=1, mirror=True), torch.Generator().manual_seed(3), turned=turned
    )
    assert (mirrored[turned] == got[turned].flip(3)).all()
    assert (mirrored[~turned] == got[~turned]).all()


def test_the_middle_of_a_cutout_is_any_pixel():
    white = torch.full((6000, 1, 9, 9), 255, dtype=torch.uint8)
    got = augment(white, Recipe(cutout=6), torch.Generator().manual_seed(1))
    wanted = torch.tensor([sum(-3 + m <= at < 3 + m for m in range(9)) / 9 for at in range(9)])
    for side in (2, 3):
        share = (got != 255).any(dim=side).float().mean(dim=(0, 1))
        assert torch.allclose(share, wanted, atol=0.02)


def test_a_cutout_is_a_grey_square():
    white = torch.full((200, 3, 8, 8), 255, dtype=torch.uint8)
    got = augment(white, Recipe(cutout=4), torch.Generator().manual_seed(1))
    holes = (got != 255).sum((2, 3))
    assert (holes == holes[:, :1]).all()  # in all channels
    assert set(got.unique().tolist()) == {128, 255}
    assert int(holes.max()) == 16 and int(holes.min()) >= 4
    assert (got != 255).any(0).all()  # everywhere, in some image
