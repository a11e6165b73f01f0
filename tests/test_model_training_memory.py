"""What a process frees stays with it, and PyTorch's threads sleep."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from kakure.model.training.memory import keep_memory
kept = keep_memory() if sys.argv[1] == "keep" else False
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(int(kept), faults())
"""

POLICY = """
import os, sys
from kakure.search.commands import start
import kakure.search.commands.kakure as kakure
kakure.main = lambda argv: print(os.environ["OMP_WAIT_POLICY"], "torch" in sys.modules)
start.start()
"""


def output(text, *args, **env):
    command = [sys.executable, "-c", text, *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=env)
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_memory_that_was_freed_is_not_taken_from_the_system_again():
    kept, faults = map(int, output(FAULTS, "keep"))
    if not kept:
        pytest.skip("the C library is not glibc's")
    _, before = map(int, output(FAULTS, "give"))
    assert faults < 100 < before


def test_threads_sleep_unless_the_user_says_otherwise():
    assert output(POLICY) == ["passive", "False"]
    assert output(POLICY, OMP_WAIT_POLICY="active") == ["active", "False"]
