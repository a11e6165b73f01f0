"""Energy of a layer in closed form: fitted energies of a cell's work, times how much it works."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .energy_terms import RoleCells, role_cells, terms_of, works
from .tree import Part
from .turns import turn_works

__all__ = ["ENERGY", "EnergyModel", "dynamic_pj", "leakage_uw", "shared_works"]

Floats = NDArray[np.float64]

ENERGY = Path(__file__).with_name("energy.json")
OTHER_SIGNS = {"pe_xorshift16": "pe_xorshift32", "xorshift16": "xorshift32"}
"""Roles that are not measured, and those that stand for them."""


def quantity(cells: RoleCells, name: str) -> Floats:
    """How much there is of what a term names."""
    return getattr(cells, name)


def dynamic_pj(
    role: str, cells: RoleCells, done: Mapping[str, Floats], data: Mapping[str, Any]
) -> Floats:
    """Energy per image of one role in each layer, without leakage [pJ]."""
    fitted = data["roles"].get(role) or data["roles"][OTHER_SIGNS[role]]
    clocked = data["gate_clock_fj"] * cells.gates + data["flop_clock_fj"] * cells.free
    total = clocked / 1000 * done["cycles"]
    for part, pairs in terms_of(role).items():
        for name, work in pairs:
            coefficient = fitted[part][f"{name}*{work}"]
            if coefficient:
                total = total + coefficient / 1000 * quantity(cells, name) * done[work]
    return total


def leakage_uw(role: str, cells: RoleCells, data: Mapping[str, Any]) -> Floats:
    """Leakage of one role in each layer [µW]."""
    fitted = data["roles"].get(role) or data["roles"][OTHER_SIGNS[role]]
    nanowatt = (
        data["flop_leakage_nw"] * cells.flops
        + data["gate_leakage_nw"] * cells.gates
        + fitted["leakage_nw_per_um2"] * cells.logic
    )
    return nanowatt / 1000 + cells.macro_leakage


def shared_works(config: Config, cycles: float) -> dict[str, Floats]:
    """As :func:`.works`, for what an accelerator has once."""
    architecture = architecture_of(config)
    if isinstance(architecture, Temporal):
        return turn_works(architecture, cycles)
    height, width, _ = config.shape
    return {"cycles": np.array([cycles]), "pixels": np.array([float(height * width)])}


@dataclass(frozen=True)
class EnergyModel:
    """What ``energy.json`` holds, applied.

    Attributes
    ----------
    data : mapping
        The fit.
    blocks : mapping
        Fitted areas of the area model, by block.
    """

    data: Mapping[str, Any]
    blocks: Mapping[str, Any]

    @classmethod
    def read(cls, blocks: Mapping[str, Any], path: Path | None = None) -> "EnergyModel | None":
        """Read the fit, by default the one beside this file; None where there is none.

        Raises
        ------
        UserError
            If the file is not a fit.
        """
        path = path or ENERGY
        if not path.exists():
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            assert "roles" in data
        except (OSError, ValueError, AssertionError):
            raise UserError(
                "is no energy fit; run kakure study energy --fit-only",
                file=path,
            ) from None
        return cls(data, blocks)

    @property
    def layer_error(self) -> float:
        """Relative error to be expected of a layer: the mean of the held-out ones."""
        return float(self.data["errors"]["layer"]["held_out"]["mean"])

    @property
    def accelerator_error(self) -> float:
        """Relative error to be expected of a whole accelerator."""
        return float(self.data["errors"]["accelerator"]["held_out"]["mean"])

    @property
    def accelerator_worst(self) -> float:
        """The worst of the whole accelerators that were held out."""
        return float(self.data["errors"]["accelerator"]["held_out"]["max"])

    def layers_pj(
        self,
        layers: LayerShape,
        parts: Iterable[Part],
        cycles: Floats,
        period_ns: Floats | float,
    ) -> Floats:
        """Energy of each layer for an image every ``cycles``, leakage included [pJ]."""
        done = works(layers, cycles)
        found = role_cells(parts, len(layers), self.blocks)
        return self._sum(found, done, cycles * period_ns)

    def shared_pj(
        self, config: Config, parts: Iterable[Part], cycles: float, period_ns: float
    ) -> float:
        """Energy per image of what an accelerator has once, leakage included [pJ]."""
        found = role_cells(parts, 1, self.blocks)
        done = shared_works(config, cycles)
        return float(self._sum(found, done, np.array([cycles * period_ns]))[0])

    @property
    def turn_errors(self) -> tuple[float, float]:
        """Mean and worst relative error of temporal accelerators that were held out."""
        found = self.data["errors"]["accelerator"]["temporal_held_out"]
        return float(found["mean"]), float(found["max"])

    def pj_of(
        self,
        parts: Iterable[Part],
        size: int,
        done: Mapping[str, Floats],
        period_ns: Floats | float,
    ) -> Floats:
        """Energy of what is done in ``done["cycles"]`` cycles, leakage included [pJ].

        ``parts`` are of ``size`` accelerators: one for each work, or one for all of them.
        """
        return self._sum(role_cells(parts, size, self.blocks), done, done["cycles"] * period_ns)

    def _sum(
        self, found: Mapping[str, RoleCells], done: Mapping[str, Floats], time_ns: Floats
    ) -> Floats:
        total = np.zeros(len(time_ns))
        for role, cells in found.items():
            total += dynamic_pj(role, cells, done, self.data)
            total += leakage_uw(role, cells, self.data) * time_ns / 1000
        return total
