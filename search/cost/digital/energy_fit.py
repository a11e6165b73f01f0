"""The energy fit: non-negative energies for every role, and how far off unseen designs are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.synthesis.energy_tables import clock_pulse_fj
from kakure.hdl.synthesis.liberty import library
from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .energy_measured import SHARED, EnergyPoint, Row
from .energy_model import EnergyModel, quantity, shared_works
from .energy_samples import (
    is_held_out,
    is_in_memory,
    is_large,
    is_summed,
    is_validation,
)
from .energy_terms import RoleCells, role_cells, terms_of, works
from .least_squares import non_negative
from .line_file import digest_of_lines
from .measured_tools import common_tools
from .tree import config_layers, layer_parts, shared_parts, takes_turns

__all__ = ["CLOCK_NS", "errors_of", "fit_energy"]

Floats = NDArray[np.float64]

CLOCK_NS = 2.5
"""Clock period at which leakage enters the errors that are told [ns]."""
SMALL = 0.01
"""Errors are weighed relative to a block's energy and this part of its layer's."""
ROUNDS = 5
"""Of the fit: from the second on errors are weighed relative to the estimate before, as errors
relative to what was measured pull the estimates of scattered points down."""
DIGITS = 6
MEMORY_ROLES = frozenset({"memory_tile", "ram_cells"})
"""Roles that samples with cells in memories are fitted for; of others they move nothing."""
SUMMED_ROLES = frozenset({"sum_pool"})
"""Roles that samples with a summed map are fitted for; of others they move nothing."""


@dataclass(frozen=True)
class _Place:
    """One role of one layer of a point: its cells as measured, its work, its energy."""

    row: Row
    cells: RoleCells
    done: dict[str, Floats]
    layer_pj: float


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _one(cells: RoleCells, index: int) -> RoleCells:
    return RoleCells(*(np.array([values[index]]) for values in vars(cells).values()))


def _places(point: EnergyPoint, blocks: Mapping[str, Any]) -> list[_Place]:
    """All that was measured of a point; areas as synthesis found them."""
    config = point.parsed
    layer_cells: dict[str, RoleCells] = {}
    layer_works: dict[str, Floats] = {}
    if not takes_turns(config):
        layers = config_layers(config)
        count = len(layers)
        layer_cells = role_cells(layer_parts(layers), count, blocks)
        layer_works = works(layers, np.full(count, point.cycles))
    once_cells = role_cells(shared_parts(config), 1, blocks)
    once_works = shared_works(config, point.cycles)
    totals: dict[int, float] = defaultdict(float)
    for row in point.rows:
        totals[row.layer] += row.switching_pj + row.clock_pj + row.memory_pj
    found = []
    for row in point.rows:
        if row.layer == SHARED:
            cells, done = once_cells[row.role], once_works
        else:
            cells = _one(layer_cells[row.role], row.layer)
            done = {name: values[[row.layer]] for name, values in layer_works.items()}
        cells.logic[:] = row.logic_um2
        found.append(_Place(row, cells, done, totals[row.layer]))
    return found


def _decides(point: EnergyPoint, role: str, plain_roles: Set[str]) -> bool:
    """Whether a role is fitted to a point.

    Temporal accelerators decide on roles of their own, those that are not among ``plain_roles``.
    """
    if takes_turns(point.parsed):
        return role not in plain_roles
    if is_in_memory(point.digest):
        return role in MEMORY_ROLES
    return role in SUMMED_ROLES or not is_summed(point.digest)


def _fit_role(role: str, places: Sequence[_Place], clock_fj: Mapping[str, float]) -> dict[str, Any]:
    fitted: dict[str, Any] = {}
    for part, pairs in terms_of(role).items():
        terms = np.array([
            [float((quantity(p.cells, name) * p.done[work])[0]) / 1000 for name, work in pairs]
            for p in places
        ])
        target = np.array([getattr(p.row, f"{part}_pj") for p in places])
        if part == "clock":
            target = target - np.array([_always_pj(p, clock_fj) for p in places])
        small = SMALL * np.array([p.layer_pj for p in places])
        scale = np.abs(target) + small
        solution = np.zeros(len(pairs))
        for _ in range(ROUNDS if len(pairs) else 0):
            solution = non_negative(terms, target, scale)
            scale = terms @ solution + small
        fitted[part] = {f"{n}*{w}": _short(c) for (n, w), c in zip(pairs, solution, strict=True)}
    logic = np.array([p.row.logic_um2 for p in places])
    flops, gates = library().cells["DFF_X1"].leakage, library().cells["CLKGATE_X1"].leakage
    leak = np.array([
        1000 * (p.row.leakage_uw - float(p.cells.macro_leakage[0]))
        - flops * p.row.flops
        - gates * p.row.gates
        for p in places
    ])
    some = logic > 0
    each = float(np.mean(leak[some] / logic[some])) if some.any() else 0.0
    return fitted | {"leakage_nw_per_um2": _short(max(each, 0.0)), "points": len(places)}


def _always_pj(place: _Place, clock_fj: Mapping[str, float]) -> float:
    """Energy of the clock at clock gates and at flip-flops that have none [pJ]."""
    cells = place.cells
    each = clock_fj["gate_clock_fj"] * cells.gates + clock_fj["flop_clock_fj"] * cells.free
    return float((each * place.done["cycles"])[0]) / 1000


def _all_pj(row: Row) -> float:
    return row.switching_pj + row.clock_pj + row.memory_pj


def errors_of(points: Sequence[EnergyPoint], model: EnergyModel) -> dict[str, Any]:
    """Relative errors of whole accelerators, and of their layers, by digest of the configuration.

    The estimate knows the configuration only; cycles are exact, leakage is at :data:`CLOCK_NS`.
    """
    whole: dict[str, float] = {}
    layers: dict[str, list[float]] = {}
    for point in points:
        config = point.parsed
        estimate, once = estimate_point(config, point.cycles, model)
        measured = np.zeros(len(estimate))
        total = 0.0
        for row in point.rows:
            value = _all_pj(row) + row.leakage_uw * point.cycles * CLOCK_NS / 1000
            total += value
            if row.layer != SHARED:
                measured[row.layer] += value
        whole[point.digest] = (float(estimate.sum()) + once) / total - 1
        layers[point.digest] = list(estimate / measured - 1)
    return {"accelerator": whole, "layer": layers}


def estimate_point(config: Config, cycles: float, model: EnergyModel) -> tuple[Floats, float]:
    """Energy per image of each layer, and of what there is once, by the model [pJ]."""
    energies = np.zeros(0)
    if not takes_turns(config):
        layers = config_layers(config)
        every = np.full(len(layers), cycles)
        energies = model.layers_pj(layers, layer_parts(layers), every, CLOCK_NS)
    return energies, model.shared_pj(config, shared_parts(config), cycles, CLOCK_NS)


def _summary(errors: Sequence[float]) -> dict[str, float | int]:
    size = np.abs(np.array(errors, np.float64))
    if not len(size):
        return {"points": 0, "mean": 0.0, "max": 0.0}
    return {"points": len(size), "mean": _short(size.mean()), "max": _short(size.max())}


def fit_energy(points: Sequence[EnergyPoint], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Fit all roles to the points that are not held out, and say how far off it is.

    Raises
    ------
    UserError
        If there are no points, or they are of different tools.
    """
    if not points:
        raise UserError("there are no energy points; run kakure study energy")
    tools = common_tools(point.tools for point in points)
    if tools is None:
        raise UserError("the energy points are of different tools: measure them again")
    seen = [point for point in points if not is_held_out(point.digest)]
    by_role: dict[str, list[_Place]] = defaultdict(list)
    plain_roles = {
        row.role for point in seen if not takes_turns(point.parsed) for row in point.rows
    }
    for point in seen:
        for place in _places(point, blocks):
            if _decides(point, place.row.role, plain_roles):
                by_role[place.row.role].append(place)
    clock_fj = {
        "gate_clock_fj": _short(clock_pulse_fj("CLKGATE_X1")),
        "flop_clock_fj": _short(clock_pulse_fj("DFF_X1")),
    }
    data: dict[str, Any] = {
        "measured": digest_of_lines(point.to_json() for point in points),
        "tools": tools,
        "clock_ns": CLOCK_NS,
        **clock_fj,
        "flop_leakage_nw": _short(library().cells["DFF_X1"].leakage),
        "gate_leakage_nw": _short(library().cells["CLKGATE_X1"].leakage),
        "roles": {role: _fit_role(role, by_role[role], clock_fj) for role in sorted(by_role)},
    }
    errors = errors_of(points, EnergyModel(data, blocks))
    turns = {point.digest for point in points if takes_turns(point.parsed)}
    summed = [digest for digest in errors["accelerator"] if is_summed(digest)]
    plain = [digest for digest in errors["accelerator"] if digest not in {*summed, *turns}]
    held = [digest for digest in plain if is_held_out(digest)]
    kept = [digest for digest in plain if not is_held_out(digest)]
    memory = [digest for digest in plain if is_in_memory(digest)]
    late = [digest for digest in held if is_validation(digest)]
    groups = {
        "fitted": kept,
        "held_out": held,
        "validation": late,
        "memory_fitted": [digest for digest in memory if not is_held_out(digest)],
        "memory_held_out": [digest for digest in memory if is_held_out(digest)],
        "summed": summed,
        "temporal_fitted": [digest for digest in turns if not is_held_out(digest)],
        "temporal_held_out": [digest for digest in turns if is_held_out(digest)],
        "temporal_large": [digest for digest in turns if is_large(digest)],
    }
    data["errors"] = {
        "accelerator": {
            name: _summary([errors["accelerator"][d] for d in group])
            for name, group in groups.items()
        },
        "layer": {
            name: _summary([e for d in group for e in errors["layer"][d]])
            for name, group in groups.items()
        },
    }
    return data
