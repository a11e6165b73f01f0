"""A plugin of pytest: what each test takes, and which functions with a probe it runs.

It is copied beside the tree of sources, and stands alone.
"""

import builtins
import json
import time

import pytest

NOTED = "noted.json"
"""What it writes, at the root of the tests."""

noted = {}
running: set[str] = set()
setattr(builtins, "__note__", running.add)  # noqa: B010


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Note what runs from a test's set-up to its end."""
    running.clear()
    begin = time.perf_counter()
    try:
        return (yield)
    finally:
        noted[item.nodeid] = (time.perf_counter() - begin, sorted(running))


def pytest_sessionfinish(session):
    """Write down what was noted."""
    (session.config.rootpath / NOTED).write_text(json.dumps(noted), encoding="utf-8")
