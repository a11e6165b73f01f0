"""How many images of each class a subset has."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError

__all__ = ["shares"]


def shares(labels: NDArray[np.integer], kept: int) -> dict[int, int]:
    """As many of each class as its share of all, ``kept`` together; classes in order.

    What rounding down leaves goes to the classes that lose most by it, of equals to the first.

    Raises
    ------
    UserError
        If ``kept`` is not 1 to the number of labels.
    """
    if not 1 <= kept <= len(labels):
        raise UserError(f"must be 1 to {len(labels)}", where=("kept",), value=kept)
    classes, counts = np.unique(labels, return_counts=True)
    whole, rest = np.divmod(counts * kept, len(labels))
    order = sorted(range(len(classes)), key=lambda n: (-rest[n], n))
    for n in order[: kept - int(whole.sum())]:
        whole[n] += 1
    return dict(zip(map(int, classes), map(int, whole), strict=True))
