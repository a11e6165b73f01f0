"""Files are written whole or not at all, and what cannot be written is known before the work."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable, write_atomically

ROOT = Path(__file__).resolve().parent.parent


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "a"
    write_atomically(path, b"1")
    write_atomically(path, b"23")
    assert path.read_bytes() == b"23"
    assert [p.name for p in path.parent.iterdir()] == ["a"]


def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("x" * 255)
    check_writable(path, "--output")
    write_atomically(path, b"1")
    assert path.read_bytes() == b"1"


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    code = "import sys; from pathlib import Path\n"
    code += "from kakure.model.files.atomic import write_atomically\n"
    code += "write_atomically(Path(sys.argv[1]), b'x' * 100_000)"
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OSError: [Errno 27] File too large" in run.stderr
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none/a", "must be a file in an existing, writable folder: No such file or directory"),
        ("file/a", "must be a file in an existing, writable folder: Not a directory"),
        ("folder", "must be a file in an existing, writable folder, not a folder"),
        ("pipe", "must be a file in an existing, writable folder, not a device"),
        ("loop", "must be a file in an existing, writable folder: Too many levels of symbolic"),
        ("x" * 256, "must be a file in an existing, writable folder: File name too long"),
        ("a\0b", "must be the name of a file: embedded null byte"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(UserError) as error:
        check_writable(tmp_path / name, "parameters")
    assert str(error.value).startswith(f"{tmp_path / name}: parameters: {reason}")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_device_is_not_replaced():
    with pytest.raises(UserError, match="not a device"):
        check_writable(Path("/dev/null"), "--output")


def test_checking_changes_nothing(tmp_path):
    path = tmp_path / "a"
    check_writable(path, "--output")
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    check_writable(path, "--output")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


WRITE = """
import os, signal, sys
from pathlib import Path
from kakure.model.files.atomic import write_atomically
rename = Path.replace
def replace(*arguments):
    {before}
    return rename(*arguments)
Path.replace = replace
write_atomically(Path(sys.argv[1]), b"of another")
"""


def writer(path: Path, before: str) -> subprocess.Popen[str]:
    """A process that does something between writing and renaming."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITE.format(before=before), str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "file"
    writer(path, "os.kill(os.getpid(), signal.SIGKILL)").communicate()
    assert len(list(tmp_path.iterdir())) == 1 and not path.exists()
    write_atomically(path, b"whole")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"whole"


def test_what_a_living_writer_writes_is_left_alone(tmp_path):
    path = tmp_path / "file"
    other = writer(path, "print('written', flush=True); sys.stdin.readline()")
    assert other.stdout is not None and other.stdout.readline() == "written\n"
    write_atomically(path, b"whole")
    assert path.read_bytes() == b"whole"
    other.communicate("go on\n")
    assert other.returncode == 0
    assert path.read_bytes() == b"of another"
    assert list(tmp_path.iterdir()) == [path]
