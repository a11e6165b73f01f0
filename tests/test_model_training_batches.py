"""The batches of an epoch: every image at most once, and half of them mirrored in turn."""

import pytest
import torch

from kakure.model.datasets.recipe import Recipe
from kakure.model.training.batches import batches, mirrored, steps

TURNED = Recipe(mirror=True, crop=1)


def test_halves_are_mirrored_in_turn():
    first, second = (mirrored(90, epoch, TURNED, seed=1) for epoch in (0, 1))
    assert first is not None and second is not None
    assert (first != second).all() and 20 < int(first.sum()) < 70
    assert mirrored(90, 0, Recipe(), seed=1) is None
    assert mirrored(90, 0, Recipe(mirror=True), seed=1) is None


@pytest.mark.parametrize(("count", "full"), [(1, 1), (7, 1), (8, 1), (15, 1), (16, 2), (50, 6)])
def test_a_last_batch_that_is_not_full_is_left_out(count, full):
    recipe = Recipe(batch_size=8)
    images = torch.arange(count, dtype=torch.uint8).view(count, 1, 1, 1)
    generator = torch.Generator().manual_seed(1)
    found = list(batches(images, torch.arange(count), recipe, generator))
    assert len(found) == steps(count, recipe) == full
    labels = torch.cat([labels for _, labels in found])
    assert (torch.cat([images for images, _ in found]).flatten() == labels).all()
    assert len(labels) == min(count, 8 * full) == len(set(labels.tolist()))


def test_those_that_are_mirrored_are_what_was_asked():
    recipe = Recipe(batch_size=4, mirror=True, crop=1)
    images = torch.arange(72, dtype=torch.uint8).view(8, 1, 3, 3)
    is_turned = torch.arange(8) % 3 == 0

    def drawn(turned):
        generator = torch.Generator().manual_seed(1)
        return list(batches(images, torch.arange(8), recipe, generator, turned=turned))

    plain = drawn(torch.zeros(8, dtype=torch.bool))
    changed = 0
    for (before, _), (after, labels) in zip(plain, drawn(is_turned), strict=True):
        expected = torch.where(is_turned[labels].view(-1, 1, 1, 1), before.flip(3), before)
        assert (after == expected).all()
        changed += int((after != before).any())
    assert changed
