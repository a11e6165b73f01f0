"""The whole search, on a space so small that its trainings take seconds."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

import kakure.search.rounds.run
from kakure.model.config.config import load_config
from kakure.model.datasets.images import load_images
from kakure.model.errors import Infeasible, UserError
from kakure.model.evaluate import evaluate
from kakure.model.parameters.parameters_file import load_parameters
from kakure.search.rounds.round import Options
from kakure.search.rounds.run import search
from kakure.search.rounds.summary import summary
from kakure.search.rounds.training import network_of
from kakure.search.space.space_file import parse_space
from kakure.search.store.parallel import Workers
from tests.small_search import SPACE, result, run, space, stored


def test_the_result_is_a_configuration_that_works_and_scores_as_stated(searched):
    folder = searched / "result"
    config = load_config(folder / "best.json")
    assert config.parameters is not None
    parameters = load_parameters(folder / config.parameters, config)
    score = evaluate(config, parameters, load_images(config, folder, "test"))
    stated = result(searched)["best"]["accuracy"]
    assert (score.correct, score.count) == (stated["test_correct"], stated["test_count"])
    lost = stated["test_lost"] - stated["test_gained"]
    assert stated["test_reference_correct"] - lost == score.correct
    certificate = result(searched)["phase2"]["certificate"]
    assert (certificate["confidence"], certificate["parts"]) == (0.95, 5)
    assert certificate["images"] == certificate["chosen"]["count"] == 1231
    assert certificate["chosen"]["bound"] == stated["loss_bound"] <= 0.1
    assert certificate["chosen"]["layers"] == result(searched)["phase2"]["chosen"]["layers"]
    assert stated["statement"] == certificate["statement"]
    page = (folder / "index.html").read_text()
    said = summary(result(searched))
    for text in (page, said):
        assert stated["statement"] in text
        assert f"{lost} of 360" in text
    names = {path.name for path in folder.iterdir()}
    pictures = {"area-time.png", "energy-accuracy.png", "layer-choices.png"}
    assert names == pictures | {"best.json", "best.safetensors", "search.json", "index.html"}


def test_shortcuts_and_depth_come_out_of_a_search(tmp_path, capsys):
    first, last = SPACE["layers"]
    stage = first | {"pool": 1, "channels": [8], "repeat": [1, 2], "residual": [True]}
    layers = [first | {"channels": [8]}, stage, last]
    path = space(tmp_path, layers=layers, effort=SPACE["effort"] | {"epochs": 1, "precisions": 2})
    assert run(tmp_path, path) == 0
    record = result(tmp_path)
    networks = [
        (tuple(one["pools"]), tuple(one["residual"])) for one in record["rounds"][0]["candidates"]
    ]
    one, two = ((2, 1, 1), (False, True, False)), ((2, 1, 1, 1), (False, True, True, False))
    assert networks == [one, two]
    config = load_config(tmp_path / "result" / "best.json")
    chosen = networks[record["rounds"][0]["chosen"]]
    assert (tuple(la.pool for la in config.layers), tuple(la.residual for la in config.layers)) == (
        chosen
    )
    assert config.parameters is not None
    parameters = load_parameters(tmp_path / "result" / config.parameters, config)
    score = evaluate(config, parameters, load_images(config, tmp_path, "test"))
    assert score.correct == record["best"]["accuracy"]["test_correct"]
    assert parameters.metadata["config"] == config.digest  # what `make check` compares
    said = capsys.readouterr().out
    assert "   8+   " in said and "+ with a shortcut: the layer adds what it reads" in said
    page = (tmp_path / "result" / "index.html").read_text()
    assert "8/2 8+" in page


def test_shortcuts_are_trained_and_scored():
    first, last = SPACE["layers"]
    first = first | {"adc_bits": [4], "copies": [1]}
    stage = first | {"pool": 1, "repeat": [1, 2], "residual": [False, True]}
    whole = parse_space(json.dumps(SPACE | {"layers": [first, stage, last]}))
    for number, family in enumerate(whole.families):
        points = list(family.points())
        for point in points[:: len(points) // 20]:
            network = network_of(family, point)
            assert len(network.layers) == 3 + number
            assert [la.residual for la in network.layers] == [c.residual for c in point.layers]


def test_the_choice_keeps_what_was_asked(searched):
    record = result(searched)
    chosen = record["phase2"]["chosen"]
    assert chosen["accuracy"] >= record["phase2"]["least_accuracy"] - 1e-9
    assert chosen["product"] <= record["phase2"]["start"]["product"]
    last = record["rounds"][-1]
    scores = [one["score"] for one in last["candidates"]]
    assert scores[last["chosen"]] == max(scores)
    assert len({tuple(one["channels"]) for one in last["candidates"]}) == len(scores) == 2
    areas = [point["area_um2"] for point in last["front"]]
    times = [point["time_ps"] for point in last["front"]]
    assert areas == sorted(areas) and times == sorted(times, reverse=True)
    layers = record["best"]["config"]["layers"]
    assert load_config(searched / "result" / "best.json").digest == record["best"]["digest"]
    assert [layer["channels"] for layer in layers] == last["candidates"][last["chosen"]]["channels"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"area_um2": 1000}, "area_um2: must be at least 3"),
        ({"area_um2": 1e300}, "area_um2: must be at most"),
        ({"least_weights": 10**9}, "least_weights: must be at most 1"),
        ({"knob": 1}, "knob: unknown key"),
        ({"effort": {"candidates": 0}}, "effort.candidates: must be at least 1, not 0"),
        ({"dataset": "nowhere", "input_shape": [8, 8, 1]}, "must be an existing folder"),
        ({"weights": {"kind": "bitwise", "bits": 4}}, "weights.kind must be hidden, not bitwise"),
        (
            {"layers": [SPACE["layers"][0] | {"kernel": 7, "adc_shift": 4}, SPACE["layers"][1]]},
            "adc_shift",
        ),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line(tmp_path, capsys, other, said):
    assert run(tmp_path, space(tmp_path, **other)) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and said in lines[0]
    assert not (tmp_path / "result").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "mine.txt").write_text("mine")
    assert run(tmp_path, space(tmp_path)) == 2
    assert "must be new, or hold the result of a search" in capsys.readouterr().err
    assert (tmp_path / "result" / "mine.txt").read_text() == "mine"
    assert stored(tmp_path) == 0


def test_an_area_bound_holds_for_the_best_too(searched, tmp_path):
    chosen = result(searched)["rounds"][-1]["candidates"]
    bound = min(one["area_um2"] for one in chosen)
    layers = [SPACE["layers"][0] | {"adc_bits": [3, 4]}, SPACE["layers"][1]]
    assert run(tmp_path, space(tmp_path, area_um2=bound, layers=layers)) == 0
    record = result(tmp_path)
    assert record["best"]["metrics"]["area_um2"] <= bound
    for one in record["phase2"]["history"]:
        assert one["area_um2"] <= bound


def test_the_analog_model_searches_its_own_arrays(tmp_path, capsys):
    layers = [
        SPACE["layers"][0] | {"channels": [16], "input_bits": [8, 4], "adc_bits": [6, 4]},
        {
            "kind": "linear",
            "channels": [10],
            "column_sharing": [8],
            "adc_type": ["sar"],
            "adc_bits": [6, 4],
            "input_bits": [8, 4],
        },
    ]
    other = {
        "crossbar": {"rows": [64], "columns": [64]},
        "layers": [layers[0] | {"kernel": 7, "padding": 3}, layers[1]],
    }
    path = space(tmp_path, **other)
    assert run(tmp_path, path, "--model", "analog") == 0
    assert result(tmp_path)["best"]["metrics"]["energy_pj"] > 0
    assert run(tmp_path, path, "--model", "analog", rounds=1) == 2
    assert "rounds: must be 0 with the analog model" in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_rounds_of_synthesis_are_logged_and_learned_from(tmp_path):
    assert run(tmp_path, space(tmp_path), "--synthesized", "1", rounds=2) == 0
    record = result(tmp_path)
    assert len(record["rounds"]) == 2
    first, second = record["rounds"]
    assert first["synthesized"][0]["role"] == "best"
    assert all(point["is_new"] for point in first["synthesized"])
    assert first["mean_error"] < 0.15
    seen = {point["digest"] for point in first["synthesized"]}
    for point in second["synthesized"]:
        assert point["is_new"] == (point["digest"] not in seen)
        assert point["error"] == point["predicted_um2"] / point["synthesized_um2"] - 1
    best = second["synthesized"][0]
    assert record["best"]["synthesized_um2"] == best["synthesized_um2"]
    assert (tmp_path / "result" / "feedback.png").exists()


class Ended(Exception):
    """The rounds are over; the test looks no further."""


@pytest.mark.parametrize(
    ("first", "second", "ends_in"),
    [
        (None, Infeasible("no network is left", where=("area_um2",)), Ended),
        (None, Infeasible("no network is left", where=("least_weights",)), Infeasible),
        (None, UserError("area_um2: must be at least 1, not 0"), UserError),
        (None, UserError("no band can be searched", where=("area_um2",)), UserError),
        (Infeasible("no network is left", where=("area_um2",)), None, Infeasible),
    ],
)
def test_rounds_end_where_what_was_learned_leaves_no_network(
    tmp_path, monkeypatch, first, second, ends_in
):
    """Not where the very first round finds none, and not for any other error."""
    module = kakure.search.rounds.run
    precise = SimpleNamespace(reference=None, config=None, parameters=None)
    outcomes = iter([first, second])

    def one(*_, **__):
        error = next(outcomes)
        if error is not None:
            raise error
        return SimpleNamespace(done=[], precise=precise)

    def ended(*_, **__):
        raise Ended

    monkeypatch.setattr(module, "run_round", one)
    monkeypatch.setattr(module, "cost_model", lambda *_: None)
    monkeypatch.setattr(module, "on_test_images", ended)
    store: Any = None
    options = Options(model="digital", rounds=2, synthesized=1, seed=0)
    with pytest.raises(Exception) as caught:  # exactly that type
        search(parse_space(json.dumps(SPACE)), tmp_path, options, store, Workers(1, "local"))
    assert type(caught.value) is ends_in
