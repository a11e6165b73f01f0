import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.errors import UserError
from search.parallel import Workers, evaluate
from search.store import Store, key_of
from search.task import Outcome, Task


def square(number: int) -> Outcome:
    time.sleep(0.01 * (5 - number))
    return Outcome({"square": number * number, "process": os.getpid()}, bytes([number]))


def fails(number: int) -> Outcome:
    if number == 3:
        raise UserError("number: must not be 3")
    return square(number)


def node(number: int) -> Outcome:
    import ray

    time.sleep(0.5)
    return Outcome({"number": number, "node": ray.get_runtime_context().get_node_id()})


def tasks(count: int, function=square) -> list[Task]:
    return [Task("square", function, {"number": number}) for number in range(count)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_outcomes_come_in_order_whatever_the_number_of_workers(tmp_path, jobs):
    store = Store(tmp_path / "store.sqlite")
    outcomes = evaluate(tasks(5), store, Workers(jobs))
    assert [outcome.values["square"] for outcome in outcomes] == [0, 1, 4, 9, 16]
    assert [outcome.data for outcome in outcomes] == [bytes([n]) for n in range(5)]
    assert store.count("square") == 5
    assert len({outcome.values["process"] for outcome in outcomes}) <= jobs


def test_what_is_stored_is_not_evaluated_again(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    first = evaluate(tasks(3), store)
    again = Store(tmp_path / "store.sqlite")
    assert evaluate(tasks(3, function=fails), again) == first
    assert evaluate(tasks(3), again)[1].values["square"] == 1


def test_a_failing_evaluation_loses_no_finished_one(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    with pytest.raises(UserError, match="must not be 3"):
        evaluate(tasks(5, function=fails), store)
    assert store.count("square") == 3


LONG = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from search.parallel import Task, Workers, evaluate
from search.store import Outcome, Store
from test_search_parallel import slow
evaluate(
    [Task("slow", slow, {{"number": n, "last": 3}}) for n in range(4)],
    Store(Path({path!r})), Workers(2))
"""


def slow(number: int, last: int) -> Outcome:
    if number >= 2:
        time.sleep(60)
    return Outcome({"number": number})


def test_kill_9_loses_only_what_was_in_flight(tmp_path):
    path = tmp_path / "store.sqlite"
    script = LONG.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not path.exists() or _count(path) < 2):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    store = Store(path)
    assert store.count("slow") == 2
    done = [Task("slow", slow, {"number": n, "last": 3}) for n in range(2)]
    assert [outcome.values for outcome in evaluate(done, store)] == [{"number": 0}, {"number": 1}]


def _count(path: Path) -> int:
    try:
        return Store(path).count("slow")
    except UserError:
        return 0


def test_a_ray_cluster_of_two_nodes_gives_the_same(tmp_path, monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    folder = str(Path(__file__).parent)
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": f"{Path.cwd()}:{folder}"}},
        )
        store = Store(tmp_path / "store.sqlite")
        given = [Task("node", node, {"number": number}) for number in range(6)]
        outcomes = evaluate(given, store, Workers(2, "ray"))
        assert [outcome.values["number"] for outcome in outcomes] == list(range(6))
        assert len({outcome.values["node"] for outcome in outcomes}) == 2
        assert store.count("node") == 6
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_no_cluster_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UserError, match="RAY_ADDRESS: must be a running cluster"):
        evaluate(tasks(1), Store(tmp_path / "store.sqlite"), Workers(1, "ray"))


def test_keys_tell_kinds_and_arguments_apart():
    keys = {key_of("a", {"x": 1}), key_of("b", {"x": 1}), key_of("a", {"x": 2})}
    assert len(keys) == 3
    assert key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})
