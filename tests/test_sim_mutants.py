"""The campaign of mutants, on a repository of a few lines."""

import ast
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.sim.commands import mutants as command
from kakure.sim.mutants.campaign import EQUIVALENT, equivalents, run_campaign
from kakure.sim.mutants.probes import put_probes
from kakure.sim.mutants.reach import Reach
from kakure.sim.mutants.source_mutant import OPERATORS
from kakure.sim.mutants.source_mutants import chosen, mutants_of
from kakure.sim.mutants.test_choice import nearest_tests
from kakure.sim.mutants.tree import Tree
from kakure.sim.mutants.verdict import Summary, Verdict

ROOT = Path(__file__).resolve().parent.parent

RULE = '''"""Words with 1 + 1 in them."""

LIMIT = 10


def is_big(x: int) -> bool:
    """Whether x is big; 3 * 3 is not."""
    return x >= LIMIT


def checked(x: int) -> int:
    if x == 13:
        raise ValueError(f"x must not be {x + 0}")
    assert x != 14, "a bug"
    return -x if not x < 0 else x * 2
'''
SHORT = """def is_big(x):
    return x >= 10


def magnitude(x):
    return -x if x < 0 else x
"""
BLOCK = """from kakure.model.rule import is_big


class Block:
    def elaborate(self, platform):
        m = Module()
        held = Signal(8)
        free = Signal(8, reset_less=True)
        wire = Signal()
        m.d.comb += wire.eq(~self.i & held)
        with m.If(wire):
            m.d.sync += held.eq(Mux(wire, self.a, self.b))
            m.d.sync += free[0].eq(1)
        return m
"""
TESTS = """from kakure.model.rule import is_big, magnitude


def test_big():
    assert is_big(11) and not is_big(9)


def test_magnitude():
    assert [magnitude(x) for x in (-2, 0, 3)] == [2, 0, 3]
"""
FILES = ["tests/test_model_rule.py", "tests/test_model_use.py"]
KILLED = "model/rule.py branch: return -x if x < 0 else x: x < 0 -> not (x < 0)"
SURVIVORS = {
    "model/rule.py bound: return x >= 10: >= -> >",
    "model/rule.py constant: return x >= 10: 10 -> (10 + 1)",
}
EQUAL = {
    "model/rule.py bound: return -x if x < 0 else x: < -> <=": "-0 is 0",
    "model/rule.py constant: return -x if x < 0 else x: 0 -> (0 + 1)": "-0 is 0",
}


