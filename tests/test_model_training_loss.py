"""The loss of a step: what labels, a teacher and coarser precisions add to it."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from kakure.model.datasets.recipe import Recipe
from kakure.model.training.loss import StepLoss
from kakure.model.training.network import Network
from tests.test_model_config_weights_bitwise import bitwise
from tests.test_model_training_planes import bars, progressive

IMAGES = torch.from_numpy(bars(12).images).permute(0, 3, 1, 2)
LABELS = torch.from_numpy(bars(12).labels)


def step(recipe: Recipe, *, config=None, teacher=None) -> StepLoss:
    generator = torch.Generator().manual_seed(1)
    network = Network(config or progressive(), recipe, generator=generator)
    return StepLoss(network, recipe, generator=generator, teacher=teacher)


def divergence(logits, taught, heat):
    said, wanted = ((x / heat).double().softmax(1) for x in (logits, taught))
    return (wanted * (wanted / said).log()).sum(1).mean()


def test_a_step_trains_all_planes_one_plane_and_others_by_lot():
    drawing = step(Recipe(widths=3))
    drawn = [drawing.coarser() for _ in range(40)]
    assert all(len(widths) == 2 and widths[0] == 1 for widths in drawn)
    assert {widths[1] for widths in drawn} == {2, 3}
    for widths, most in ((1, 0), (2, 1), (4, 3), (8, 3)):
        assert len(step(Recipe(widths=widths)).coarser()) == most
    loss = step(Recipe(widths=8))
    loss(IMAGES[:4], LABELS[:4]).backward()
    for layer in loss.network.layers:
        for norm in layer.norms:
            assert norm.bias.grad is not None and norm.bias.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("bits", "widths", "untrained"),
    [(4, 1, [1, 2, 3]), (4, 2, [2, 3]), (4, 3, []), (4, 8, []), (1, 1, []), (2, 2, []), (8, 3, [])],
)
def test_precisions_that_are_not_trained(bits, widths, untrained):
    loss = step(Recipe(widths=widths), config=bitwise(bits))
    assert list(loss.untrained) == untrained


@pytest.mark.parametrize(("share", "heat"), [(0.5, 4.0), (1.0, 1.0), (0.0, 2.0)])
def test_a_teacher_has_its_share(share, heat):
    recipe = Recipe(widths=1, smoothing=0.1, distillation=share, temperature=heat)
    teacher = Network(progressive(), recipe, generator=torch.Generator().manual_seed(2)).train()
    loss = step(recipe, teacher=teacher)
    found = loss(IMAGES, LABELS)
    with torch.no_grad():
        logits, taught = loss.network(IMAGES), teacher(IMAGES)
    labelled = functional.cross_entropy(logits, LABELS, label_smoothing=0.1)
    expected = (1 - share) * labelled + share * heat**2 * divergence(logits, taught, heat)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert not any(p.grad is not None for p in teacher.parameters()) and found.requires_grad


def test_what_all_planes_say_teaches_the_others():
    recipe = Recipe(widths=2)
    loss = step(recipe)
    found = loss(IMAGES, LABELS)
    alone = step(dataclasses.replace(recipe, widths=1))(IMAGES, LABELS)
    network = loss.network
    with torch.no_grad():
        network.use(network.widths)
        logits = network(IMAGES)
        network.use(1)
        coarse = network(IMAGES)
    expected = (alone + divergence(coarse, logits, 1.0)) / 2
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
