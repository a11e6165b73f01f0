"""Ctrl-C at any moment of a command line: exit code 130, one line, and it is never lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_search_commands_kakure import KAKURE

ROOT = Path(__file__).resolve().parent.parent


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def started(folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def ended(run: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Interrupt the whole group, as a terminal does; the exit code and what was said at last."""
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert "Traceback" not in err and "Exception ignored" not in err
    return run.returncode, err.replace("\r", "\n").splitlines()


def armed(folder: Path, verb: tuple[str, ...]) -> subprocess.Popen[str]:
    """A command that has loaded what keeps it from dying of an interrupt, and nothing else yet."""
    run = started(folder, "-X", "importtime", *KAKURE[1:], *verb)
    assert run.stderr is not None
    while line := run.stderr.readline():
        if line.rstrip().endswith(" kakure.model.commands.interrupt"):
            break
    return run


QUICK = ("check", "evaluate")
"""Verbs that may be done within a second, so that an interrupt comes too late."""


@pytest.mark.parametrize(
    "verb",
    [
        ("train", "digits.json", "--epochs", "9999"),
        ("evaluate", "digits.json"),
        ("synth", "digits.json"),
        ("gen", "digits.json"),
        ("check", "digits.json"),
        ("study", "headline"),
        ("search", "search-digits.json", "--rounds", "0"),
    ],
    ids=lambda verb: verb[0],
)
def test_an_interrupt_while_a_command_is_loading(tmp_path, verb):
    for name in ("digits.json", "digits.safetensors", "search-digits.json"):
        shutil.copy(ROOT / "configs" / name, tmp_path)
    interrupted = 0
    for tenths in (0, 1, 2, 4, 8):
        run = armed(tmp_path, verb)
        time.sleep(0.3 + tenths / 10)  # what follows its import arms it
        if run.poll() is not None:
            run.communicate()
            break
        code, lines = ended(run)
        if code == 0 and verb[0] in QUICK and tenths > 2:  # all was done
            break
        assert code == 130 and lines[-1].startswith("interrupted"), (tenths, lines)
        interrupted += 1
    assert interrupted >= 2


SWALLOWS = """
import signal, sys, time
from kakure.model.commands.command import run_command

class Swallows:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def command():
    swallows = Swallows()
    del swallows
    print("went on", flush=True)
    time.sleep(30)

sys.exit(run_command(command))
"""


def said(folder: Path, code: str) -> tuple[int, str, str]:
    run = started(folder, "-c", code)
    out, err = run.communicate(timeout=60)
    return run.returncode, out, err


def test_an_interrupt_in_a_destructor_is_not_lost(tmp_path):
    begin = time.monotonic()
    code, out, err = said(tmp_path, SWALLOWS)
    assert (code, out, err) == (130, "went on\n", "interrupted\n")
    assert time.monotonic() - begin < 20


def test_an_interrupt_that_became_another_error(tmp_path):
    text = SWALLOWS.replace("    swallows = Swallows()\n    del swallows\n", "")
    for error in ("ImportError('half')", "UserError('yosys: failed')", "SystemExit(1)"):
        raised = f"""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        from kakure.model.errors import UserError
        raise {error} from None
"""
        code, _, err = said(tmp_path, text.replace('    print("went on", flush=True)\n', raised))
        assert (code, err) == (130, "interrupted\n"), error


def test_an_interrupt_inside_an_exec_gives_the_exit_code_too(tmp_path):
    text = SWALLOWS.replace("del swallows", "exec('import signal; signal.raise_signal(2)')")
    assert said(tmp_path, text.replace("Swallows()\n", "1\n"))[0] == 130


def test_an_interrupt_inside_an_import_ends_the_process_at_once(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import signal\ntry:\n    signal.raise_signal(2)\nexcept BaseException:\n    pass\n"
    )
    text = """
import sys
from kakure.model.commands.interrupt import arm
arm()
from kakure.model.commands.command import run_command

def command():
    sys.path.insert(0, ".")
    import slow
    print("went on")

sys.exit(run_command(command, interrupted="interrupted; what is done is kept"))
"""
    assert said(tmp_path, text) == (130, "", "interrupted; what is done is kept\n")


def test_an_interrupt_ends_the_line_of_a_progress_bar(tmp_path):
    bar = """
    from tqdm import tqdm
    bars.append(tqdm(total=3, desc="bar"))
    signal.raise_signal(2)
"""
    text = SWALLOWS.replace("    swallows = Swallows()\n    del swallows\n", bar)
    code, _, err = said(tmp_path, text.replace("\ndef", "\nbars = []\ndef"))
    assert code == 130 and err.splitlines()[-1] == "interrupted"


def test_ignored_interrupts_stay_ignored(tmp_path):
    text = "import signal\nsignal.signal(2, signal.SIG_IGN)\n"
    text += "from kakure.model.commands.interrupt import arm\narm()"
    text += SWALLOWS.replace("time.sleep(30)", "pass")
    assert said(tmp_path, text) == (0, "went on\n", "")


def test_what_others_raise_in_a_destructor_is_still_reported(tmp_path):
    text = SWALLOWS.replace("signal.raise_signal(signal.SIGINT)", "raise ValueError('mine')")
    code, out, err = said(tmp_path, text.replace("time.sleep(30)", "pass"))
    assert (code, out) == (0, "went on\n") and "ValueError: mine" in err
