import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.model.commands.lifetime import tied
from kakure.model.errors import UserError
from kakure.search.store.parallel import Workers, _call, evaluate
from kakure.search.store.store import Store, key_of
from kakure.search.store.task import Outcome, Task


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
from kakure.search.store.parallel import Task, Workers, evaluate
from kakure.search.store.store import Outcome, Store
from test_search_store_parallel import slow
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


@pytest.mark.full
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
        with pytest.raises(UserError, match="number: must not be 3"):
            evaluate(tasks(5, function=fails), store, Workers(2, "ray"))
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_no_cluster_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UserError, match="RAY_ADDRESS: must be a running cluster"):
        evaluate(tasks(1), Store(tmp_path / "store.sqlite"), Workers(1, "ray"))


def test_a_cluster_that_was_not_named_is_not_joined(tmp_path, monkeypatch):
    import ray

    class Asked(Exception):
        pass

    def init(address=None, **_):
        raise Asked(address)

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(Asked, match=r"^local$"):  # None would be the last one on this machine
        evaluate(tasks(1), Store(tmp_path / "store.sqlite"), Workers(1, "ray"))


def test_keys_tell_kinds_and_arguments_apart():
    keys = {key_of("a", {"x": 1}), key_of("b", {"x": 1}), key_of("a", {"x": 2})}
    assert len(keys) == 3
    assert key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})


STARTS = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from kakure.search.store.parallel import Workers, evaluate
from kakure.search.store.store import Store
from kakure.search.store.task import Task
from test_search_store_parallel import says_who
tasks = [Task("who", says_who, {{"number": n, "folder": {folder!r}}}) for n in range(3)]
evaluate(tasks, Store(Path({folder!r}, "store.sqlite")), Workers(2, {backend!r}))
"""


def says_who(number: int, folder: str) -> Outcome:
    """Write down this process and one that it starts, and take as long as a training."""
    with subprocess.Popen(tied(["sleep", "300"])) as child:
        Path(folder, f"{number}.new").write_text(f"{os.getpid()} {child.pid}")
        Path(folder, f"{number}.new").rename(Path(folder, f"{number}.pids"))
        child.wait()
    return Outcome({})


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("backend", ["local", pytest.param("ray", marks=pytest.mark.full)])
def test_workers_and_what_they_started_end_with_a_killed_search(tmp_path, backend):
    tests = str(Path(__file__).parent)
    script = STARTS.format(tests=tests, folder=str(tmp_path), backend=backend)
    environment = os.environ | {"PYTHONPATH": f"{Path.cwd()}:{tests}"}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment)
    try:
        deadline = time.monotonic() + 120
        while len(found := list(tmp_path.glob("*.pids"))) < 2 and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.1)
        pids = [int(pid) for path in found for pid in path.read_text().split()]
        assert len(set(pids)) == 4 and all(map(is_running, pids))
        assert process.pid not in pids
    finally:
        process.kill()  # SIGKILL, to the search alone
        process.wait()
    deadline = time.monotonic() + 20
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def test_other_sources_are_another_evaluation(tmp_path, monkeypatch):
    store = Store(tmp_path / "store.sqlite")
    given = [Task("square", square, {"number": 2}, ("kakure.search.store.task",), ("numpy",))]
    evaluate(given, store)
    evaluate(given, store)
    assert store.count("square") == 1
    monkeypatch.setattr("kakure.search.store.task.sources", lambda *names: "others")
    evaluate(given, store)
    assert store.count("square") == 2
    monkeypatch.setattr("kakure.search.store.task.tools", lambda *names: {"numpy": "0"})
    evaluate(given, store)
    assert store.count("square") == 3


def test_a_worker_of_other_sources_is_refused(monkeypatch):
    task = Task("square", square, {"number": 2}, ("kakure.search.store.task",))
    call = (0, task, str(Path.cwd()), task.decides)
    assert _call(call)[1].values["square"] == 4
    monkeypatch.setattr("kakure.search.store.task.sources", lambda *names: "others")
    with pytest.raises(UserError, match="square: sources and tools must stay the same while"):
        _call(call)
