"""A network is judged by the integers that would be exported, and by nothing of no images."""

import pytest
import torch
from torch.nn import functional

from kakure.model.datasets.recipe import Recipe
from kakure.model.reference import network as network_reference
from kakure.model.training.folding import fold
from kakure.model.training.judging import judge
from kakure.model.training.network import Network
from tests.test_model_training_planes import bars, progressive

IMAGES = torch.from_numpy(bars(40).images).permute(0, 3, 1, 2)
LABELS = torch.from_numpy(bars(40).labels)


def network(recipe: Recipe) -> Network:
    made = Network(progressive(), recipe, generator=torch.Generator().manual_seed(1))
    made.reestimate([IMAGES])
    return made.eval()


def test_the_score_is_the_references():
    made = network(Recipe())
    correct, entropy = judge(made, Recipe(), IMAGES, LABELS)
    parameters = fold(made)
    integers = network_reference.network(made.config, parameters, bars(40).images)
    logits = torch.from_numpy(integers) / 2.0 ** int(parameters.metadata["logit_shift"])
    assert correct == int((network_reference.classify(integers) == bars(40).labels).sum())
    assert entropy == pytest.approx(functional.cross_entropy(logits, LABELS).item())


def test_a_rival_is_judged_as_it_is():
    recipe = Recipe(method="float")
    made = network(recipe)
    dtype = made.layers[0].dtype
    correct, entropy = judge(made, recipe, IMAGES, LABELS)
    with torch.no_grad():
        logits = made(IMAGES)
    assert correct == int((logits.argmax(1) == LABELS).sum())
    assert entropy == pytest.approx(functional.cross_entropy(logits, LABELS).item(), rel=1e-5)
    assert made.layers[0].dtype == dtype


def test_no_images_are_no_score():
    assert judge(network(Recipe()), Recipe(), IMAGES[:0], LABELS[:0]) == (0, 0.0)


def test_precisions_that_no_step_trains_get_the_scales_of_the_full_one():
    made = Network(progressive(), Recipe(), generator=torch.Generator().manual_seed(1))
    for layer in made.layers:
        for n, norm in enumerate(layer.norms):
            torch.nn.init.uniform_(norm.weight, n + 1.0, n + 2.0)
            torch.nn.init.uniform_(norm.bias, n + 1.0, n + 2.0)
            assert norm.running_mean is not None
            norm.running_mean.fill_(float(n))
    made.share_norms([1])
    for layer in made.layers:
        first, *others, full = layer.norms
        assert torch.equal(first.weight, full.weight) and torch.equal(first.bias, full.bias)
        assert not any(torch.equal(norm.weight, full.weight) for norm in others)
        assert first.running_mean is not None and (first.running_mean == 0).all()
