"""What a model estimates, with the error to be expected: its mean, and the worst that was met."""

from collections.abc import Mapping
from typing import Any

from kakure.sim.report.svg import grouped

__all__ = ["clock_ns", "error_said", "estimates", "percent"]


def percent(value: float | None, digits: int = 2) -> str:
    """In percent; nothing where it is not known."""
    return "" if value is None else f"{100 * value:.{digits}f} %"


def error_said(metrics: Mapping[str, Any], quantity: str) -> str:
    """Of ``area``, ``time`` or ``energy``: mean and worst of the error, in words."""
    worst = metrics.get(f"{quantity}_worst")
    said = "not known" if worst is None else percent(worst)
    return f"error {percent(metrics[f'{quantity}_error'])} on average, worst {said}"


def clock_ns(result: Mapping[str, Any]) -> float | None:
    """The estimated clock period [ns]; None with the analog model, where each layer has its own."""
    metrics = result["best"]["metrics"]
    if result["model"]["name"] != "digital" or not metrics["cycles"]:
        return None
    return metrics["interval_ns"] / metrics["cycles"]


def estimates(result: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Rows of quantity, estimate, mean error, worst error, and mean error of one layer."""
    metrics = result["best"]["metrics"]

    def row(name: str, estimate: str, quantity: str) -> tuple[str, str, str, str, str]:
        worst = metrics.get(f"{quantity}_worst")
        layers = [e for e in metrics["layers"].get(f"{quantity}_error", []) if e is not None]
        return (
            name,
            estimate,
            percent(metrics[f"{quantity}_error"]),
            "not known" if worst is None else percent(worst),
            percent(max(layers)) if layers else "",
        )

    rows = [row("area", f"{grouped(metrics['area_um2'])} µm²", "area")]
    period = clock_ns(result)
    if period:
        rows.append(row("clock period", f"{period:.3f} ns, {1e3 / period:,.0f} MHz", "time"))
    rows += [
        ("cycles from result to result", grouped(metrics["cycles"]), "", "", ""),
        row("latency of one image", f"{metrics['latency_ns'] / 1e3:,.2f} µs", "time"),
        row("interval from image to image", f"{metrics['interval_ns'] / 1e3:,.2f} µs", "time"),
    ]
    if metrics["energy_pj"] is not None:
        rows.append(row("energy per image", f"{metrics['energy_pj'] / 1e3:,.2f} nJ", "energy"))
    rows.append(("memory", f"{grouped(metrics['memory_bits'])} bit", "", "", ""))
    return rows
