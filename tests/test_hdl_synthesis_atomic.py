"""A file is whole or not there, and a killed writer leaves nothing for long."""

import subprocess
import sys
from pathlib import Path

from hdl.synthesis.atomic import write_atomically

ROOT = Path(__file__).resolve().parent.parent
WRITE = """
import os, signal, sys
from pathlib import Path
from hdl.synthesis.atomic import write_atomically
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
