"""Layers of a batch by their size of array: what the closed forms need, and where they hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.search.cost.metrics import ADC_TYPES, ENGINES, LayerBatch
from kakure.search.cost.unfitted import Unfitted

from .circuit import Estimate
from .constants import Calibration
from .work import REFERENCE, LayerSize, Readout

__all__ = ["SIZES", "Group", "groups"]

SIZES = {"fan_in": (27, 4608), "outputs": (10, 512), "positions": (1, 1024), "copies": (1, 64)}
"""Layers on which the tile rules are checked: VGG16's, its linear layer included."""


@dataclass(frozen=True)
class Group:
    """Layers of a batch on arrays of one size.

    Attributes
    ----------
    rows : int array, (n,)
        Which layers of the batch.
    calibration : Calibration
        Of arrays of that size.
    readout : Readout
    size : LayerSize
    """

    rows: NDArray[np.intp]
    calibration: Calibration
    readout: Readout
    size: LayerSize

    def outside(self, batch: LayerBatch) -> tuple[NDArray[np.bool_], list[Unfitted]]:
        """Layers outside the fitted range, and an error for every parameter that is."""
        outside = np.zeros(len(self.rows), np.bool_)
        errors = []
        for name, (low, high) in (self.calibration.ranges | SIZES).items():
            values = getattr(self.readout if hasattr(self.readout, name) else self.size, name)
            wrong = (values < low) | (values > high)
            if wrong.any():
                place = int(np.flatnonzero(wrong)[0])
                side = self.calibration.circuit.kind.size
                errors.append(
                    Unfitted(
                        f"must be {low:g} to {high:g}, the range that the analog model of "
                        f"{side} x {side} arrays was fitted to",
                        where=("layers", int(self.rows[place]), name),
                        value=f"{values[place]:g}",
                        is_sentence=True,
                    )
                )
            outside |= wrong
        for name, values in (("residual", batch.residual), ("sum_pool", batch.summed)):
            unknown = values[self.rows] > 0
            if unknown.any():
                what = {"residual": "shortcuts", "sum_pool": "sums of maps"}[name]
                errors.append(
                    Unfitted(
                        f"must be false in the analog model, which knows no {what} and counts no "
                        "cost of them",
                        where=("layers", int(self.rows[int(np.argmax(unknown))]), name),
                        is_sentence=True,
                    )
                )
            outside |= unknown
        return outside, errors

    def estimate(self, first: Calibration) -> Estimate:
        """The closed forms; beyond the readouts of a small sweep, times the paper setting's trend.

        Parameters
        ----------
        first : Calibration
            The paper setting's.
        """
        circuit = self.calibration.circuit
        if self.calibration is first:
            return circuit.estimate(self.readout, self.size)
        names = ("column_sharing", "adc_bits", "input_bits")
        held = {
            name: np.clip(getattr(self.readout, name), *self.calibration.ranges[name])
            for name in names
        }
        inside = Readout(is_sar=self.readout.is_sar, **held)
        estimate = circuit.estimate(inside, self.size)
        if all((held[name] == getattr(self.readout, name)).all() for name in names):
            return estimate
        there, here = (first.circuit.estimate(r, REFERENCE).parts for r in (self.readout, inside))
        parts = {name: part * there[name] / here[name] for name, part in estimate.parts.items()}
        return Estimate(parts, estimate.plan)


def groups(batch: LayerBatch, by_size: Mapping[int, Calibration]) -> list[Group]:
    """The layers of a batch, by the side of their arrays.

    Raises
    ------
    UserError
        If a layer is no crossbar, or of a size without constants.
    """
    _check_engine(batch)
    readout = Readout(
        column_sharing=batch.column_sharing.astype(np.float64),
        is_sar=batch.adc_type == ADC_TYPES.index("sar"),
        adc_bits=batch.adc_bits.astype(np.float64),
        input_bits=batch.input_bits.astype(np.float64),
    )
    size = LayerSize(
        fan_in=batch.in_channels * batch.kernel_height * batch.kernel_width,
        outputs=batch.outputs,
        positions=batch.out_height * batch.out_width,
        copies=batch.copies,
    )
    found, left = [], np.ones(len(batch), np.bool_)
    for side, calibration in by_size.items():
        mine = (batch.rows == side) & (batch.columns == side)
        left &= ~mine
        if mine.any():
            rows = np.flatnonzero(mine)
            found.append(Group(rows, calibration, readout.take(rows), size.take(rows)))
    if left.any():
        row = int(np.flatnonzero(left)[0])
        known = " or ".join(f"{side} x {side}" for side in by_size)
        raise Unfitted(
            f"crossbar.rows x columns must be {known} in the analog model",
            value=f"{batch.rows[row]} x {batch.columns[row]}",
        )
    return found


def _check_engine(batch: LayerBatch) -> None:
    wrong = batch.engine != ENGINES.index("crossbar")
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise Unfitted(
            "must be crossbar in the analog model",
            where=("layers", row, "engine"),
            value=ENGINES[batch.engine[row]],
            is_sentence=True,
        )
