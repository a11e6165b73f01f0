"""Planes of each layer: what is measured, what is chosen, and what images must show of it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.errors import Infeasible, UserError
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.reference.network import classify, network
from kakure.model.training.recipe import Recipe, held_out
from kakure.search.commands.kakure import main
from kakure.search.phase2.certificate import Demand
from kakure.search.phase2.planes import (
    Measurements,
    Score,
    Tried,
    explore,
    judged,
    most_measurements,
    work_of,
)
from kakure.search.studies.layer_planes import held_images
from kakure.sim.generation.project import open_project
from tests.test_search_studies_progressive import TINY

ROOT = Path(__file__).parents[1]


def small():
    """Two layers of three planes."""
    return parse_config(json.dumps(TINY), "tiny")


def score(entropy, wrong=0, count=1000):
    right = np.ones(count, bool)
    right[:wrong] = False
    return Score(right, entropy)


def test_layers_lose_planes_in_the_order_of_what_they_lose():
    config = small()
    assert work_of(config, (2, 3)) == sum(architecture_of(config.at((2, 3))).layer_cycles)
    asked = []

    def measure(planes):
        asked.append(planes)
        return score(1.0 + 0.01 * (3 - planes[0]) + 0.5 * (3 - planes[1]))

    measurements = Measurements(config, measure)
    explore(measurements)
    assert len(asked) == len(set(asked)) <= most_measurements((3, 3))
    assert asked[0] == (3, 3)
    # Alone, all alike, and on the way down the first layer before the second one.
    expected = {(3, 3), (2, 3), (1, 3), (3, 2), (3, 1), (2, 2), (1, 1), (1, 2)}
    assert set(asked) == expected


def test_of_equal_losses_more_work_saved_is_better():
    config = small()
    measurements = Measurements(config, lambda planes: score(1.0))
    explore(measurements)
    path = {one for one in measurements.tried if min(one) > 1 or one == (1, 3) or one == (3, 1)}
    saved = [work_of(config, (3, 3)) - work_of(config, one) for one in ((2, 3), (3, 2))]
    first = (1, 2) if saved[0] > saved[1] else (2, 1)
    assert first in measurements.tried and first[::-1] not in measurements.tried, path


def walk(entries):
    """Judged, where each of (planes, work, entropy, wrong when choosing, wrong when judging)."""
    tried = [Tried((p,), work, score(e, wrong)) for p, work, e, wrong, _ in entries]
    wrong_of = {(p,): later for p, *_, later in entries}
    asked = []

    def right(planes):
        asked.append(planes[0])
        return score(0, wrong_of[planes]).right

    return judged(tried, 0.01, Demand(), right), asked


def test_the_walk_ends_at_the_first_that_is_not_shown_to_keep_the_bound():
    entries = [
        (8, 100, 1.0, 0, 0),
        (7, 90, 1.1, 0, 1),
        (6, 80, 1.2, 2, 1),
        (5, 85, 1.3, 0, 0),  # more work than a safer one
        (4, 60, 1.4, 11, 0),  # breaks the bound where it is chosen
        (3, 50, 1.5, 5, 30),
        (2, 40, 1.6, 5, 0),  # beyond the first that fails
    ]
    found, asked = walk(entries)
    assert asked == [8, 7, 6, 3]
    assert found.chosen.planes == (6,) and 0.001 < found.bound <= 0.01
    assert found.refused is not None and found.refused.planes == (3,)
    assert found.refused_bound > 0.01
    found, asked = walk(entries[:3])
    assert found.chosen.planes == (6,) and found.refused is None
    found, _ = walk([entries[0], (7, 90, 1.1, 0, 7)])  # few enough, but not shown to be
    assert found.chosen.planes == (8,) and found.bound == 0.0
    assert 0.01 < found.refused_bound < 0.02


def test_images_that_choose_do_not_judge():
    project = open_project(ROOT / "configs" / "progressive-digits.json")
    chooses, judges = held_images(project)
    recipe = Recipe(**json.loads(project.parameters.metadata["recipe"]))
    data = load_images(project.config, ROOT, "train")
    held = data.take(np.flatnonzero(held_out(data.labels, recipe)))
    both = [image.tobytes() for part in (chooses, judges) for image in part.images]
    assert sorted(both) == sorted(image.tobytes() for image in held.images)
    assert len(chooses) == len(judges) == 103
    for label in range(10):  # each class by its share
        assert abs((chooses.labels == label).sum() - (judges.labels == label).sum()) <= 1


def test_without_held_out_images_nothing_is_chosen():
    project = open_project(ROOT / "configs" / "progressive-digits.json")
    recipe = json.loads(project.parameters.metadata["recipe"]) | {"validation": 0}
    metadata = project.parameters.metadata | {"recipe": json.dumps(recipe)}
    parameters = dataclasses.replace(project.parameters, metadata=metadata)
    with pytest.raises(UserError, match="must hold images out to choose by"):
        held_images(dataclasses.replace(project, parameters=parameters))


def test_too_few_images_show_nothing():
    tried = [Tried((2,), 2, score(1, 0, 50)), Tried((1,), 1, score(1, 0, 50))]
    with pytest.raises(Infeasible, match=r"loss: must be at least 0\.0582"):
        judged(tried, 0.01, Demand(), lambda planes: np.ones(50, bool))


def test_what_is_written_is_what_was_chosen(tmp_path, capsys):
    config = ROOT / "configs" / "progressive-digits.json"
    mark = "layer-planes progressive-digits"
    page = tmp_path / "page.md"
    page.write_text(f"<!-- {mark} -->\n<!-- end {mark} -->\n")
    command = ["study", "layer-planes", str(config), "--loss", "0.05", "--page", str(page)]
    assert main([*command, "--output", str(tmp_path / "out")]) == 0
    written = load_config(tmp_path / "out" / "progressive-digits-planes.json")
    parameters = load_parameters(
        tmp_path / "out" / "progressive-digits-planes.safetensors", written
    )
    planes = [written.weights_of(n).widths for n in range(3)]
    assert sum(planes) < 24
    data = load_images(written, tmp_path, "test")
    right = int((classify(network(written, parameters, data.images)) == data.labels).sum())
    bits = sum(n * g.weights for n, g in zip(planes, written.geometry, strict=True))
    row = next(line for line in page.read_text().splitlines() if line.startswith("| chosen"))
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert cells[0] == " ".join(map(str, planes))
    assert int(cells[1].replace(" ", "")) == work_of(written, tuple(planes))
    assert int(cells[3].replace(" ", "")) == bits
    assert cells[4] == f"{100 * right / 360:.2f}"
    assert "5 %" in page.read_text()
    whole = load_config(config)
    made = parameters.metadata
    assert made["planes of"] == whole.digest and made["config"] == written.digest
    project = open_project(config)
    held = [image for part in held_images(project) for image in part.images]
    labels = np.concatenate([part.labels for part in held_images(project)])
    right = int((classify(network(written, parameters, np.stack(held))) == labels).sum())
    assert made["validation"] == f"{right}/206"
    assert "history" not in made and made["command"].startswith("kakure study layer-planes")


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("progressive-digits", ("--loss", "0"), "--loss: must be above 0 and below 1, not 0"),
        ("progressive-digits", ("--loss", "0.01"), "loss: must be at least 0.0287, the least"),
        ("progressive-digits", ("--confidence", "1"), "--confidence: must be 0.5 to below 1"),
        (
            "progressive-digits",
            ("--loss", "0.05", "--output", __file__),
            "--output: cannot be made",
        ),
        ("digits", (), "weights: must be bitwise with at least 2 bits"),
    ],
)
def test_mistakes_are_one_line(name, more, said, capsys):
    assert main(["study", "layer-planes", str(ROOT / "configs" / f"{name}.json"), *more]) == 2
    assert said in capsys.readouterr().err
