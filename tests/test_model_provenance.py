"""A digest changes with whatever decides a result, and with nothing else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kakure.model import provenance
from kakure.model.provenance import Provenance, array_digest, read_sources, sources, tools

FILES = {
    "model/__init__.py": "",
    "model/net.py": "from .scale import SCALE\n",
    "model/scale.py": "from pathlib import Path\nTABLE = Path(__file__).with_name('table.csv')\n",
    "model/table.csv": "1,2\n",
    "model/other.csv": "1,2\n",
    "model/deep/__init__.py": "",
    "model/deep/leaf.py": "def late():\n    from .. import late_one\n",
    "model/late_one.py": "",
    "hdl/__init__.py": "",
    "hdl/top.py": "import kakure.model.net\n",
    "hdl/cells.v": "module a; endmodule\n",
    "search/__init__.py": "",
    "search/rounds/run.py": "from kakure.hdl import top\nimport numpy\n",
    "search/prose.py": '"""Says model/table.csv and kakure.hdl.top."""\n',
}


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("kakure.model.scale", {"model/__init__.py", "model/scale.py", "model/table.csv"}),
        (
            "kakure.search.rounds.run",
            {
                *("search/__init__.py", "search/rounds/run.py", "hdl/__init__.py", "hdl/top.py"),
                *("model/__init__.py", "model/net.py", "model/scale.py", "model/table.csv"),
            },
        ),
        (
            "kakure.model.deep.leaf",
            {"model/__init__.py", "model/deep/__init__.py", "model/deep/leaf.py"}
            | {"model/late_one.py"},
        ),
        ("kakure.hdl", {"hdl/__init__.py", "hdl/top.py", "hdl/cells.v"}),
        ("kakure.search.prose", {"search/__init__.py", "search/prose.py"}),
    ],
)
def test_sources_are_what_is_imported_and_the_data_that_it_names(tree, name, decides):
    before = read_sources(name)
    for file in FILES:
        path = tree / file
        kept = path.read_bytes()
        path.write_bytes(kept + b"\n# another\n")
        assert (read_sources(name) != before) == (file in decides), file
        path.write_bytes(kept)
    assert read_sources(name) == before


def test_a_new_name_and_a_moved_line_are_other_sources(tree):
    before = read_sources("kakure.hdl")
    (tree / "hdl" / "cells.v").rename(tree / "hdl" / "sells.v")
    renamed = read_sources("kakure.hdl")
    (tree / "hdl" / "sells.v").rename(tree / "hdl" / "cells.v")
    (tree / "hdl" / "top.py").write_text("")
    (tree / "hdl" / "cells.v").write_text(FILES["hdl/top.py"] + FILES["hdl/cells.v"])
    assert len({before, renamed, read_sources("kakure.hdl")}) == 3


def test_bytecode_is_no_source(tree):
    before = read_sources("kakure.hdl")
    (tree / "hdl" / "__pycache__").mkdir()
    (tree / "hdl" / "__pycache__" / "top.cpython-311.pyc").write_bytes(b"x")
    assert read_sources("kakure.hdl") == before


def test_what_is_not_ours_is_refused():
    with pytest.raises(ValueError, match=r"must be of packages or modules of ours, not 'numpy'"):
        read_sources("numpy")
    with pytest.raises(ValueError, match=r"not 'kakure\.model\.nothing'"):
        read_sources("kakure.model.nothing")


def test_a_source_that_cannot_be_read_is_named(tree):
    (tree / "hdl" / "gone.v").symlink_to(tree / "hdl" / "gone.v")
    (tree / "hdl" / "top.py").write_text("")
    assert read_sources("kakure.hdl")  # a loop of links is no file
    assert len(sources("kakure.hdl")) == 64


def test_a_score_depends_on_training_and_not_on_hardware():
    files = {
        path.relative_to(provenance.ROOT).as_posix()
        for path in provenance._files(("kakure.search.rounds.scores",))
    }
    for name in ("train", "network", "layers", "folding", "recipe"):
        assert f"model/training/{name}.py" in files
    assert {"model/reference/signs.py", "model/datasets/images.py"} <= files
    assert {"search/rounds/scores.py", "search/store/task.py", "search/__init__.py"} <= files
    assert not any(name.startswith(("hdl/", "sim/", "search/cost/digital")) for name in files)
    measured = {
        path.relative_to(provenance.ROOT).as_posix()
        for path in provenance._files((
            "kakure.search.cost.digital.measured",
            "kakure.search.cost.digital.samples.plan",
        ))
    }
    assert {
        "hdl/engines/crossbar/tile.py",
        "hdl/synthesis/fa_map.v",
        "model/config/geometry.py",
    } <= measured


def test_equal_facts_have_one_digest_whatever_their_order():
    one = Provenance("score", {"seed": 1, "recipe": {"epochs": 2, "shift": 0.5}})
    assert (
        one.digest == Provenance("score", {"recipe": {"shift": 0.5, "epochs": 2}, "seed": 1}).digest
    )
    others = [
        Provenance("start", one.facts),
        Provenance("score", {**one.facts, "seed": 2}),
        Provenance("score", {**one.facts, "seed": "1"}),
        Provenance("score", {**one.facts, "recipe": {"epochs": 2, "shift": 0.25}}),
        Provenance("score", {"seed": 1}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 6


def test_arrays_of_other_types_shapes_or_numbers_differ():
    one = np.arange(6, dtype=np.uint8)
    arrays = [one, one.reshape(2, 3), one.astype(np.int8), one[::-1]]
    found = {array_digest(array) for array in arrays}
    found |= {array_digest(one[:3], one[3:]), array_digest(one[:2], one[2:])}
    assert len(found) == 6
    assert array_digest(one.reshape(2, 3).T.copy()) == array_digest(one.reshape(2, 3).T)


def test_tools_are_named_with_their_versions():
    found = tools("numpy", "torch")
    assert found["numpy"] == np.__version__ and "+" not in found["torch"]
    assert list(found) == ["python", "numpy", "torch"]


def test_threads_may_ask_at_once():
    sources.cache_clear()
    names = [
        ("kakure.hdl.synthesis.flow",),
        ("kakure.search.rounds.run",),
        ("kakure.sim.runner.simulate",),
        ("kakure.model.training.trainer",),
    ]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda name: sources(*name), names * 2))
    assert found == [read_sources(*name) for name in names] * 2
