"""Area, delay and energy of multipliers and multiply-adds: LAM beside exact ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from kakure.hdl.arithmetic.float_multiplier import FloatMultiplier
from kakure.hdl.arithmetic.float_multiply_add import FloatMultiplyAdd
from kakure.hdl.arithmetic.lam_multiplier import LamMultiplier
from kakure.hdl.emission.emit import emit
from kakure.hdl.synthesis.flow import synthesize
from kakure.hdl.synthesis.netlist_simulation import LANES, NetlistSimulation
from kakure.hdl.synthesis.power import measure_energy
from kakure.model.reference.floating_point.conversion import encode
from kakure.model.reference.floating_point.exact import multiply
from kakure.model.reference.floating_point.float_format import FORMATS, Codes
from kakure.model.reference.floating_point.lam import lam_multiply
from kakure.model.reference.floating_point.multiply_add import lam_multiply_add, multiply_add
from kakure.model.training.lam.lam import VARIANTS, Lam
from kakure.search.cost.digital.energy_run import mapped_design

__all__ = ["Measured", "Unit", "hardware_table", "measure", "units"]

OPERATIONS = 200
"""In each lane, one after another."""


@dataclass(frozen=True)
class Unit:
    """A component that is yet to be made, and what it computes of codes."""

    name: str
    make: Callable[[], wiring.Component]
    reference: Callable[..., Codes]


@dataclass(frozen=True)
class Measured:
    """What synthesis and simulation of the netlist say of a unit."""

    area_um2: float
    delay_ns: float
    energy_fj: float


def units(name: str, *, has_sum: bool) -> list[Unit]:
    """Exact without and with subnormals, then LAM: multipliers, or multiply-adds of a format.

    The adders of LAM's multiply-adds are without subnormals, as its products are.
    """
    fmt = FORMATS[name]
    widths = {"exponent_bits": fmt.exponent_bits, "fraction_bits": fmt.fraction_bits}
    found = []
    for has_subnormals in (False, True):
        kind: dict[str, Any] = {"has_subnormals": has_subnormals}
        make = partial(FloatMultiplyAdd if has_sum else FloatMultiplier, **widths, **kind)
        reference = partial(multiply_add if has_sum else multiply, fmt, **kind)
        label = "exact, subnormals" if has_subnormals else "exact"
        found.append(Unit(label, make, reference))
    for variant in VARIANTS:
        if variant == "table3" and fmt.fraction_bits < 3:
            continue
        lam = Lam.named(variant, fmt.fraction_bits)
        if variant == "constant" and not lam.compensation:  # the same as plain
            continue
        kind = {"compensation": lam.compensation, "table_bits": lam.table_bits}
        make = partial(LamMultiplier, **widths, **kind)
        reference = partial(lam_multiply, fmt, **kind)
        if has_sum:
            kind["has_subnormals"] = False
            make = partial(FloatMultiplyAdd, **widths, multiplier="lam", **kind)
            reference = partial(lam_multiply_add, fmt, **kind)
        found.append(Unit(f"LAM, {variant}", make, reference))
    return found


def measure(unit: Unit, fmt_name: str, *, operations: int = OPERATIONS) -> Measured:
    """Synthesize a unit, and pass normal numbers through its netlist, which must be right.

    Each operation has operands of its own; a net changes at most once in it.
    """
    component = unit.make()
    design = emit(component, "unit")
    report = synthesize(design, jobs=1, progress=False)
    names = [name for name in ("a", "b", "c") if hasattr(component, name)]
    shape = (len(names), operations, LANES)
    fmt = FORMATS[fmt_name]
    numbers = encode(fmt, np.random.default_rng(1).normal(size=shape), has_subnormals=False)
    sim = NetlistSimulation(mapped_design(design))
    begin = sim.activity()
    for turn in range(operations):
        for name, codes in zip(names, numbers[:, turn], strict=True):
            sim.set(name, _words(codes, fmt.width))
        sim.evaluate()
        if not turn:
            begin = sim.activity()  # from the second on, so that every one follows another
        found = _codes(sim.values[sim.port("o")])
        assert (found == unit.reference(*numbers[:, turn])).all(), "the netlist must be right"
    activity = replace(sim.activity() - begin, cycles=operations - 1)
    energy_pj = measure_energy(sim.flat, activity).dynamic_pj / (operations - 1)
    return Measured(report.totals.area_um2, report.critical_path.delay_ns, 1000 * energy_pj)


def _words(codes: Codes, width: int) -> NDArray[np.uint64]:
    """A word for every bit, whose bit k is that of lane k."""
    bits = (codes >> np.arange(width)[:, None]) & 1  # (width, lanes)
    return (bits.astype(np.uint64) << np.arange(LANES, dtype=np.uint64)).sum(1, dtype=np.uint64)


def _codes(words: NDArray[np.uint64]) -> Codes:
    bits = (words[:, None] >> np.arange(LANES, dtype=np.uint64)) & np.uint64(1)
    return (bits.astype(np.int64) << np.arange(len(words))[:, None]).sum(0)


def hardware_table(names: tuple[str, ...], *, has_sum: bool) -> str:
    """Measured units of formats, and what the exact one has over each, in Markdown."""
    heads = ("format", "unit", "area, µm²", "delay, ns", "fJ", "area", "delay", "energy")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in names:
        first: Measured | None = None
        for unit in units(name, has_sum=has_sum):
            got = measure(unit, name)
            first = first or got
            ratios = (
                first.area_um2 / got.area_um2,
                first.delay_ns / got.delay_ns,
                first.energy_fj / got.energy_fj,
            )
            values = f"{got.area_um2:,.0f} | {got.delay_ns:.2f} | {got.energy_fj:,.0f}"
            shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
            lines.append(f"| {name} | {unit.name} | {values} | {shown} |")
    return "\n".join(lines)
