"""How commands end: exit codes, and one line for what is wrong."""

import argparse
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kakure.model.commands.command import (
    Parser,
    jobs,
    positive,
    run_command,
    seed,
    whole,
    write_file,
)
from kakure.model.errors import UserError

ROOT = Path(__file__).resolve().parent.parent


def fails(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("a.json: x: must be 1"), "a.json: x: must be 1"),
        (UserError("a\x1b[31m\r\n\u202eb"), r"a\x1b[31m\r\n\u202eb"),
        (UserError("a" * 9000), f"{'a' * 497} ... {'a' * 497}"),
        (FileNotFoundError(errno.ENOENT, "No such file", "b.json"), "b.json: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot write: No space left on device"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (MemoryError(), "not enough memory for this"),
    ],
)
def test_a_mistake_is_one_line_and_2(error, line, capsys):
    assert run_command(fails(error)) == 2
    assert capsys.readouterr() == ("", f"error: {line}\n")


def test_what_a_command_returns_is_the_exit_code(capsys):
    assert [run_command(lambda code=code: code) for code in (None, 0, 1)] == [0, 0, 1]
    assert run_command(fails(KeyboardInterrupt()), interrupted="stopped; go on") == 130
    assert capsys.readouterr() == ("", "stopped; go on\n")
    with pytest.raises(ZeroDivisionError):
        run_command(fails(ZeroDivisionError()))


def python(code: str, **options) -> subprocess.CompletedProcess[str]:
    text = "import sys\nfrom kakure.model.commands.command import run_command\n" + code
    environment = os.environ | options.pop("env", {})
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, text=True, check=False, **options
    )


def test_names_that_the_terminal_lacks_are_escaped():
    code = "sys.exit(run_command(lambda: print('größe − \\udcff')))"
    run = python(code, env={"PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "gr\\xf6\\xdfe \\u2212 \\udcff\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_standard_output(unbuffered):
    with Path("/dev/full").open("w") as full:
        run = python(
            "sys.exit(run_command(lambda: print('x')))",
            stdout=full,
            stderr=subprocess.PIPE,
            env={"PYTHONUNBUFFERED": unbuffered},
        )
    assert run.returncode == 2
    assert run.stderr == "error: cannot write: No space left on device\n"


def test_a_page_of_help_that_cannot_be_written():
    code = "from kakure.model.commands.command import Parser\n"
    code += "Parser(prog='x').parse_args(['--help'])"
    with Path("/dev/full").open("w") as full:
        run = python(code, stdout=full, stderr=subprocess.PIPE)
    assert (run.returncode, run.stderr) == (2, "error: cannot write: No space left on device\n")
    read, write = os.pipe()
    os.close(read)
    run = python(code, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")


def test_nobody_reads_the_output():
    read, write = os.pipe()
    os.close(read)
    code = "sys.exit(run_command(lambda: print('x' * 100000)))"
    run = python(code, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")


def test_a_command_line_that_is_wrong_is_one_line(capsys):
    top = Parser(prog="kakure x")
    commands = top.add_subparsers(required=True, metavar="command")
    commands.add_parser("run").add_argument("--jobs", type=jobs)
    wrong = {
        (): "the following arguments are required: command; see kakure x --help",
        ("go",): "argument command: invalid choice: 'go' (choose from 'run'); see kakure x",
        ("run", "--jobs=0"): "argument --jobs: must be a whole number of at least 1, not '0'; see "
        "kakure x run --help",
        ("run", "a\x1b\n" + "b" * 5000): "unrecognized arguments: a\\x1b\\nbbb",
        ("run", *["--z"] * 999): "unrecognized arguments: --z --z",
    }
    for given, line in wrong.items():
        with pytest.raises(SystemExit) as stop:
            top.parse_args(given)
        out, err = capsys.readouterr()
        assert (stop.value.code, out) == (2, "")
        assert err.startswith(f"error: {line}") and err.count("\n") == 1 and len(err) < 350


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "1e3", "1.0", "²", "٣", " 1", "9" * 5000])
def test_no_whole_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"^must be "):
        positive(text)


def test_whole_numbers_in_a_range():
    assert (positive("1"), positive("1000000000"), jobs("1024")) == (1, 10**9, 1024)
    assert positive("0" * 30 + "7") == 7
    assert (seed("0"), seed(str(2**63 - 1))) == (0, 2**63 - 1)
    for kind, text, line in (
        (jobs, "99999999999", "must be at most 1024, not '99999999999'"),
        (whole(2, 5), "1", "must be a whole number of at least 2, not '1'"),
        (whole(2, 5), "6", "must be at most 5, not '6'"),
        (positive, "9" * 23, f"must be at most 1000000000, not '{'9' * 23}'"),
        (positive, "9" * 5000, f"must be at most 1000000000, not '{'9' * 55}...'"),
        (positive, "0" * 5000, f"must be a whole number of at least 1, not '{'0' * 55}...'"),
        (seed, str(2**63), f"must be a whole number below 2^63, not '{2**63}'"),
    ):
        with pytest.raises(argparse.ArgumentTypeError) as error:
            kind(text)
        assert str(error.value) == line


def test_writing_goes_through_links_and_into_devices(tmp_path, capsys):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_file(link, "ü")
    assert link.is_symlink() and target.read_text(encoding="utf-8") == "ü"
    write_file(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(UserError, match="/dev/full: cannot be written: No space left on device"):
        write_file(Path("/dev/full"), "x")
    with pytest.raises(UserError, match="must be an existing folder"):
        write_file(tmp_path / "none" / "a", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "target"]