@pytest.fixture
def root(tmp_path) -> Path:
    """A repository of two files and a test."""
    files = {
        "model/__init__.py": "",
        "model/rule.py": SHORT,
        "hdl/__init__.py": "",
        "sim/__init__.py": "",
        "tests/test_model_rule.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "repository"


def run(root: Path, *, count: int = 100, only: str = "", listed=EQUAL, **more) -> Summary:
    work = root.parent / "work"
    return run_campaign(root, work, count=count, seed=1, jobs=2, only=only, listed=listed, **more)


def names(verdicts: list[Verdict]) -> set[str]:
    return {verdict.mutant for verdict in verdicts}


def test_every_operator_finds_its_places(root):
    (root / "model" / "rule.py").write_text(RULE)
    (root / "hdl" / "block.py").write_text(BLOCK)
    found = {(m.operator, m.line, m.old, m.new) for m in mutants_of(root, ("hdl", "model"))}
    held = "m.d.sync += held.eq(Mux(wire, self.a, self.b))"
    assert found == {
        ("constant", 3, "10", "(10 + 1)"),
        ("bound", 8, ">=", ">"),
        ("branch", 12, "x == 13", "not (x == 13)"),
        ("comparison", 12, "==", "!="),
        ("constant", 12, "13", "(13 + 1)"),
        ("branch", 15, "not x < 0", "not (not x < 0)"),
        ("negation", 15, "not", ""),
        ("bound", 15, "<", "<="),
        ("constant", 15, "0", "(0 + 1)"),
        ("arithmetic", 15, "*", "+"),
        ("constant", 15, "2", "(2 + 1)"),
        ("constant", 7, "8", "(8 + 1)"),
        ("reset", 7, ")", ", reset_less=True)"),
        ("constant", 8, "8", "(8 + 1)"),
        ("reset", 8, "True", "False"),
        ("dropped", 10, "m.d.comb += wire.eq(~self.i & held)", "pass"),
        ("domain", 10, "comb", "sync"),
        ("negation", 10, "~", ""),
        ("arithmetic", 10, "&", "|"),
        ("branch", 11, "wire", "(wire) == 0"),
        ("dropped", 12, held, "pass"),
        ("domain", 12, "sync", "comb"),
        ("branch", 12, "self.a, self.b", "self.b, self.a"),
        ("dropped", 13, "m.d.sync += free[0].eq(1)", "pass"),
        ("domain", 13, "sync", "comb"),
        ("constant", 13, "0", "(0 + 1)"),
        ("constant", 13, "1", "(1 + 1)"),
    }


def test_a_mutant_keeps_its_name_when_lines_come_and_go(root):
    path = root / "model" / "rule.py"
    path.write_text(RULE)
    before = [m.name for m in mutants_of(root, ("model",))]
    path.write_text('"""ÄÖ"""\n\nfrom math import pi\n\n' + RULE.replace("return -x", "return -x "))
    after = mutants_of(root, ("model",))
    assert [m.name for m in after] == before
    text = path.read_text()
    assert all(m.applied(text).count("\n") == text.count("\n") for m in after)


def test_what_areas_are_fitted_to_is_left_alone(root):
    text = "class A:\n    def flops(self):\n        return self.n + b\n\n"
    (root / "hdl" / "shape.py").write_text(
        text + text.replace("flops", "terms").replace("class A:", "class B:")
    )
    assert [m.line for m in mutants_of(root, ("hdl",))] == [3]


def test_equal_places_in_equal_statements_have_names_of_their_own(root):
    (root / "model" / "rule.py").write_text("a = b + 1 + 1\na = b + 1 + 1\n")
    found = mutants_of(root, ("model",))
    assert len({m.name for m in found}) == len(found) == 8


def test_mutants_of_this_repository_are_other_programs():
    found = mutants_of(ROOT, ("hdl", "model"))
    assert len({m.name for m in found}) == len(found) > 3000
    assert {m.operator for m in found} == set(OPERATORS)
    texts = {m.file: (ROOT / m.file).read_text(encoding="utf-8") for m in found}
    trees = {file: ast.dump(ast.parse(text)) for file, text in texts.items()}
    for m in chosen(found, 400, 7):
        assert ast.dump(ast.parse(m.applied(texts[m.file]))) != trees[m.file], m.name


def test_the_draw_takes_every_operator_and_depends_on_names_alone():
    found = mutants_of(ROOT, ("hdl", "model"))
    drawn = chosen(found, 90, 1)
    assert [m.operator for m in drawn[:9]] == list(OPERATORS)
    assert {sum(m.operator == o for m in drawn) for o in OPERATORS} == {10}
    assert chosen(found[::-1], 90, 1) == drawn
    assert len(set(chosen(found, 90, 2)) & set(drawn)) < 30
    others = chosen([m for m in found if m != drawn[0]], 90, 1)
    assert len(set(others) & set(drawn)) == 89
    assert len(chosen(found, 10**6, 1)) == len(found)


def test_the_namesake_comes_first_then_the_nearest(root):
    (root / "hdl" / "block.py").write_text("from kakure.model.rule import is_big\n")
    (root / "sim" / "bench.py").write_text("from kakure.hdl import block\n")
    (root / "tests" / "test_hdl_aaa.py").write_text("from kakure.sim.bench import x\n")
    (root / "tests" / "test_hdl_block.py").write_text("import kakure.hdl.block\n")
    (root / "tests" / "test_search_all.py").write_text("from kakure.model.rule import is_big\n")
    (root / "hdl" / "lazy.py").write_text("")
    (root / "tests" / "test_hdl_lazy.py").write_text("")
    choice = nearest_tests(root, 2)
    rule, block, aaa = (f"tests/test_{name}.py" for name in ("model_rule", "hdl_block", "hdl_aaa"))
    assert choice["model/rule.py"] == [rule, block]
    assert choice["hdl/block.py"] == [block, aaa]
    assert choice["sim/bench.py"] == [aaa]
    assert choice["hdl/lazy.py"] == ["tests/test_hdl_lazy.py"]  # found by its name
    assert choice["model/__init__.py"] == []
    assert nearest_tests(root, 3)["model/rule.py"] == [rule, block, aaa]


def test_what_tests_share_and_a_part_of_a_namesake_count(root):
    (root / "hdl" / "block.py").write_text("")
    (root / "hdl" / "block_shape.py").write_text("")
    (root / "tests" / "block_bench.py").write_text("from kakure.hdl import block, block_shape\n")
    for name, held in (
        ("hdl_aaa", "import kakure.hdl.block"),
        ("hdl_block", "from tests.block_bench import x"),
        ("hdl_block_errors", "from block_bench import x"),
        ("hdl_block_shape", "from tests.block_bench import x"),
    ):
        (root / "tests" / f"test_{name}.py").write_text(f"{held}\n")
    files = [
        f"tests/test_hdl_{name}.py" for name in ("block", "block_errors", "aaa", "block_shape")
    ]
    assert nearest_tests(root, 4)["hdl/block.py"] == files
    assert nearest_tests(root, 4)["hdl/block_shape.py"][0] == files[3]


def test_a_campaign_tells_killed_from_survived_from_equivalent(root):
    summary = run(root)
    assert names(summary.survived) == SURVIVORS
    assert set(summary.equivalent) == set(EQUAL)
    assert names(summary.killed) == {KILLED}
    assert [v.killed_by for v in summary.killed] == ["tests/test_model_rule.py::test_magnitude"]
    assert summary.share == 1 / 3
    assert (root / "model" / "rule.py").read_text() == SHORT
    left = {path.name for path in (root.parent / "work").iterdir()}
    assert left == {"verdicts.jsonl", "baseline.jsonl", "reach"}
    assert run(root, only="nothing is called so") == Summary([], [], [])
    assert Summary([], [], []).share == 1


def judged(monkeypatch) -> list[str]:
    """Names of the mutants that are judged from here on."""
    found = []
    before = Tree.killed_by

    def noted(self, mutant, turns):
        found.append(mutant.name)
        return before(self, mutant, turns)

    monkeypatch.setattr(Tree, "killed_by", noted)
    return found


def test_listed_mutants_are_judged_where_it_is_asked_for_and_one_may_be_refuted(root, monkeypatch):
    anew = judged(monkeypatch)
    assert run(root).equivalent == list(EQUAL)
    assert not set(anew) & set(EQUAL) and len(anew) == 1 + len(SURVIVORS)
    summary = run(root, listed=EQUAL | {KILLED: "It changes nothing."}, judges_listed=True)
    assert names(summary.refuted) == {KILLED}
    assert summary.killed == []
    assert set(summary.equivalent) == set(EQUAL) <= set(anew)
    summary = run(root, listed=EQUAL | {KILLED: "It changes nothing."})
    assert names(summary.killed) == set()
    assert set(summary.equivalent) == {*EQUAL, KILLED}


def test_what_was_judged_stays_judged_until_it_may_come_out_otherwise(root, monkeypatch):
    first = run(root, judges_listed=True)
    anew = judged(monkeypatch)
    assert run(root, judges_listed=True) == first
    assert anew == []
    store = root.parent / "work" / "verdicts.jsonl"
    lines = store.read_text().splitlines()
    lines[2] = lines[2].replace('"line": ', '"line": 1')
    store.write_text("\n".join(lines)[:-9])  # the last one is cut by a kill
    assert run(root, judges_listed=True) == first
    assert sorted(anew) == sorted(json.loads(line)["mutant"] for line in (lines[2], lines[-1]))
    anew.clear()
    assert run(root, judges_listed=True) == first
    assert anew == []
    assert run(root, only=KILLED).share == 1
    assert anew == [KILLED]


def test_a_better_test_is_given_another_look(root, monkeypatch):
    run(root, judges_listed=True)
    anew = judged(monkeypatch)
    path = root / "tests" / "test_model_rule.py"
    path.write_text(TESTS + "\n\ndef test_limit():\n    assert is_big(10)\n")
    summary = run(root, judges_listed=True)
    assert set(anew) == SURVIVORS | set(EQUAL) | {KILLED}
    found = {v.mutant: v.killed_by for v in summary.killed}
    assert {found[name] for name in SURVIVORS} == {"tests/test_model_rule.py::test_limit"}
    anew.clear()
    (root / "sim" / "bench.py").write_text("LENGTH = 1\n")
    run(root, judges_listed=True)
    assert len(anew) == 5  # a test may use any source


def measured(root: Path) -> Reach:
    """What a small repository's tests run, measured in a copy."""
    copy = root.parent / "copy"
    copy.mkdir()
    tree = Tree(root, Path(os.path.relpath(copy)))
    reach = Reach(root, root.parent / "reach")
    reach.keep(FILES, tree.measured(FILES))
    assert (tree.folder / "model" / "rule.py").read_bytes() == (
        root / "model" / "rule.py"
    ).read_bytes()
    return reach


def test_those_that_run_a_function_are_asked_the_quickest_first(root, monkeypatch):
    slow = "import time\n\n\ndef test_slowly():\n    time.sleep(0.2)\n    assert is_big(11)\n"
    (root / "tests" / "test_model_rule.py").write_text(TESTS.replace("def test_big", "def test_z"))
    (root / "tests" / "test_model_use.py").write_text(TESTS.partition("\n")[0] + f"\n{slow}")
    reach = measured(root)
    big, sign = (
        next(m for m in mutants_of(root, ("model",)) if m.operator == operator)
        for operator in ("bound", "branch")
    )
    quick, slowly = f"{FILES[0]}::test_z", f"{FILES[1]}::test_slowly"
    assert reach.turns(big, FILES) == [[quick, slowly]]
    assert reach.turns(big, FILES, is_thorough=True) == [[quick, slowly], FILES]
    assert reach.turns(big, FILES[1:]) == [[quick, slowly]]  # of other files too
    assert reach.turns(sign, FILES) == [[f"{FILES[0]}::test_magnitude"]]
    monkeypatch.setattr("kakure.sim.mutants.reach.FAR_S", 0)
    assert reach.turns(big, FILES[1:]) == [[slowly]]
    assert reach.turns(sign, FILES[1:]) == [[slowly], FILES[1:]]  # none is known to run it
    (root / "tests" / "test_model_new.py").write_text("")
    new = [*FILES, "tests/test_model_new.py"]
    assert reach.turns(big, new) == [[quick, slowly], new]


def test_tests_that_take_long_wait_for_their_turn(root, monkeypatch):
    (root / "tests" / "test_model_use.py").write_text("def test_nothing():\n    pass\n")
    reach = measured(root)
    (mutant,) = [m for m in mutants_of(root, ("model",)) if m.operator == "branch"]
    monkeypatch.setattr("kakure.sim.mutants.reach.SOON_S", -1)
    assert reach.turns(mutant, FILES) == [[f"{FILES[0]}::test_magnitude"]]
    monkeypatch.setattr("kakure.sim.mutants.reach.FAR_S", 0)
    assert reach.turns(mutant, FILES[1:]) == [FILES[1:]]


def test_what_was_measured_is_kept_while_it_is_whole_and_of_the_same_file(root):
    (root / "tests" / "test_model_use.py").write_text("def test_nothing():\n    pass\n")
    measured(root)
    kept = root.parent / "reach"
    assert Reach(root, kept).missing(FILES) == []
    path = kept / "test_model_use.json"
    path.write_bytes(path.read_bytes().replace(b"digest", b"Digest"))
    assert Reach(root, kept).missing(FILES) == [FILES[1]]
    (root / FILES[0]).write_text(TESTS + "\n")
    assert Reach(root, kept).missing(FILES) == FILES


def test_probes_change_no_meaning_and_note_what_runs(root):
    text = (
        '"""Words."""\n\nfrom __future__ import annotations\n\n\n'
        'class A:\n    def f(self, x: B = 3):\n        """Words."""\n        return [g(x)]\n\n\n'
        "@staticmethod\ndef g(x):\n    def h():\n        return x\n    return h()\n"
    )
    (root / "model" / "rule.py").write_text(text)
    plain, probed, noted = {}, {}, set()
    exec(compile(text, "plain", "exec"), plain)
    put_probes(root, "model/rule.py")
    exec(compile((root / "model" / "rule.py").read_text(), "probed", "exec"), probed)
    assert probed["A"]().f() == plain["A"]().f() == [3]  # without the plugin
    probed["__note__"] = noted.add
    assert probed["A"]().f() == [3]
    assert noted == {f"model/rule.py:{name}" for name in ("A.f", "g", "g.h")}
    assert (probed["__doc__"], probed["A"].f.__doc__) == ("Words.", "Words.")


def test_a_mutant_knows_the_function_that_it_is_in(root):
    text = (
        "x = 1\n\n\ndef f(a=2):\n    def g(b=3):\n        return 4\n\n    return 5\n\n\n"
        "class A:\n    y = 6\n\n    def f(self):\n        return 7\n\n    z = 8\n"
    )
    (root / "model" / "rule.py").write_text(text)
    found = {m.old: m.function for m in mutants_of(root, ("model",))}
    assert found == {
        **{"1": "", "2": "", "3": "f", "4": "f.g", "5": "f", "6": "", "7": "A.f", "8": ""}
    }


def test_tests_that_do_not_run_are_not_measured(root):
    (root / "tests" / "test_model_use.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(UserError, match="must run, not end with code 2"):
        measured(root)


def test_tests_that_fail_without_a_mutant_kill_none(root):
    (root / "tests" / "test_model_rule.py").write_text(TESTS.replace("is_big(11)", "is_big(1)"))
    for _ in range(2):
        with pytest.raises(UserError, match=r"test_model_rule\.py::test_big: must pass without"):
            run(root, count=1)


@pytest.mark.parametrize(
    ("line", "killed_by"),
    [
        ("    os.kill(os.getpid(), 9)", "tests/test_model_rule.py::test_it"),
        ("    os._exit(0 if x else 1)", "tests/test_model_rule.py::test_it"),
        ("    raise KeyboardInterrupt", "tests/test_model_rule.py::test_it"),
        ("    bytes(1 << 40)", "tests/test_model_rule.py::test_it"),
        ("    raise SystemExit(2)", "tests/test_model_rule.py::test_it"),
        ("raise SystemExit(2)", "tests/test_model_rule.py"),
        ("import nothing_of_that_name", "tests/test_model_rule.py"),
    ],
)
def test_a_mutant_may_end_the_process_of_its_tests(root, line, killed_by):
    rule, tests = root / "model" / "rule.py", root / "tests" / "test_model_rule.py"
    rule.write_text("import os\n\n\ndef it(x):\n    pass\n" + f"    if x == 1:\n    {line}\n")
    tests.write_text("from kakure.model.rule import it\n\n\ndef test_it():\n    it(0)\n")
    if not line.startswith(" "):
        rule.write_text(f"def it(x):\n    pass\n\n\nif 0 == 1:\n    {line}\n")
    (mutant,) = [m for m in mutants_of(root, ("model",)) if m.operator == "comparison"]
    (root.parent / "copy").mkdir()
    tree = Tree(root, root.parent / "copy")
    assert tree.first_failure(["tests/test_model_rule.py"]) is None
    assert tree.killed_by(mutant, [["tests/test_model_rule.py"]]) == killed_by
    assert tree.first_failure(["tests/test_model_rule.py"]) is None


def test_a_test_that_hangs_has_failed(root, monkeypatch):
    monkeypatch.setattr("kakure.sim.mutants.tree.TEST_S", 1)
    tests = root / "tests" / "test_model_rule.py"
    tests.write_text("def test_it():\n    while True:\n        pass\n")
    (root.parent / "copy").mkdir()
    tree = Tree(root, root.parent / "copy")
    assert tree.first_failure(["tests/test_model_rule.py"]) == f"tests/{tests.name}::test_it"
    with pytest.raises(UserError, match="must run, not end with code 4"):
        tree.first_failure(["tests/test_of_nothing.py"])
    tree.stop()
    with pytest.raises(UserError, match="must be running, not stopped"):
        tree.first_failure(["tests/test_model_rule.py"])


CAMPAIGN = """
import sys
from pathlib import Path

from kakure.model.commands.command import run_command
from kakure.sim.mutants.campaign import run_campaign

root = Path(sys.argv[1])
work = root.parent / "work"
sys.exit(run_command(lambda: run_campaign(root, work, count=9, seed=1, jobs=2) and 0))
"""
"""What the command does, for any repository."""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="what is killed ends its children on Linux")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_campaign_that_is_ended_leaves_nothing_running_and_goes_on(root, how):
    tests = root / "tests" / "test_model_rule.py"
    wait = (
        "import os, time, pathlib\n"
        f"pids = pathlib.Path({str(root.parent / 'pids')!r})\n"
        "if pids.exists():\n"
        "    (pids / str(os.getpid())).touch()\n"
        "    time.sleep(60)\n"
    )
    tests.write_text(wait + TESTS)
    run(root, count=1)  # what the tests run is known
    pids = root.parent / "pids"
    pids.mkdir()
    campaign = subprocess.Popen(
        [sys.executable, "-c", CAMPAIGN, str(root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    while len(list(pids.iterdir())) < 2:
        assert campaign.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    running = [int(path.name) for path in pids.iterdir()]
    assert all(map(is_alive, running))
    campaign.send_signal(how)
    _, said = campaign.communicate(timeout=50)
    assert campaign.returncode == (130 if how == signal.SIGINT else -how)
    assert how == signal.SIGKILL or said.splitlines()[-1] == "interrupted"
    while any(map(is_alive, running)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (pids / str(running[0])).unlink()
    (pids / str(running[1])).unlink()
    pids.rmdir()
    assert names(run(root).killed) == {KILLED}
    left = {path.name for path in (root.parent / "work").iterdir()}
    assert left == {"verdicts.jsonl", "baseline.jsonl", "reach"}


def test_every_equivalent_mutant_is_one_of_ours_and_has_a_reason():
    listed = equivalents()
    assert list(listed) == sorted(listed)
    assert json.loads(EQUIVALENT.read_text(encoding="utf-8")) == listed
    assert set(listed) <= {m.name for m in mutants_of(ROOT, ("hdl", "model"))}
    assert all(len(reason.split()) > 4 for reason in listed.values())


@pytest.mark.parametrize(("killed", "code"), [(49, 0), (48, 1)])
def test_the_command_tells_the_count_and_the_survivors(monkeypatch, capsys, killed, code):
    verdict = Verdict("model/rule.py bound: a", 3, None, "", "")
    summary = Summary([verdict] * killed, [verdict], ["model/rule.py bound: b"])
    monkeypatch.setattr(command, "run_campaign", lambda *_, **__: summary)
    monkeypatch.setattr(command, "equivalents", lambda: {"model/rule.py bound: b": "b is a"})
    assert main(["mutants", "--count", "51"]) == code
    share = 100 * killed / (killed + 1)
    assert capsys.readouterr().out.splitlines() == [
        "EQUIVALENT model/rule.py bound: b",
        "           b is a",
        "SURVIVED   line 3: model/rule.py bound: a",
        f"{killed} killed, 1 survived, 1 equivalent, not judged: {share:.1f} % killed",
    ]


def test_the_command_names_a_mutant_that_is_listed_wrongly(monkeypatch, capsys):
    verdict = Verdict("model/rule.py bound: a", 3, "tests/test_rule.py::test_a", "", "")
    given = []

    def run_campaign(*_, **options):
        given.append(options["judges_listed"])
        return Summary([verdict], [], [], [replace(verdict, mutant="model/rule.py bound: b")])

    monkeypatch.setattr(command, "run_campaign", run_campaign)
    assert main(["mutants", "--listed"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "NO EQUIVALENT ONE model/rule.py bound: b: tests/test_rule.py::test_a kills it",
        "1 killed, 0 survived, 0 equivalent: 100.0 % killed",
    ]
    assert given == [True]


def test_equivalent_mutants_alone_are_no_share(monkeypatch, capsys):
    summary = Summary([], [], ["model/rule.py bound: b"])
    monkeypatch.setattr(command, "run_campaign", lambda *_, **__: summary)
    monkeypatch.setattr(command, "equivalents", lambda: {"model/rule.py bound: b": "b is a"})
    assert main(["mutants"]) == 0
    assert capsys.readouterr().out.endswith(
        "0 killed, 0 survived, 1 equivalent, not judged: none counts\n"
    )


@pytest.mark.parametrize("args", [["--count", "0"], ["--jobs", "0"], ["--test-files", "9"]])
def test_what_the_command_refuses(args, capsys):
    with pytest.raises(SystemExit) as end:
        main(["mutants", *args])
    assert end.value.code == 2
    assert "must be a" in capsys.readouterr().err


def test_nothing_judged_is_a_mistake(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "ROOT", root)
    assert main(["mutants", "--count", "7", "--only", "nosuch"]) == 2
    said = capsys.readouterr()
    rule = "--only: must be a part of the name of one of the 7 mutants that --count and --seed draw"
    assert said.out == ""
    assert said.err.splitlines()[-1] == f"error: {rule}, not 'nosuch'"
