"""The studies of small training sets: they go on where they stopped, and their tables are right."""

import json
from pathlib import Path

import numpy as np
import pytest

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.reduction.random_choice import random_choice
from kakure.model.reduction.support_vectors import support_vectors
from kakure.model.students import forest
from kakure.model.students.forest import FOREST
from kakure.model.students.linear import LINEAR
from kakure.model.students.student import Family, one_hot
from kakure.search.commands.kakure import main
from kakure.search.studies import augmentation, data_reduction, distillation, small_data
from kakure.search.studies.distillation import ALONE, CLASSIFIER, MORE, ROWS, VARIED, Lesson
from kakure.search.studies.small_data import PLAIN, learn, problem, shown

SMALL = {
    "distillation": (distillation, {"labelled": 80, "unlabelled": 40, "steps": 20}),
    "data-reduction": (
        data_reduction,
        {"images": 120, "narrow": 8, "steps": 4, "fractions": (0.5,)},
    ),
    "augmentation": (augmentation, {"images": 60, "narrow": 8, "steps": 4}),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Every study on a few digits."""
    for module, facts in SMALL.values():
        monkeypatch.setattr(module, "FACTS", {"digits": facts})
    monkeypatch.setattr(forest, "TREES", 5)
    monkeypatch.setattr(distillation, "FAMILIES", {one.name: one for one in (LINEAR, FOREST)})
    learn_generator = augmentation.learn_generator
    monkeypatch.setattr(
        augmentation, "learn_generator", lambda *a, **k: learn_generator(*a, **k, steps=2)
    )


@pytest.mark.parametrize("study", SMALL)
def test_what_is_finished_is_not_measured_again(study, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mark = f"{study} digits"
    Path("page.md").write_text(f"before\n<!-- {mark} -->\n<!-- end {mark} -->\nafter\n")
    command = ["study", study, "--dataset", "digits", "--output", "kept", "--page", "page.md"]
    assert main([*command, "--seeds", "2"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{study}, digits: seed 2\n")
    record = json.loads(Path(f"kept/{study}-digits.json").read_text())
    assert set(record["runs"]) == {"2"} and len(record["sources"]) == len(record["images"]) == 64
    page = Path("page.md").read_text()
    text = "\n".join(said.splitlines()[1:-1])
    assert text in page and page.startswith("before\n") and page.endswith("after\n")
    assert "seeds 2 to 2; python" in text and "| " in text

    module, facts = SMALL[study]
    monkeypatch.setattr(module, "measure", lambda *_: pytest.fail("it measures"))
    assert main([*command, "--seeds", "2"]) == 0
    assert json.loads(Path(f"kept/{study}-digits.json").read_text()) == record
    monkeypatch.setattr(module, "FACTS", {"digits": {**facts, "steps": 5}})
    assert main([*command, "--seeds", "2"]) == 2
    assert "facts: must be that of this study; move" in capsys.readouterr().err
    Path("page.md").write_text("nothing")
    assert main(command) == 2
    assert f"must hold the lines <!-- {mark} -->" in capsys.readouterr().err


def test_a_record_of_the_second_data_set_is_refused_before_the_first_is_measured(
    tmp_path, monkeypatch, capsys
):
    digits = problem("digits")
    monkeypatch.setattr(small_data, "problem", lambda name: digits)
    monkeypatch.setattr(distillation, "FACTS", {name: {"steps": 1} for name in small_data.SETS})
    monkeypatch.setattr(distillation, "measure", lambda *_: pytest.fail("it measures"))
    kept = tmp_path / "distillation-fashion-mnist.json"
    kept.write_text("{}")
    assert main(["study", "distillation", "--output", str(tmp_path)]) == 2
    assert f"{kept}: is no record of this study" in capsys.readouterr().err


def test_a_problem_holds_its_parts_apart():
    given = problem("digits")
    assert (len(given.pool), len(given.held), len(given.test)) == (1231, 206, 360)
    seen = [{image.tobytes() for image in part.images} for part in (given.pool, given.held)]
    test = {image.tobytes() for image in given.test.images}
    assert not seen[0] & test and not seen[1] & test and not seen[0] & seen[1]
    assert given.recipe.shift == 0.6 and given.recipe.validation == 0


def test_a_training_takes_its_steps_and_its_images_as_they_are(monkeypatch):
    seen = []

    def taken(config, data, recipe, **more):
        seen.append((config, len(data), recipe))
        raise InterruptedError

    monkeypatch.setattr(small_data, "train", taken)
    given = problem("digits")
    for count, varied in ((210, True), (60, False)):
        with pytest.raises(InterruptedError):
            few = given.pool.take(np.arange(count))
            learn(given, few, narrow=4, steps=40, seed=1, varied=varied)
    (config, count, recipe), (_, other, plain) = seen
    assert [layer.channels for layer in config.layers] == [8, 8, 10]
    assert (count, recipe.epochs) == (210, 10) and (other, plain.epochs) == (60, 40)
    assert recipe.rotate == 12.0
    assert all(getattr(plain, name) == value for name, value in PLAIN.items())


def test_rows_differ_in_images_and_targets_only():
    """A family that only notes what it is fitted to, and is right with some targets only."""
    right = (1.0, 1 / (1 + np.exp(-8 / 2)))  # labels, and a temperature of 2
    fits: list[tuple[str, int, np.ndarray, float]] = []

    def classify(x, labels, classes, setting, seed):
        fits.append(("labels", len(x), one_hot(labels, classes), setting))
        return lambda images: np.tile([0.0, setting], (len(images), 1)) - 1

    def regress(x, targets, setting, seed):
        fits.append(("targets", len(x), targets, setting))
        best = float(setting == 3 and np.isclose(targets[0].max(), right, atol=1e-9).any())
        return lambda images: np.tile([0.0, best], (len(images), 1)) - 0.5

    data = LabelledImages(np.zeros((2, 1, 1, 1), np.uint8), np.array([0, 1]))
    held = LabelledImages(data.images, np.array([1, 1]))
    said = [np.array([[8.0, 0.0], [0.0, 8.0]]), np.array([[4.0, 0.0], [0.0, 8.0]])]
    said.append(np.array([[0.0, 2.0]]))
    lesson = Lesson(data, data.images, data.images[:1], said, 2, held)
    found = lesson.students(Family("noted", classify, regress, (1.0, 3.0)), seed=1)
    assert list(found) == list(ROWS) == [CLASSIFIER, *ALONE, *VARIED, *MORE]
    known = np.eye(2)
    assert [(kind, n, s) for kind, n, _, s in fits] == [
        ("labels", 2, 1.0),
        ("labels", 2, 3.0),
        ("targets", 2, 1.0),
        ("targets", 2, 3.0),
        *[("targets", 2, 3.0)] * 4,  # temperatures 1, 2, 4, 8
        *[("targets", 4, 3.0)] * 2,
        *[("targets", 3, 3.0)] * 2,
    ]
    tops = [float(targets[0].max()) for kind, _, targets, _ in fits[4:8]]
    assert tops == pytest.approx([1 / (1 + np.exp(-8 / heat)) for heat in (1, 2, 4, 8)])
    varied, taught, answers, more = (targets for _, _, targets, _ in fits[8:])
    assert (varied == np.concatenate([known, known])).all()
    assert taught[2] == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))])
    assert (answers == [[1, 0], [0, 1], [0, 1]]).all()
    assert more[2] == pytest.approx([1 / (1 + np.exp(1)), 1 / (1 + np.exp(-1))])


def test_means_and_spreads():
    assert shown([0.5, 0.52, 0.54]) == "52.00 ± 2.00"
    assert shown([0.5]) == "50.00 ± 0.00"
    assert shown([0.0, -0.01], is_gain=True) == "-0.50 ± 0.71"
    assert shown([-1e-9], is_gain=True) == "+0.00 ± 0.00"


def test_the_table_of_distillation():
    def scores(step):
        rows = {name: 0.8 + step * n / 100 for n, name in enumerate(ROWS)}
        return {"teacher": 0.9 + step / 100, "students": {"linear": rows, "random forest": rows}}

    text = distillation.table([scores(0), scores(1)]).splitlines()
    assert text[0] == "The network: 90.50 ± 0.71."
    assert text[4] == "| labels, the usual classifier | 80.00 ± 0.00 | 80.00 ± 0.00 |"
    assert text[6] == "| taught | 81.00 ± 1.41 | 81.00 ± 1.41 |"
    assert text[-4] == "| the same images | +0.50 ± 0.71 | +0.50 ± 0.71 |"
    assert text[-1].startswith("| more images, over the usual classifier | +3.00 ± 4.24 |")


def test_the_table_of_reduction():
    def scores(gain):
        ways = {"random": 0.7, "support-vectors": 0.6, "herding": 0.7 + gain, "k-centre": 0.7}
        return {"supports": 0.4, "all": 0.9, "kept": {"10%": ways, "supports": ways}}

    text = data_reduction.table([scores(0.0), scores(0.02)]).splitlines()
    assert text[0] == "| kept | random | support-vectors | herding | k-centre |"
    assert text[2] == ("| 10% | 70.00 ± 0.00 | 60.00 ± 0.00 | 71.00 ± 1.41 | 70.00 ± 0.00 |")
    assert text[3].startswith("| as many as support vectors, 40.00 ± 0.00 | 70.00")
    assert text[4] == "| all | 90.00 ± 0.00 | | | |"
    assert text[-2] == "| 10% | -10.00 ± 0.00 | +1.00 ± 1.41 | +0.00 ± 0.00 |"


def test_the_table_of_augmentation():
    def scores(gain):
        plain = dict(zip(augmentation.ROWS, (0.7, 0.7 + gain, 0.6, 0.8), strict=True))
        return {"plain": plain, "varied": {name: x + 0.1 for name, x in plain.items()}}

    text = augmentation.table([scores(0.01), scores(0.03)]).splitlines()
    assert text[2] == "| n real | 70.00 ± 0.00 | | 80.00 ± 0.00 | |".replace("| |", "|  |")
    assert text[3].startswith("| n real, n generated | 72.00 ± 1.41 | +2.00 ± 1.41 | 82.00 ± 1.41")
    assert text[5].endswith("| 90.00 ± 0.00 | +10.00 ± 0.00 |")


def test_generated_images_come_from_the_n_real_ones(monkeypatch):
    """And each row is trained with what it says."""
    given = problem("digits")
    learnt, trained = [], []

    def noted(data, **more):
        learnt.append(data)
        return "generator"

    def made(generator, like, count, seed):
        return LabelledImages(np.full((count, 8, 8, 1), 77, np.uint8), np.zeros(count, np.int64))

    monkeypatch.setattr(augmentation, "learn_generator", noted)
    monkeypatch.setattr(augmentation, "generate", made)
    monkeypatch.setattr(
        augmentation, "tested", lambda _, data, **how: trained.append((data, how["varied"])) or 0.5
    )
    augmentation.measure(given, {"images": 60, "narrow": 8, "steps": 4}, 1)
    (real,) = learnt
    assert len(real) == 60
    assert [len(data) for data, _ in trained] == 2 * [60, 120, 300, 120]
    assert [varied for _, varied in trained] == [False] * 4 + [True] * 4
    assert (trained[0][0].images == real.images).all()
    generated = [int((data.images == 77).all((1, 2, 3)).sum()) for data, _ in trained[:4]]
    assert generated == [0, 60, 240, 0]
    twice = {image.tobytes() for image in trained[3][0].images}
    assert {image.tobytes() for image in real.images} <= twice


def test_each_choice_is_trained_with_as_many_images(monkeypatch):
    given = problem("digits")
    trained = []
    monkeypatch.setattr(
        data_reduction, "tested", lambda _, data, **how: trained.append((data, how)) or 0.5
    )
    facts = {"images": 200, "narrow": 2, "steps": 7, "fractions": (0.1, 0.3)}
    scores = data_reduction.measure(given, facts, 4)
    whole = given.pool.take(random_choice(given.pool, 200, 4))
    supports = support_vectors(whole)
    assert scores["supports"] == len(supports) / 200
    counts = [len(data) for data, _ in trained]
    assert counts == [200] + [20] * 4 + [60] * 4 + [len(supports)] * 4
    assert all(how == {"narrow": 2, "steps": 7, "seed": 4} for _, how in trained)
    assert (trained[-3][0].images == whole.take(supports).images).all()
    assert list(scores["kept"]) == ["10%", "30%", "supports"]


def test_images_without_labels_are_others(monkeypatch):
    """The teacher has not seen them; each part gets the teacher's logits of its own images."""
    given = problem("digits")
    seen = []

    def noted(data, varied, more, said, classes, held):
        seen.append((data, varied, more, said))
        raise InterruptedError

    def learnt(given, data, **how):
        seen.append(data)
        return given.config, None

    monkeypatch.setattr(distillation, "Lesson", noted)
    monkeypatch.setattr(distillation, "learn", learnt)
    monkeypatch.setattr(distillation, "teacher_logits", lambda c, p, images: images.sum((1, 2, 3)))
    with pytest.raises(InterruptedError):
        distillation.measure(given, {"labelled": 80, "unlabelled": 40, "steps": 5}, 1)
    taught, (data, varied, more, said) = seen
    assert taught is data and len(data) == 80 and len(more) == 40
    assert not {x.tobytes() for x in data.images} & {x.tobytes() for x in more}
    assert varied.shape == data.images.shape and (varied != data.images).any((1, 2, 3)).all()
    for images, logits in zip((data.images, varied, more), said, strict=True):
        assert (logits == images.sum((1, 2, 3))).all()
