from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_search_phase2_accuracy import FIRST, HERE, RECIPE, SHORT

from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import systematic
from kakure.model.reference.network import classify, network
from kakure.model.training.recipe import VALIDATION_SEED
from kakure.search.phase2.accuracy import Measured, accuracy_task, measure, trainer_at
from kakure.search.phase2.parts import KEPT, Part, judging, without
from kakure.search.phase2.start import train_start
from kakure.search.phase2.witness import KIND, Witness, part_starts
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

DATA = load_images(FIRST, HERE, "train")
ONE = replace(RECIPE, epochs=1)


class Two:
    """Two precisions of the small network, by level."""

    start = (0,)

    def config(self, levels) -> Config:
        if not levels[0]:
            return FIRST
        layers = [la.model_copy(update={"input_bits": 2, "adc_bits": 3}) for la in FIRST.layers]
        return FIRST.changed(layers=tuple(layers))


@pytest.mark.parametrize("of", [2, 5, 7])
def test_the_parts_are_all_images_that_choose_nothing_each_once(of):
    held = systematic(DATA.labels, RECIPE.validation, VALIDATION_SEED)
    masks = np.array([Part(index, of).mask(DATA, RECIPE) for index in range(of)])
    assert (masks.sum(axis=0) == ~held).all()
    sizes = masks.sum(axis=1)
    assert sizes.max() - sizes.min() <= 1 and sizes.sum() == 1231
    for label in range(10):
        shares = [int((DATA.labels[mask] == label).sum()) for mask in masks]
        assert max(shares) - min(shares) <= 1


def test_what_is_left_and_the_part_are_all_images():
    part = Part(1, 5)
    left, own = without(part, DATA, RECIPE), part.images(DATA, RECIPE)
    assert without(None, DATA, RECIPE) is DATA
    rows = sorted(image.tobytes() for data in (left, own) for image in data.images)
    assert rows == sorted(image.tobytes() for image in DATA.images)
    assert judging(None, 3) == (Part(0, 3), Part(1, 3), Part(2, 3))
    assert judging(None, 1) == (Part(0, KEPT),) and judging(part, 3) == (part,)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "seed1.pt"
    return train_start(FIRST, HERE, ONE, seed=1, checkpoint=path)


@pytest.fixture(scope="module")
def stored(start, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("parts") / "store.sqlite")
    return store, part_starts(start, 3, seed=1, store=store, workers=Workers())


def test_a_network_never_sees_its_part(start, stored):
    _, starts = stored
    assert [one.part for one in starts] == [Part(0, 3), Part(1, 3), Part(2, 3)]
    for one in starts:
        own = {image.tobytes() for image in one.part_images.images}
        trainer = trainer_at(FIRST, one, SHORT, 1)
        for images in (trainer.images, trainer.held_images):
            seen = {image.tobytes() for image in images.permute(0, 2, 3, 1).numpy()}
            assert not seen & own
        assert one.digest != start.digest
        whole = trainer_at(FIRST, one, replace(SHORT, images=None, held=None), 1)
        assert len(whole.labels) + len(whole.held_labels) + len(own) == len(DATA)


def test_trainings_without_a_part_are_stored_and_those_of_other_parts_are_others(start, stored):
    store, starts = stored
    assert store.count(KIND) == 3 and len({one.state for one in starts}) == 3
    again = part_starts(start, 3, seed=1, store=store, workers=Workers())
    assert again == starts and store.count(KIND) == 3
    part_starts(start, 2, seed=1, store=store, workers=Workers())
    assert store.count(KIND) == 5
    part_starts(start, 2, seed=2, store=store, workers=Workers())
    assert store.count(KIND) == 7


def test_the_pairs_are_those_of_the_reference_on_images_never_seen(stored):
    store, starts = stored
    witness = Witness(Two(), starts, SHORT, 1, store)  # type: ignore[arg-type]
    paired = witness.paired((1,))
    lost = gained = 0
    for one in starts:
        rights = []
        for levels in ((0,), (1,)):
            config = Two().config(levels)
            parameters = measure(config, one, SHORT, seed=1).parameters(config)
            images = one.part_images
            rights.append(classify(network(config, parameters, images.images)) == images.labels)
        lost += int((rights[0] & ~rights[1]).sum())
        gained += int((~rights[0] & rights[1]).sum())
    assert (paired.lost, paired.gained, paired.count) == (lost, gained, 1231)
    assert paired.count == witness.count and lost > gained
    assert witness.paired((0,)) == type(paired)(0, 0, 1231)
    assert witness.against_all((0,)).gained == 0


def test_a_start_without_a_part_is_judged_itself(tmp_path):
    path = Path(tmp_path, "seed1.pt")
    one = train_start(FIRST, HERE, ONE, seed=1, checkpoint=path, part=Part(0, KEPT))
    store = Store(tmp_path / "store.sqlite")
    assert part_starts(one, 5, seed=1, store=store, workers=Workers()) == (one,)
    assert store.total() == 0
    witness = Witness(Two(), (one,), SHORT, 1, store)  # type: ignore[arg-type]
    rights = witness.rights((1,))
    assert len(rights) == witness.count == 124
    task = accuracy_task(Two().config((1,)), one, SHORT, seed=1)
    config = Two().config((1,))
    found = store.get(task.kind, task.decides)
    assert found is not None
    parameters = Measured.of(found).parameters(config)  # the very network that would be chosen
    images = one.part_images
    assert (rights == (classify(network(config, parameters, images.images)) == images.labels)).all()
