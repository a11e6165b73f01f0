"""A plugin of pytest: what each test takes, and which functions with a probe it runs.

It is copied beside the tree of sources, and stands alone.
"""

import builtins
import json
import time

NOTED = "noted.json"
"""What it writes, at the root of the tests."""

noted = {}
begun: dict[str, float] = {}
running: set[str] = set()
setattr(builtins, "__note__", running.add)  # noqa: B010


def pytest_runtest_logstart(nodeid):
    """Begin to note, before a test's set-up."""
    running.clear()
    begun[nodeid] = time.perf_counter()


def pytest_runtest_logfinish(nodeid):
    """Keep what ran up to the test's end."""
    noted[nodeid] = (time.perf_counter() - begun[nodeid], sorted(running))


def pytest_sessionfinish(session):
    """Write down what was noted."""
    (session.config.rootpath / NOTED).write_text(json.dumps(noted), encoding="utf-8")
