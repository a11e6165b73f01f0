"""The Makefile prints its verbs, and the pins agree with each other."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
VERBS = """check train evaluate data schema gen sim synth blocks bench search calibrate test
    test-full lint format native lock clean distclean""".split()
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def make(*args: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", *args]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_make_alone_prints_every_verb_on_one_line():
    run = make()
    assert run.returncode == 0, run.stderr
    listed = re.findall(r"^make ([a-z-]+) +\S.*$", run.stdout, re.MULTILINE)
    assert set(listed) == {"help", *VERBS}
    assert len(listed) == len(set(listed))


def test_every_phony_target_has_help_text():
    block = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert block is not None
    phony = block[1].replace("\\\n", " ").split()
    documented = re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE)
    assert sorted(phony) == sorted(documented)


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("check", "sim check some.json -v"),
        ("train", "model train some.json -v"),
        ("evaluate", "model evaluate some.json -v"),
        ("data", "model data some -v"),
        ("schema", "model schema"),
        ("schema", "search schema"),
        ("gen", "sim gen some.json -v"),
        ("sim", "sim run some.json -v"),
        ("synth", "hdl synth some.json -v"),
        ("blocks", "sim blocks -v"),
        ("bench", "sim bench some.json -v"),
        ("bench", "search bench"),
        ("search", "search run space.json --rounds 3 --backend ray --jobs 2 -v"),
        ("calibrate", "search.digital.calibrate --jobs 2 -v"),
    ],
)
def test_a_verb_runs_its_module(verb, command):
    given = ("CONFIG=some.json", "DATASET=some", "SPACE=space.json", "ROUNDS=3", "BACKEND=ray")
    run = make("-n", verb, *given, "ARGS=-v")
    assert f".venv/bin/python -m {command}\n" in run.stdout


def test_an_old_python_is_refused_in_one_line(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    run = make("-C", str(tmp_path), "gen", "PYTHON=false")
    assert run.returncode == 2
    assert run.stderr.splitlines()[0].startswith("Kakure needs Python 3.11 or newer")


def test_the_lock_holds_plain_pins_only():
    lines = [line for line in LOCK if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_the_lock_agrees_with_pyproject():
    pins = {normal(m[1]): m[2] for line in LOCK if (m := PIN.fullmatch(line))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    for line in direct:
        pin = PIN.fullmatch(line)
        assert pin is not None, f"{line!r} names no exact version"
        assert pins[normal(pin[1])] == pin[2]


def test_the_ci_script_parses():
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
