import math
from pathlib import Path

import numpy as np
import pytest
import torch

from kakure.model.config.presets import preset
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.training.network import Network, as_tensor
from kakure.search.rounds.scores import (
    Naswot,
    Score,
    ShortTraining,
    judge,
    log_macs,
    log_parameters,
    naswot,
    without_readout,
)
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space_file import load_space

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
CONFIG = preset("digits")
IMAGES = load_images(CONFIG, CONFIGS, "train")


def digits(*channels):
    """The digits space's network with these channels, and its first options."""
    space = load_space(CONFIGS / "search-digits.json")
    choices = tuple(
        layer.choice(c, layer.options[0])
        for layer, c in zip(space.layers, (*channels, 10), strict=True)
    )
    return space.config(Point(Hardware(64, 32), choices))


def test_naswot_is_the_determinant_of_the_agreements():
    batch = as_tensor(IMAGES.images[:6])
    config = without_readout(CONFIG)
    network = Network(config, generator=torch.Generator().manual_seed(3))
    network.train()
    patterns, x = [], (batch >> 4).float()
    with torch.no_grad():
        for layer in network.layers[:-1]:
            x = layer(x)
            patterns.append((x > 0).flatten(1).numpy())
    bits = np.concatenate(patterns, axis=1)
    kernel = [[int((a == b).sum()) for b in bits] for a in bits]
    expected = np.linalg.slogdet(np.array(kernel, np.float64))[1]
    assert naswot(config, batch, seed=3) == pytest.approx(expected, rel=1e-9)


def test_equal_images_have_no_determinant():
    batch = as_tensor(IMAGES.images[[0, 0, 1]])
    assert naswot(CONFIG, batch, seed=1) == -math.inf


def test_the_score_is_a_mean_over_seeds_and_repeats():
    score = Naswot(IMAGES, batch=16, seeds=(1, 2))
    batch = as_tensor(IMAGES.images[:16])
    config = without_readout(CONFIG)
    parts = [naswot(config, batch, seed=seed) for seed in (1, 2)]
    assert score(CONFIG) == pytest.approx(sum(parts) / 2) == pytest.approx(score(CONFIG))
    assert parts[0] != parts[1]


def test_the_readout_does_not_matter_and_the_width_does():
    score = Naswot(IMAGES, batch=16, seeds=(1,))
    coarse = CONFIG.model_dump()
    for layer in coarse["layers"][:2]:
        layer |= {"adc_bits": 2, "column_sharing": 1}
    assert score(type(CONFIG).model_validate(coarse)) == score(CONFIG)
    assert score(digits(32, 64)) > score(digits(8, 8))


def test_without_readout_keeps_the_network():
    lossless = without_readout(CONFIG)
    assert [getattr(layer, "adc_bits", None) for layer in lossless.layers] == [7, 7, None]
    assert log_parameters(lossless) == log_parameters(CONFIG)
    assert 2**7 > CONFIG.crossbar.rows


def test_the_baselines_always_stand_beside():
    weights = (9 * 32, 9 * 32 * 32, 4 * 32 * 10)
    macs = (64 * weights[0], 16 * weights[1], weights[2])
    judged = judge(CONFIG, Naswot(IMAGES, batch=8, seeds=(1,)))
    assert isinstance(judged, Score) and judged.name == "naswot"
    assert judged.log_parameters == log_parameters(CONFIG) == pytest.approx(math.log(sum(weights)))
    assert judged.log_macs == log_macs(CONFIG) == pytest.approx(math.log(sum(macs)))


def test_too_few_images_are_refused():
    few = LabelledImages(IMAGES.images[:8], IMAGES.labels[:8])
    with pytest.raises(UserError, match="must hold at least 64 images to score networks, not 8"):
        Naswot(few)(CONFIG)


def test_a_short_training_takes_the_place_of_the_score():
    few = IMAGES.take(np.arange(300))
    small = digits(8, 8)
    judged = judge(small, ShortTraining(few, epochs=1))
    assert judged.name == "short training"
    assert 0.05 < judged.value <= 1
    assert judged.value == ShortTraining(few, epochs=1)(small)
