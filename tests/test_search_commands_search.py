"""The command line of the search: what is wrong with a space names its file."""

import json
from pathlib import Path

import pytest

from kakure.model.errors import Damaged, Infeasible, UserError
from kakure.search.commands.kakure import main
from kakure.search.cost.unfitted import Unfitted

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = json.loads((ROOT / "configs" / "search-digits.json").read_text(encoding="utf-8"))
    data.pop("$schema", None)
    return data


@pytest.mark.parametrize("command", [["search", "--rounds", "0"], ["space"]])
@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"area_um2": 10.0}, "area_um2: must be at least "),
        ({"least_weights": 10**9}, "least_weights: must be at most "),
        ({"weights": {"kind": "bitwise", "bits": 4}}, "weights.kind"),
        ({"weights": {"kind": "multicoat"}}, "weights.kind"),
        (
            {"weights": {"kind": "hidden", "density": 1e-6}},
            "weights.density: must keep at least 1 of the 72 weights of layers[0], not 0",
        ),
        ({"dataset": "a\0b", "input_shape": [8, 8, 1]}, "dataset: must be a path that a file can"),
    ],
)
def test_what_a_search_cannot_do_names_the_file(space, command, values, line, capsys):
    Path("mine.json").write_text(json.dumps(space | values))
    assert main([*command, "mine.json"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: mine.json: {line}") and err.count("\n") == 1


@pytest.mark.parametrize("command", ["search", "space"])
def test_a_folder_of_images_that_is_missing_is_said_at_once(space, command, capsys):
    data = space | {"dataset": "none", "input_shape": [8, 8, 1]}
    Path("mine.json").write_text(json.dumps(data))
    assert main([command, "mine.json"]) == 2
    line = "error: none: dataset: must be an existing folder of idx files\n"
    assert capsys.readouterr().err == line


def test_a_space_says_its_size_and_least_area(space, capsys):
    Path("mine.json").write_text(json.dumps(space))
    assert main(["space", "mine.json"]) == 0
    *_, size, area = capsys.readouterr().out.splitlines()
    assert size.startswith("whole ") and size.endswith(" points")
    assert area == "area        87683 µm² at least within the bounds, digital model"
    assert main(["space", "mine.json", "--model", "analog"]) == 2
    assert capsys.readouterr().err.startswith("error: mine.json: crossbar.rows x columns must be")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Infeasible("must be less", where=("loss",)), "mine.json: loss: must be less"),
        (Unfitted("crossbar_tile.rows must be 1 to 2"), "mine.json: crossbar_tile.rows must be"),
        (UserError("must be 1", where=("layers", 0, "pool")), "mine.json: layers[0].pool: must"),
        (UserError("must be running", where=("RAY_ADDRESS",)), "RAY_ADDRESS: must be running"),
        (UserError("no Yosys is installed"), "no Yosys is installed"),
        (Damaged("is damaged", file="store.sqlite"), "store.sqlite: is damaged"),
    ],
)
def test_only_an_error_of_the_space_names_its_file(space, error, line, capsys, monkeypatch):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("kakure.search.commands.search.search", refuse)
    Path("mine.json").write_text(json.dumps(space))
    assert main(["search", "mine.json"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")


@pytest.mark.parametrize("name", ["loop", "pipe", "x" * 252, "/proc/x", "/proc/x/y"])
def test_an_output_that_cannot_be_made_is_known_before_the_search(space, name, capsys, monkeypatch):
    monkeypatch.setattr(
        "kakure.search.commands.search.search", lambda *_, **__: pytest.fail("it searches")
    )
    Path("loop").symlink_to("loop")
    Path("pipe").touch()
    Path("mine.json").write_text(json.dumps(space))
    assert main(["search", "mine.json", "--output", name]) == 2
    assert capsys.readouterr().err.startswith(f"error: {name}: --output: ")
