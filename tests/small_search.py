"""A space so small that its trainings take seconds, and its search, for many tests."""

import json
from pathlib import Path
from typing import Any

from kakure.search.commands.kakure import main
from kakure.search.store.store import Store

__all__ = ["SPACE", "result", "run", "space", "stored"]

SPACE: dict[str, Any] = {
    "name": "tiny",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.5},
    "crossbar": {"rows": [32], "columns": [16]},
    "objective": "interval",
    "least_weights": 500,
    "effort": {
        "candidates": 2,
        "score_epochs": 1,
        "epochs": 3,
        "tuning_epochs": 1,
        "precisions": 5,
        "accuracy_loss": 0.1,
    },
    "layers": [
        {
            "kind": "conv",
            "kernel": 3,
            "pool": 2,
            "channels": [4, 8],
            "column_sharing": [2, 4],
            "adc_type": ["flash", "sar"],
            "adc_bits": [4, 3],
            "input_bits": [4, 3],
            "copies": [1, 2],
        },
        {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [4, 3]},
    ],
}


def space(folder: Path, **other: Any) -> Path:
    path = folder / "space.json"
    path.write_text(json.dumps(SPACE | other))
    return path


def run(folder: Path, path: Path, *args: str, rounds: int = 0) -> int:
    return main([
        "search",
        str(path),
        *("--rounds", str(rounds), "--jobs", "1"),
        *("--store", str(folder / "store.sqlite"), "--output", str(folder / "result")),
        *args,
    ])


def result(folder: Path) -> dict[str, Any]:
    """search.json without what may differ: the command."""
    record = json.loads((folder / "result" / "search.json").read_text())
    record.pop("command")
    return record


def stored(folder: Path) -> int:
    """Evaluations in the store."""
    path = folder / "store.sqlite"
    if not path.exists():
        return 0
    store = Store(path)
    count = store.total()
    store.close()
    return count
