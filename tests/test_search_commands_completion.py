"""Completion of the one command, asked for as a shell does."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kakure.search.commands.kakure import main
from kakure.search.commands.verbs import INDEX
from kakure.search.studies.index import STUDY

PRESS_TAB = r"""
source "$1"
shift
cd "$1"
shift
[[ $(complete -p kakure) =~ -F\ ([^ ]+) ]]
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
"${BASH_REMATCH[1]}" kakure "${@: -1}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
"""
"""Bash's own protocol: the function that is registered is asked for the last word."""


def script(shell: str, path: Path, capsys) -> Path:
    assert main(["completion", shell]) == 0
    path.write_text(capsys.readouterr().out)
    return path


@pytest.fixture
def tab(tmp_path, capsys):
    """What bash offers for the last word of a command line."""
    made = script("bash", tmp_path / "kakure.bash", capsys)
    folder = tmp_path / "here"
    (folder / "nets").mkdir(parents=True)
    (folder / "mine.json").touch()

    def ask(line: str) -> set[str]:
        command = ["bash", "--norc", "-c", PRESS_TAB, "bash", made, folder, *line.split(" ")]
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (run.returncode, run.stderr) == (0, "")
        return set(run.stdout.split())

    return ask


def test_bash_completes_verbs_options_choices_and_files(tab):
    names = {verb.name for verb in INDEX.verbs}
    assert {"gen", "train", "completion"} <= names and tab("kakure ") == names
    assert tab("kakure tr") == {"train"}
    assert tab("kakure study ") == {verb.name for verb in STUDY.verbs}
    assert tab("kakure train --e") == {"--epochs"}
    assert {"--rounds", "--jobs", "--store"} <= tab("kakure search --")
    assert tab("kakure search --model ") == {"digital", "analog"}
    assert tab("kakure preset sa") == {"sar"}
    assert tab("kakure gen mi") == {"mine.json"}
    assert tab("kakure train mine.json --output mi") == {"mine.json"}
    assert tab("kakure study headline --space n") == {"nets"}
    assert tab("kakure search mine.json --output ") == {"nets"}
    assert tab("kakure sim mine.json --seed ") == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_verb_with_its_options(shell, tmp_path, capsys):
    made = script(shell, tmp_path / "script", capsys)
    text = made.read_text()
    for verb in (*INDEX.verbs, *STUDY.verbs):
        assert re.search(rf"(?<![\w-]){verb.name}(?![\w-])", text), verb.name
    for flag in ("no-synth", "learning-rate", "synthesized", "fit-only"):
        assert re.search(rf"(--|-l ){flag}\b", text), flag
    if program := shutil.which(shell):
        run = subprocess.run(
            [program, "-n", made], env=os.environ, capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, "")


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["completion", "sh"])
    assert stop.value.code == 2
    assert "choose from 'bash', 'zsh', 'fish'" in capsys.readouterr().err
