"""What a bench compared, counted where it compares, in a file that the caller can trust.

The benches that ``kakure gen`` writes carry a copy of this file, and of what it imports.
"""

import functools
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kakure.model.commands.lifetime import end_with_parent

__all__ = [
    "Outcome",
    "Tally",
    "digest_of",
    "progress",
    "read_outcome",
    "run_name",
]

Test = Callable[..., Coroutine[Any, None, None]]

INTERVAL = 0.5
"""Least time from one note of progress to the next [s]."""


@dataclass
class Outcome:
    """Counts of one run of a bench.

    Attributes
    ----------
    run : str
        Name that the caller gave the run: another run's outcome has another.
    seed : int
        Of pauses and corruptions, as the bench had it.
    vectors : str
        SHA-256 of the file of golden vectors that the bench read.
    declared : list of str
        Every test of the bench.
    tests : dict
        For each test that ended without a difference, what it compared, by kind, and ``runs``,
        how often it ended so.
    """

    run: str
    seed: int
    vectors: str
    declared: list[str] = field(default_factory=list)
    tests: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, what: str, test: str | None = None) -> int:
        """How much of a kind one test compared, or all of them."""
        chosen = self.tests.values() if test is None else [self.tests.get(test, {})]
        return sum(counts.get(what, 0) for counts in chosen)


class Tally:
    """The bench's side: wraps its tests, counts, and writes the outcome after every test.

    Parameters
    ----------
    given : mapping
        ``outcome``: path of the file; ``run``; ``seed``; ``vectors``: path. Without ``outcome``
        nothing is written.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        end_with_parent()
        self.path = Path(given["outcome"]) if "outcome" in given else None
        self.outcome = Outcome(
            run=given.get("run", ""),
            seed=given.get("seed", 0),
            vectors=digest_of(Path(given["vectors"])),
        )
        self.counts: Counter[str] = Counter()
        self.noted = 0.0

    def counted(self, test: Test) -> Test:
        """Decorate a test, below cocotb's decorators: what it compares is recorded if it passes."""
        name = getattr(test, "__name__", "?")
        self.outcome.declared.append(name)

        @functools.wraps(test)
        async def recorded(*args: Any, **kwargs: Any) -> None:
            self.counts.clear()
            await test(*args, **kwargs)
            self.counts["runs"] = 1
            total = Counter(self.outcome.tests.get(name, {})) + self.counts
            self.outcome.tests[name] = dict(total)
            self._write()

        return recorded

    def compared(self, **counts: int) -> None:
        """Add what was just compared and found equal."""
        self.counts.update(counts)

    def note(self, done: int, total: int, what: str) -> None:
        """Tell whoever waits how far a test is."""
        now = time.monotonic()
        if self.path is not None and now - self.noted >= INTERVAL:
            self.noted = now
            _replace(self.path.with_suffix(".progress"), f"{done} {total} {what}")

    def _write(self) -> None:
        if self.path is not None:
            _replace(self.path, json.dumps(asdict(self.outcome), indent=1, sort_keys=True) + "\n")


def read_outcome(
    path: Path, *, run: str, seed: int, vectors: Path, tests: int | None = None
) -> Outcome:
    """Read what a bench wrote, and see that it is whole and of this very run.

    Parameters
    ----------
    tests : int
        How many tests the simulator says have run, all without a failure; None if that is known
        to have been looked at.

    Raises
    ------
    ValueError
        If it is missing, damaged, of another run, or a test is missing.
    """
    try:
        outcome = Outcome(**json.loads(path.read_text(encoding="utf-8")))
        counted = outcome.count("runs")
    except FileNotFoundError:
        raise ValueError("the bench left no outcome: nothing was compared") from None
    except (OSError, ValueError, TypeError, AttributeError):
        raise ValueError(f"{path}: is no outcome of a bench") from None
    expected = {"run": run, "seed": seed, "vectors": digest_of(vectors)}
    for name, value in expected.items():
        if getattr(outcome, name) != value:
            raise ValueError(
                f"the outcome is of another run: {name} must be {value}, "
                f"not {getattr(outcome, name)}"
            )
    missing = [name for name in outcome.declared if not outcome.tests.get(name, {}).get("runs")]
    if missing or not outcome.declared:
        raise ValueError(f"did not run to its end: {', '.join(missing) or 'every test'}")
    if tests is not None and counted != tests:
        raise ValueError(f"{tests} tests ran, but {counted} say what they compared")
    return outcome


def progress(path: Path) -> tuple[int, int, str] | None:
    """How far the bench is whose outcome will be ``path``: (done, of how many, of what)."""
    try:
        done, total, what = (
            path.with_suffix(".progress").read_text(encoding="utf-8").split(maxsplit=2)
        )
        return int(done), int(total), what
    except (OSError, ValueError):
        return None


def run_name(work: Path) -> str:
    """Name of the run whose folder is ``work``."""
    return str(work.resolve())


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
