"""What matters most of a search's result, as figures and sentences."""

from collections.abc import Mapping
from typing import Any

from kakure.sim.report.svg import grouped

from .estimates import clock_ns, percent

__all__ = ["duration", "figures", "moved", "said"]


def said(result: Mapping[str, Any], seconds: float | None) -> str:
    """What was searched, for what, and how long."""
    rounds = len(result["rounds"])
    bound = result["space"].get("area_um2")
    return (
        "Network, periphery and precision, searched together"
        + (f" within {grouped(bound)} µm²" if bound else "")
        + f"; what phase 1 calls time is the {result['objective']} per image. {rounds} "
        + f"round{'' if rounds == 1 else 's'}"
        + ("" if seconds is None else f", {duration(seconds)}")
        + ". All areas are in µm², all times in µs."
    )


def figures(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The figures that matter most, each with how far it is to be trusted."""
    best = result["best"]
    metrics, found = best["metrics"], best["accuracy"]
    if best.get("synthesized_um2"):
        trust = f"synthesized; estimate off by {percent(best['error'])}"
        cells = [("area", f"{grouped(best['synthesized_um2'])} µm²", trust)]
    else:
        trust = f"model, error {percent(metrics['area_error'])} on average"
        cells = [("area", f"{grouped(metrics['area_um2'])} µm²", trust)]
    error = percent(metrics["time_error"])
    period = clock_ns(result)
    if period:
        trust = f"model, period {period:.3f} ns, error {error} on average"
        cells.append(("clock", f"{1e3 / period:,.0f} MHz", trust))
    time = f"{metrics['interval_ns'] / 1e3:,.2f} µs"
    cells.append((
        "from image to image",
        time,
        f"{grouped(metrics['cycles'])} cycles, latency {metrics['latency_ns'] / 1e3:,.2f} µs",
    ))
    if metrics["energy_pj"] is not None:
        trust = f"model, error {percent(metrics['energy_error'])} on average"
        cells.append(("energy an image", f"{metrics['energy_pj'] / 1e3:,.2f} nJ", trust))
    if found.get("test") is not None:
        trust = f"{found['test_correct']} of {found['test_count']} test images, integer model"
        cells.append(("test accuracy", f"{found['test']:.4f}", trust))
    else:
        cells.append(("validation accuracy", f"{found['validation']:.4f}", "integer model"))
    return cells


def moved(result: Mapping[str, Any]) -> str:
    """From where to where phase 2 moved the chosen network in the picture of the front."""
    last, best = result["rounds"][-1], result["best"]["metrics"]
    chosen = last["candidates"][last["chosen"]]
    time = best["interval_ns" if result["objective"] == "interval" else "latency_ns"] / 1e3
    at_end = best["area_um2"], time
    is_below = not any(
        point["area_um2"] <= at_end[0] and point["time_ps"] / 1e6 <= at_end[1]
        for point in last["front"]
    )
    return (
        f"Phase 2 moved it from {grouped(chosen['area_um2'])} µm² and "
        f"{chosen['time_ps'] / 1e6:,.2f} µs to {grouped(best['area_um2'])} µm² and {time:,.2f} µs"
        + (
            ": below the front, where phase 1 with its own precision finds nothing."
            if is_below
            else ": not below the front."
        )
    )


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
