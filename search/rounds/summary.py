"""What a search found, on one screen."""

from collections.abc import Mapping
from typing import Any

from kakure.search.report.estimates import clock_ns, error_said, percent

__all__ = ["summary"]

ROW = "{:>5}  {:<9}{:>5}{:>6}  {:<6}{:>4}{:>4}{:>4}{:>8}{:>13}{:>12}"


def summary(record: Mapping[str, Any]) -> str:
    """The layers of the best configuration, its costs and accuracy, and the errors stated."""
    best = record["best"]
    metrics, accuracy = best["metrics"], best["accuracy"]
    lines = ["", ROW.format(*"layer engine CD pool AT CS AP IP copies um2 cycles".split())]
    costs = metrics["layers"]
    for n, layer in enumerate(best["config"]["layers"]):
        knobs = ("column_sharing", "adc_bits", "input_bits", "copies")
        lines.append(
            ROW.format(
                n,
                layer["engine"],
                f"{layer['channels']}{'+' if layer.get('residual') else ''}",
                layer["pool"] if layer["pool"] > 1 else "",
                layer["adc_type"] or "",
                *(layer[knob] or "" for knob in knobs),
                f"{costs['area_um2'][n]:,.0f}",
                f"{costs['cycles'][n]:,.0f}",
            )
        )
    if any(layer.get("residual") for layer in best["config"]["layers"]):
        lines.append("+ with a shortcut: the layer adds what it reads")
    lines.append("")
    name = record["model"]["name"]
    area = f"{metrics['area_um2']:,.0f} um2, {name} model, {error_said(metrics, 'area')}"
    if best.get("synthesized_um2"):
        area += f"; synthesized {best['synthesized_um2']:,.0f} um2, off by {percent(best['error'])}"
    lines.append(f"area            {area}")
    lines.append(
        f"time            {metrics['interval_ns'] / 1e3:,.2f} us an image, latency "
        f"{metrics['latency_ns'] / 1e3:,.2f} us, {error_said(metrics, 'time')}"
    )
    period = clock_ns(record)
    if period:
        lines.append(f"clock           {period:.3f} ns, {1e3 / period:,.0f} MHz, the same error")
    if metrics["energy_pj"] is not None:
        lines.append(
            f"energy          {metrics['energy_pj'] / 1e3:,.2f} nJ an image, "
            f"{error_said(metrics, 'energy')}"
        )
    for line in metrics.get("outside") or ():
        lines.append(f"outside         {line}: the errors are wider, and may be larger still")
    lines.append(
        f"accuracy        {accuracy['test_correct']} of {accuracy['test_count']} test images, "
        f"{accuracy['test']:.4f}, measured on the integer model; validation "
        f"{accuracy['validation']:.4f}"
    )
    lines.append(
        f"loss            {accuracy['test_reference_correct'] - accuracy['test_correct']} of "
        f"{accuracy['test_count']} test images, from {accuracy['test_reference_correct']} right "
        "before precision was lowered"
    )
    lines.append(f"shown           {accuracy['statement']}")
    if record["stopped"]:
        lines.append(f"stopped before the next round: {record['stopped']}")
    means = [one["mean_error"] for one in record["rounds"] if one["mean_error"] is not None]
    if means:
        shown = ", ".join(f"round {n}: {percent(mean)}" for n, mean in enumerate(means, 1))
        lines.append(f"area, predicted before synthesis, mean error  {shown}")
    return "\n".join(lines)
