"""Pictures of a search's result, as PNG."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from kakure.sim.report.svg import grouped

__all__ = ["PLOTS", "draw"]

COLOURS = {"front": "#4477aa", "candidate": "#ee8866", "best": "#228833", "synthesized": "#aa3377"}
PIXELS = 120
"""Per inch."""


def _figure(width: float = 7.0, height: float = 4.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=PIXELS, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def area_time(result: Mapping[str, Any]) -> Figure:
    """The front of area against time of the last round, the networks that were scored, the best."""
    figure, axes = _figure()
    last = result["rounds"][-1]
    front = last["front"]
    axes.step(
        [point["area_um2"] for point in front],
        [point["time_ps"] / 1e6 for point in front],
        where="post",
        marker="o",
        markersize=3,
        color=COLOURS["front"],
        label="proven front, at phase 1's precision",
    )
    found = last["candidates"]
    axes.plot(
        [one["area_um2"] for one in found],
        [one["time_ps"] / 1e6 for one in found],
        "s",
        color=COLOURS["candidate"],
        label="networks that were scored",
    )
    best = result["best"]["metrics"]
    time = best["interval_ns" if result["objective"] == "interval" else "latency_ns"]
    chosen = found[last["chosen"]]
    axes.annotate(
        "",
        (best["area_um2"], time / 1e3),
        (chosen["area_um2"], chosen["time_ps"] / 1e6),
        arrowprops={"arrowstyle": "->", "color": COLOURS["best"], "linestyle": ":"},
    )
    axes.plot(
        best["area_um2"],
        time / 1e3,
        "*",
        markersize=14,
        color=COLOURS["best"],
        label="best: the chosen network,\nprecision lowered by phase 2",
    )
    measured = result["best"].get("synthesized_um2")
    if measured:
        axes.plot(
            measured,
            time / 1e3,
            "x",
            markersize=10,
            color=COLOURS["synthesized"],
            label="best, synthesized",
        )
    bound = result["space"].get("area_um2")
    if bound:
        axes.axvline(bound, color="0.5", linestyle="--", label="bound on the area")
    axes.set_xlabel("area [µm²]")
    axes.set_ylabel(f"{result['objective']} per image [µs]")
    if len(front) > 1:
        axes.set_xscale("log")
        axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        _plain_ticks(axis, is_log=len(front) > 1)
    axes.legend()
    axes.set_title(f"{result['space']['name']}: area against {result['objective']}")
    return figure


def _number(value: float) -> str:
    return grouped(value) if value >= 100 else f"{value:.3g}"


def _plain_ticks(axis: Axis, *, is_log: bool) -> None:
    """Numbers as the tables have them, not powers of ten; few enough to stand side by side."""
    if is_log:
        low, high = sorted(axis.get_view_interval())
        subs = (1.0, 2.0, 5.0) if high / low > 5 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
        axis.set_major_locator(LogLocator(subs=subs))
    else:
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{_number(value)}"))
    axis.set_minor_formatter(NullFormatter())


def energy_accuracy(result: Mapping[str, Any]) -> Figure:
    """Every precision whose accuracy was measured in phase 2, and the front among them."""
    figure, axes = _figure()
    history = [one for one in result["phase2"]["history"] if one.get("accuracy") is not None]
    key, unit = ("energy_pj", "energy per image [nJ]")
    if not all(one.get(key) for one in history):
        key, unit = ("product", "delay · area [ns·µm²]")
    scale = 1e3 if key == "energy_pj" else 1.0
    axes.plot(
        [one[key] / scale for one in history],
        [100 * one["accuracy"] for one in history],
        "o",
        color="0.6",
        label="measured",
    )
    front = sorted(_undominated(history, key), key=lambda one: one[key])
    axes.step(
        [one[key] / scale for one in front],
        [100 * one["accuracy"] for one in front],
        where="post",
        marker="o",
        color=COLOURS["front"],
        label="front",
    )
    chosen = result["phase2"]["chosen"]
    axes.plot(
        chosen[key] / scale,
        100 * chosen["accuracy"],
        "*",
        markersize=14,
        color=COLOURS["best"],
        label="best: least cost above the bound",
    )
    axes.axhline(
        100 * result["phase2"]["least_accuracy"], color="0.5", linestyle="--", label="bound"
    )
    axes.set_xlabel(unit)
    axes.set_ylabel("validation accuracy [%]")
    axes.legend()
    axes.set_title(f"{result['space']['name']}: what precision costs")
    return figure


def _undominated(points: Sequence[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    """Points that no other one beats in both cost and accuracy."""
    return [
        one
        for one in points
        if not any(
            other[key] <= one[key]
            and other["accuracy"] >= one["accuracy"]
            and (other[key], other["accuracy"]) != (one[key], one["accuracy"])
            for other in points
        )
    ]


KNOBS = (
    ("channels", "channels (CD)"),
    ("column_sharing", "column sharing (CS)"),
    ("copies", "copies"),
    ("adc_bits", "ADC bits (AP)"),
    ("input_bits", "input bits (IP)"),
)


def layer_choices(result: Mapping[str, Any]) -> Figure:
    """Each knob of each layer of the best configuration."""
    layers = result["best"]["config"]["layers"]
    figure = Figure(figsize=(7.0, 0.9 * len(KNOBS) + 0.8), dpi=PIXELS, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(KNOBS), 1, sharex=True, squeeze=False)[:, 0]
    names = [
        f"{n}{' residual' if layer.get('residual') else ''}\n{layer['engine']}\n"
        f"{layer['adc_type'] or ''}"
        for n, layer in enumerate(layers)
    ]
    for axes, (key, label) in zip(panels, KNOBS, strict=True):
        values = [layer[key] or 0 for layer in layers]
        colours = [
            COLOURS["front"] if layer["adc_type"] != "sar" else COLOURS["candidate"]
            for layer in layers
        ]
        bars = axes.bar(range(len(values)), values, color=colours, width=0.6)
        axes.bar_label(bars, labels=[str(value) if value else "" for value in values], fontsize=8)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
        axes.margins(y=0.3)
        axes.set_yticks([])
    panels[-1].set_xticks(range(len(names)), names, fontsize=8)
    figure.suptitle(f"{result['best']['config']['name']}: what was chosen for each layer")
    return figure


def feedback(result: Mapping[str, Any]) -> Figure:
    """Predicted against synthesized area, round by round."""
    figure, axes = _figure()
    for number, one in enumerate(result["rounds"], 1):
        errors = [100 * abs(point["error"]) for point in one["synthesized"] if point["is_new"]]
        axes.plot([number] * len(errors), errors, "o", color=COLOURS["front"], alpha=0.6)
    means = [
        (number, 100 * one["mean_error"])
        for number, one in enumerate(result["rounds"], 1)
        if one["mean_error"] is not None
    ]
    axes.plot(
        [number for number, _ in means],
        [mean for _, mean in means],
        "-s",
        color=COLOURS["synthesized"],
        label="mean of round",
    )
    axes.set_xticks(range(1, len(result["rounds"]) + 1))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("round")
    axes.set_ylabel("|predicted / synthesized − 1| [%]")
    axes.legend()
    axes.set_title(f"{result['space']['name']}: area, predicted before synthesis")
    return figure


PLOTS = {
    "area-time": area_time,
    "energy-accuracy": energy_accuracy,
    "layer-choices": layer_choices,
    "feedback": feedback,
}
"""Name of the file, and what draws it."""


def draw(result: Mapping[str, Any]) -> dict[str, bytes]:
    """Every picture that the result has data for, as PNG, by name."""
    pictures = {}
    for name, plot in PLOTS.items():
        if name == "feedback" and not any(one["synthesized"] for one in result["rounds"]):
            continue
        buffer = io.BytesIO()
        plot(result).savefig(buffer, format="png", metadata={"Software": None})
        pictures[name] = buffer.getvalue()
    return pictures
