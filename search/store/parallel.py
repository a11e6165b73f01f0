"""Evaluations side by side: processes of this machine, or a Ray cluster."""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import joblib
from tqdm import tqdm

from kakure.model.commands.lifetime import end_with
from kakure.model.errors import UserError

from .store import Store
from .task import Outcome, Task

__all__ = ["BACKENDS", "Backend", "Task", "Workers", "evaluate"]

Backend = Literal["local", "ray"]
BACKENDS: tuple[Backend, ...] = ("local", "ray")


@dataclass(frozen=True)
class Workers:
    """Where evaluations run.

    Attributes
    ----------
    jobs : int
        How many at once.
    backend : "local" or "ray"
        Processes of this machine; or a Ray cluster, the one of the environment variable
        ``RAY_ADDRESS`` or else one that is started on this machine. All its nodes must see this
        folder under the same path.
    """

    jobs: int = 1
    backend: Backend = "local"


def evaluate(
    tasks: Sequence[Task],
    store: Store,
    workers: Workers | None = None,
    *,
    progress: str | None = None,
) -> list[Outcome]:
    """Outcomes in the order of ``tasks``, whatever the number of workers.

    What the store knows is not evaluated again; what is finished is stored at once, so that a
    killed run loses what was in flight and nothing else.

    Parameters
    ----------
    progress : str, optional
        What a progress bar says; none is shown without.
    """
    workers = workers or Workers()
    found = [store.get(task.kind, task.decides) for task in tasks]
    missing = [index for index, outcome in enumerate(found) if outcome is None]
    with tqdm(
        total=len(tasks),
        initial=len(tasks) - len(missing),
        desc=progress,
        disable=progress is None,
        mininterval=0.2 if sys.stderr.isatty() else 10.0,
    ) as bar:
        for index, outcome in _finished(tasks, missing, workers):
            store.put(tasks[index].kind, tasks[index].decides, outcome)
            found[index] = outcome
            bar.update()
    return [outcome for outcome in found if outcome is not None]


Call = tuple[int, Task, str, dict[str, Any]]


def _finished(
    tasks: Sequence[Task], missing: Sequence[int], workers: Workers
) -> Iterator[tuple[int, Outcome]]:
    """Outcomes as they come."""
    here = str(Path.cwd())
    calls: list[Call] = [(n, tasks[n], here, tasks[n].decides) for n in missing]
    if not calls:
        return
    if workers.backend == "ray":
        with _ray_pool(min(workers.jobs, len(calls))) as pool:
            for one in pool.imap_unordered(_call, calls, chunksize=1):
                if isinstance(one, Exception):  # Ray gives what others raise, wrapped twice
                    cause = getattr(one, "underlying", one)
                    raise getattr(cause, "cause", None) or cause
                yield one
        return
    options: dict[str, Any] = {"return_as": "generator_unordered", "batch_size": 1}
    if workers.jobs > 1 and len(calls) > 1:  # killed, this process cannot end its workers
        options |= {"initializer": end_with, "initargs": (os.getpid(),)}
    parallel = joblib.Parallel(n_jobs=min(workers.jobs, len(calls)), **options)
    finished = parallel(joblib.delayed(_call)(call) for call in calls)
    yield from cast(Iterator[tuple[int, Outcome]], finished)


def _call(call: Call) -> tuple[int, Outcome]:
    """What runs in a worker."""
    index, task, folder, decides = call
    os.chdir(folder)
    if task.decides != decides:
        raise UserError(
            f"{task.kind}: sources and tools must stay the same while a search runs: "
            "run the same command again"
        )
    return index, task.function(**task.arguments)


@contextmanager
def _ray_pool(jobs: int) -> Iterator[Any]:
    """A pool of Ray actors, a whole core each; a cluster that was not there is taken down again.

    joblib's own backend for Ray is this pool too, but gives nothing before everything is finished,
    so that what is finished could not be stored at once.
    """
    import ray
    from ray.util.multiprocessing import Pool

    ours = not ray.is_initialized()
    if ours:
        address = os.environ.get("RAY_ADDRESS") or "local"  # without, Ray joins the last that ran
        _check_address(address)
        places = [str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        ray.init(
            address=address,
            runtime_env={"env_vars": variables},
            log_to_driver=False,
            include_dashboard=False,
            configure_logging=False,
        )
    try:
        with Pool(processes=jobs, ray_remote_args={"num_cpus": 1}) as pool:
            yield pool
    finally:
        if ours:
            ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse a cluster that does not answer: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return  # none, or a name that Ray resolves
    try:
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=10).close()
    except OSError as error:
        raise UserError(
            f"must be a running cluster, not {address!r}: {error}", where=("RAY_ADDRESS",)
        ) from None
