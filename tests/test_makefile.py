"""The Makefile prints its verbs, and the pins agree with each other."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
VERBS = """check train evaluate data schema gen sim synth board blocks bench search calibrate test
    test-full prove mutants lint format native lock clean distclean""".split()
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
        ("check", "check some.json -v"),
        ("train", "train some.json -v"),
        ("evaluate", "evaluate some.json -v"),
        ("data", "data some -v"),
        ("schema", "schema -v"),
        ("gen", "gen some.json -v"),
        ("sim", "sim some.json -v"),
        ("synth", "synth some.json -v"),
        ("blocks", "blocks -v"),
        ("bench", "bench some.json -v"),
        ("search", "search space.json --rounds 3 --backend ray --jobs 2 -v"),
        ("calibrate", "calibrate --jobs 2 -v"),
        ("mutants", "mutants --jobs 2 -v"),
    ],
)
def test_a_verb_runs_the_command(verb, command):
    given = ("CONFIG=some.json", "DATASET=some", "SPACE=space.json", "ROUNDS=3", "BACKEND=ray")
    run = make("-n", verb, *given, "ARGS=-v")
    assert f".venv/bin/kakure {command}\n" in run.stdout


def test_an_old_python_is_refused_in_one_line(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    run = make("-C", str(tmp_path), "gen", "PYTHON=false")
    assert run.returncode == 2
    assert run.stderr.splitlines()[0].startswith("Kakure needs Python 3.11 or newer")


@pytest.fixture
def stub(tmp_path):
    """The Makefile beside a .venv whose kakure keeps its arguments, one a line."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    kakure = python.with_name("kakure")
    python.write_text("#!/bin/sh\necho 1\n")
    kakure.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\n')
    python.chmod(0o755)
    kakure.chmod(0o755)
    (tmp_path / ".venv" / "stamp").touch()
    return tmp_path


NAMES = [
    "my net.json",
    "it's mine.json",
    'a "b".json',
    "$HOME/$(x)/$x.json",
    "a$(b.json",
    "a`id`b.json",
    "netz-größe.json",
    "a\\b;c&d|e<f>g*h?i[j]k{l}m(n)o~p!q#r.json",
    "two  blanks, and a comma.json",
    "%plain=a+b@c:d.json",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_any_name_reaches_the_command_whole(stub, name, way, monkeypatch):
    given = [f"CONFIG={name}"]
    if way == "environment":
        monkeypatch.setenv("CONFIG", name)
        given = []
    run = make("-s", "-C", str(stub), "train", *given)
    assert (run.returncode, run.stderr) == (0, "")
    assert (stub / "said").read_text().splitlines() == ["train", name]


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_one_word(stub, name):
    given = [f"{variable}={name}" for variable in ("SPACE", "ROUNDS", "BACKEND", "WORKERS")]
    run = make("-s", "-C", str(stub), "search", *given, "ARGS=--store 'a b'")
    assert (run.returncode, run.stderr) == (0, "")
    said = (stub / "said").read_text().splitlines()
    options = ["--rounds", name, "--backend", name, "--jobs", name, "--store", "a b"]
    assert said == ["search", name, *options]
    assert make("-s", "-C", str(stub), "data", f"DATASET={name}").returncode == 0
    assert (stub / "said").read_text().splitlines() == ["data", name]
    run = make("-s", "-C", str(stub), "help", f"CONFIG={name}", f"PYTHON={name}")
    assert run.returncode == 0 and f"CONFIG={name} " in run.stdout
    assert run.stdout.endswith(f"PYTHON={name}\n")


@pytest.mark.parametrize(
    "wrong", ["config=mine.json", "space=x", "Config=y", "CONFGI=mine.json", "ARG=-v", "EPOCHS=3"]
)
@pytest.mark.parametrize("verb", ["train", "search", "help"])
def test_a_variable_that_is_misspelt_is_refused_in_one_line(stub, verb, wrong):
    run = make("-C", str(stub), verb, "DATASET=digits", wrong)
    assert run.returncode == 2
    line = (
        f"Makefile:{line_of('unknown variable')}: *** {wrong.partition('=')[0]}: unknown variable: "
        "must be one of PYTHON CONFIG DATASET SPACE ROUNDS BACKEND BOARD WORKERS ARGS.  Stop."
    )
    assert [said for said in run.stderr.splitlines() if "***" in said] == [line]
    assert not (stub / "said").exists()


def line_of(text: str) -> int:
    (number,) = (n for n, line in enumerate(MAKEFILE.splitlines(), 1) if text in line)
    return number


def test_a_file_that_is_no_verb_is_refused_before_anything_runs(stub):
    (stub / "mine.json").touch()
    run = make("-C", str(stub), "train", "mine.json")
    assert run.returncode == 2 and "mine.json: unknown verb: must be one of help " in run.stderr
    assert not (stub / "said").exists()


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


def test_the_command_of_the_environment_is_a_script_whatever_its_folder_is_called(tmp_path):
    spec = importlib.util.spec_from_file_location("venv_script", ROOT / ".ci" / "venv.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = tmp_path / "it's a folder" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (tmp_path / "says.py").write_text(
        "import sys\ndef start():\n    print(sys.argv[1:])\n    return 7\n"
    )
    script.write_commands(folder, {"says": "says:start"})
    link = tmp_path / "link"
    link.symlink_to(folder / "says")
    for path in (folder / "says", link):
        run = subprocess.run(
            [path, "a b", "--c"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stdout) == (7, "['a b', '--c']\n"), run.stderr
