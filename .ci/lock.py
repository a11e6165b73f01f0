"""Writes requirements.txt: every version that pyproject.toml asks for, with all below it.

``python .ci/lock.py native`` prints what the extra ``native`` asks for instead.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Every package of .venv, pinned. Written by `make lock` from pyproject.toml; do not edit.
# torch: any build of this version will do. Where pip finds the CUDA build, it adds the NVIDIA
# packages that build pins; point PIP_EXTRA_INDEX_URL at PyTorch's CPU index to do without.
"""


def freeze(direct: list[str]) -> list[str]:
    """Install ``direct`` in an empty venv; the pins of everything that came with it, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "-qq", "install", *direct], check=True)
        shown = subprocess.run(
            [*pip, "list", "--format=freeze"],
            check=True,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    pins = [line.partition("+")[0] for line in shown.stdout.split()]  # torch's build is left open
    skipped = re.compile(r"(pip|nvidia-.*|cuda-.*|triton)==")
    return sorted((pin for pin in pins if not skipped.match(pin)), key=str.lower)


def main() -> None:
    """Write the lock, or print an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if sys.argv[1:]:
        print(*project["project"]["optional-dependencies"][sys.argv[1]])
        return
    if sys.version_info[:2] != (3, 11):  # newer Pythons get packages that 3.11 cannot run
        sys.exit("make lock needs Python 3.11, the oldest supported: make lock PYTHON=python3.11")
    direct = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    (ROOT / "requirements.txt").write_text(
        HEADER + "\n".join(freeze(direct)) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
