"""Rules that a configuration and a search space share."""

import os

from kakure.model.datasets.table import DATASETS
from kakure.model.errors import FieldError
from kakure.model.shown import cut, shown

__all__ = ["check_file_name", "check_residual", "check_shape"]


def check_shape(dataset: str, input_shape: tuple[int, int, int] | None) -> None:
    """See that the images have a size, and one only.

    Raises
    ------
    ValueError
        If they have none, two, or one out of range.
    """
    if dataset not in DATASETS and input_shape is None:
        raise FieldError(
            "input_shape",
            f"is required where dataset is not one of {', '.join(DATASETS)}, but {shown(dataset)}",
        )
    if dataset in DATASETS and input_shape is not None:
        raise FieldError("input_shape", f"must be left out with dataset {dataset}")
    if input_shape is not None and not all(1 <= n <= 1024 for n in input_shape):
        raise FieldError(
            "input_shape", f"must be 1 to 1024 in each part, not {cut(str(input_shape))}"
        )


LONGEST_NAME = 255
"""Longest name of a file or folder on Linux [byte]."""


def check_file_name(field: str, text: str | None) -> None:
    """See that a path of the user can be the path of a file, whether or not that is there.

    Raises
    ------
    ValueError
        If it holds what no path may hold, or a part that is too long; the message begins with
        ``field``.
    """
    if text is None:
        return
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise FieldError(field, f"must be a path that a file can have, not {shown(text)}")
    longest = max(encoded.split(b"/"), key=len)
    if len(longest) > LONGEST_NAME:
        raise FieldError(
            field, f"must have names of at most {LONGEST_NAME} bytes, not {len(longest)}"
        )


def check_residual(
    kind: str, kernel: int | None, padding: int | None, pool: int, stride: int = 1
) -> None:
    """See that a layer may have a shortcut around it: its output has the size of its input.

    Raises
    ------
    ValueError
        If it may not.
    """
    if kind != "conv" or kernel is None:
        raise FieldError("residual", "must be false in a linear layer")
    if pool != 1:
        raise FieldError("pool", f"must be 1 with residual, not {pool}")
    if stride != 1:
        raise FieldError("stride", f"must be 1 with residual, not {stride}")
    if not kernel % 2:
        raise FieldError("kernel", f"must be odd with residual, not {kernel}")
    half = kernel // 2
    if padding not in (None, half):
        raise FieldError("padding", f"must be {half} with residual, not {padding}")
