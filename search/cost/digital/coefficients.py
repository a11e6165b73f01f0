"""The fitted coefficients as data: reading them, and the areas and ranges they give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.nets import MACRO_DEPTH
from kakure.model.errors import UserError

from .fit import block_area
from .library import BLOCKS
from .period import KINDS
from .tree import Part

__all__ = ["COEFFICIENTS", "Coefficients"]

COEFFICIENTS = Path(__file__).with_name("coefficients.json")
FEW = 3
"""Held-out points below which a block's error is taken from the fitted ones too."""


@dataclass(frozen=True)
class Coefficients:
    """What ``coefficients.json`` holds."""

    data: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path = COEFFICIENTS) -> "Coefficients":
        """Read the file.

        Raises
        ------
        UserError
            If it cannot be read or lacks a block.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            reason = error.strerror
            raise UserError(f"cannot be read: {reason}; run kakure calibrate", file=path) from None
        except ValueError as error:
            raise UserError(f"not valid JSON: {error}; run kakure calibrate", file=path) from None
        return cls.of(data, str(path))

    @classmethod
    def of(cls, data: Mapping[str, Any], source: str = "coefficients") -> "Coefficients":
        """Take what a fit gave.

        Raises
        ------
        UserError
            If it lacks a block; the line begins with ``source``.
        """
        missing = sorted(set(BLOCKS) - set(data.get("blocks", {})))
        if missing or "kinds" not in data.get("period", {}):
            lacking = missing[0] if missing else "period.kinds"
            raise UserError(f"lacks {lacking}; run kakure calibrate", file=source)
        return cls(data)

    @property
    def blocks(self) -> Mapping[str, Any]:
        """Coefficients, ranges and errors by kind of block."""
        return self.data["blocks"]

    @property
    def period(self) -> Mapping[str, Any]:
        """Coefficients of the critical paths."""
        return self.data["period"]

    def area_um2(self, part: Part) -> NDArray[np.float64]:
        """Area of all blocks of a part, for each of its layers [µm²]."""
        factor = self.data.get("factors", {}).get(part.kind, 1.0)
        return factor * part.count * block_area(part.shape, self.blocks)

    @cached_property
    def errors(self) -> dict[str, float]:
        """Relative error to be expected of a block: the mean of its held-out points."""
        result = {}
        for kind, block in self.blocks.items():
            held, fitted = block["held_out"], block["fitted"]
            few = held["points"] < FEW
            result[kind] = max(held["mean"], fitted["mean"]) if few else held["mean"]
        return result

    @cached_property
    def beyond(self) -> dict[str, float]:
        """Relative error to be expected of a block outside its range, if not far outside.

        The mean where the ends of its range were left out of the fit, and no less than inside.
        """
        return {
            kind: max(self.errors[kind], float(block["beyond"]["mean"]))
            for kind, block in self.blocks.items()
        }

    @cached_property
    def beyond_worst(self) -> dict[str, float]:
        """The worst where the ends of a block's range were left out of the fit."""
        return {
            kind: max(
                self.beyond[kind], *(float(block[name]["max"]) for name in ("beyond", "held_out"))
            )
            for kind, block in self.blocks.items()
        }

    @cached_property
    def period_errors(self) -> NDArray[np.float64]:
        """Mean and worst relative error of the period by what sets it, shape (2, KINDS)."""
        kinds = [self.period["kinds"][name] for name in KINDS]
        return np.array([[float(kind[key]) for kind in kinds] for key in ("mean", "max")])

    @property
    def accelerator_error(self) -> float:
        """Relative error to be expected of the area of a whole accelerator."""
        return float(self.data["designs"]["accelerator"]["held_out"]["mean"])

    @property
    def accelerator_worst(self) -> float:
        """The worst of the whole accelerators that were held out."""
        return float(self.data["designs"]["accelerator"]["held_out"]["max"])

    @property
    def turn_errors(self) -> tuple[float, float]:
        """Mean and worst relative error of the area of temporal accelerators held out."""
        found = self.data["designs"]["temporal_accelerator"]["held_out"]
        return float(found["mean"]), float(found["max"])

    def outside(
        self, part: Part, *, repeated: bool = False
    ) -> tuple[NDArray[np.bool_], list[tuple[int, str]]]:
        """Which layers of a part lie outside the fitted range, and every such parameter.

        Parameters
        ----------
        part : Part
        repeated : bool
            Look at the parameters that count equal, independent parts instead of the others: more
            of them than were measured are taken for known, and said.

        Returns
        -------
        outside : bool array, like ``part.where``
        found : list of (place in ``part.where``, line)
            The first layer of each parameter that is outside.
        """
        wrong = np.zeros(len(part.where), bool)
        found = []
        shape = part.shape
        present = part.count > 0
        if isinstance(shape, RamShape):  # macros have their own formula
            present = present & (shape.depth < MACRO_DEPTH)
        for name in shape.parameters:
            if (name in shape.repeated) != repeated:
                continue
            low, high = self.blocks[part.kind]["ranges"][name]
            values = np.broadcast_to(getattr(shape, name), present.shape)
            here = present & (((values < low) & (not repeated)) | (values > high))
            if here.any():
                place = int(np.flatnonzero(here)[0])
                line = (
                    f"{part.kind}.{name} must be {low:g} to {high:g}, the range that the digital "
                )
                line += f"model is fitted to, not {values[place]}"
                if repeated:
                    line = f"{part.kind}.{name} is {values[place]}, more than the {high:g} measured"
                found.append((place, line))
            wrong |= here
        return wrong, found
