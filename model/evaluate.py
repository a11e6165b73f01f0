"""Accuracy of the integer model, which is what the hardware computes."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import open_line, seal_line
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.network import classify, network

__all__ = ["EVALUATED", "Score", "evaluate", "read_score", "write_score"]

EVALUATED = Path("build") / "evaluated"
"""The latest evaluation of each configuration on its test images, for its report."""

MOST_SHOWN = 20
"""Classes of a confusion matrix that is printed whole."""


@dataclass(frozen=True)
class Score:
    """How images are classified.

    Attributes
    ----------
    confusion : int64 array, (classes, classes)
        How many images of a label (row) got an answer (column).
    """

    confusion: NDArray[np.int64]

    @property
    def correct(self) -> int:
        """Images that are classified right."""
        return int(self.confusion.trace())

    @property
    def count(self) -> int:
        """All images."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of the images that is classified right."""
        return self.correct / self.count

    @property
    def per_class(self) -> list[float | None]:
        """Fraction of each label's images that is classified right; None where it has none."""
        counts = self.confusion.sum(1)
        return [
            int(right) / int(count) if count else None
            for right, count in zip(self.confusion.diagonal(), counts, strict=True)
        ]

    @property
    def mistaken(self) -> list[tuple[int, int, int]]:
        """Label, answer and number of what is confused, the most frequent first."""
        wrong = self.confusion - np.diag(self.confusion.diagonal())
        pairs = [(int(a), int(b), int(wrong[a, b])) for a, b in np.argwhere(wrong)]
        return sorted(pairs, key=lambda pair: (-pair[2], pair))

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        return {
            "correct": self.correct,
            "count": self.count,
            "accuracy": self.accuracy,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
        }

    def table(self) -> str:
        """The confusion matrix and the accuracy of each class; of many classes, the worst pairs."""
        classes = range(len(self.confusion))
        shares = ["" if share is None else f"{share:.4f}" for share in self.per_class]
        if len(classes) > MOST_SHOWN:
            rows = [["class", "images", "right"]]
            rows += [[str(n), str(self.confusion[n].sum()), shares[n]] for n in classes]
        else:
            rows = [["class", *map(str, classes), "right"]]
            rows += [
                [str(n), *(str(m) if m else "." for m in self.confusion[n]), shares[n]]
                for n in classes
            ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        if len(classes) > MOST_SHOWN:
            pairs = [f"{a} taken for {b}: {n}" for a, b, n in self.mistaken[:10]]
            return "\n".join([*lines, "most often confused:", *pairs])
        return "\n".join(["rows are labels, columns answers:", *lines])


def evaluate(
    config: Config,
    parameters: Parameters,
    data: LabelledImages,
    *,
    chunk: int = 500,
    progress: bool = False,
) -> Score:
    """Classify ``data`` by the packed integer model, ``chunk`` images at a time.

    The logits of the first image must be those of :func:`.network`: a compiler may be wrong.

    Raises
    ------
    RuntimeError
        If they are others.
    """
    classes = config.geometry[-1].outputs
    confusion = np.zeros((classes, classes), np.int64)
    packed = PackedNetwork(config, parameters)
    first = data.images[:1]
    if any(packed.packed) and (packed(first) != network(config, parameters, first)).any():
        raise RuntimeError("the packed kernel and the reference give an image other logits")
    starts = range(0, len(data), chunk)
    for start in tqdm(starts, desc="evaluate", unit=f"x{chunk}", disable=not progress, leave=False):
        part = data.take(np.arange(start, min(start + chunk, len(data))))
        np.add.at(confusion, (part.labels, classify(packed(part.images))), 1)
    return Score(confusion)


def write_score(score: Score, config: Config, parameters: Parameters) -> Path:
    """Keep the score of the test images for the report; raises OSError if it cannot be written."""
    path = _path(config)
    record = {"parameters": parameters.digest, **score.facts()}
    write_atomically(path, (seal_line(json.dumps(record)) + "\n").encode())
    return path


def read_score(config: Config, parameters: Parameters) -> Score | None:
    """The kept score of just these parameters; None where there is none, or it is damaged.

    What is damaged is named on stderr.
    """
    path = _path(config)
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    text = open_line(kept.decode(errors="replace").removesuffix("\n"))
    if text is None:
        print(
            f"{path}: is damaged, and not used; kakure evaluate makes it anew",
            file=sys.stderr,
            flush=True,
        )
        return None
    record = json.loads(text)
    confusion = np.array(record["confusion"], np.int64)
    classes = config.geometry[-1].outputs
    is_same = record["parameters"] == parameters.digest and len(confusion) == classes
    return Score(confusion) if is_same else None


def _path(config: Config) -> Path:
    return EVALUATED / f"{config.digest[:16]}.json"
