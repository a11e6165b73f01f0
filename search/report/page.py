"""The result of a search as one HTML page that needs no other file."""

import base64
from collections.abc import Mapping
from html import escape
from typing import Any

from kakure.sim.report.html import cards, document, figure, note, table
from kakure.sim.report.svg import grouped

from .estimates import estimates, percent
from .figures import duration, figures, moved, said
from .next_steps import next_steps
from .precisions import precisions

__all__ = ["page"]

CAPTIONS = {
    "area-time": (
        "The whole front of area against time, proven at the precision that phase 1 assumes, and "
        "what was taken from it. The best is the chosen network after phase 2 lowered its "
        "precision, which phase 1 does not choose: that is how it can lie below the front."
    ),
    "energy-accuracy": (
        "Every precision whose accuracy was measured on the integer model. The best is the one of "
        "least energy·delay·area (without energy: delay·area) above the bound, not of least energy."
    ),
    "layer-choices": "What was chosen for each layer (orange: SAR, blue: flash or PE array).",
    "feedback": "Areas were predicted before they were synthesized; each round learns from them.",
}


ERRORS = (
    "Mean and worst error are those of whole designs that the model's fit did not see; the clock's "
    "are those of designs whose slowest path is of the same kind. The last column is the mean of a "
    "single layer, of the layer where it is largest: errors of layers partly cancel in the whole."
)


def _summary(result: Mapping[str, Any]) -> str:
    best = result["best"]
    model = result["model"]["name"]
    heads = (f"{model} model", "estimate", "mean error", "worst error", "of one layer, mean")
    text = table(heads, estimates(result)) + note(ERRORS)
    outside = best["metrics"].get("outside") or ()
    if outside:
        lines = "".join(f"<li>{escape(line)}</li>" for line in outside)
        text += (
            "<p class=note>Outside what the model was fitted to; the errors are wider for it, and "
            f"may be larger still:</p><ul class=note>{lines}</ul>"
        )
    measured = [("validation accuracy", f"{best['accuracy']['validation']:.4f}")]
    if best["accuracy"].get("test") is not None:
        measured.append(("test accuracy, whole test set", f"{best['accuracy']['test']:.4f}"))
    if best["accuracy"].get("test_reference_correct") is not None:
        found = best["accuracy"]
        lost = found["test_reference_correct"] - found["test_correct"]
        measured.append((
            "lost by lower precision, test images",
            f"{lost} of {found['test_count']}, {found['test_reference_correct']} right before",
        ))
        measured.append(("loss of accuracy", found["statement"]))
    if best.get("synthesized_um2"):
        measured.append(("area, synthesized", f"{grouped(best['synthesized_um2'])} µm²"))
        measured.append(("error of the estimate", percent(best["error"])))
    return text + table(("measured", ""), measured)


def _layers(result: Mapping[str, Any]) -> str:
    layers = result["best"]["config"]["layers"]
    costs = result["best"]["metrics"]["layers"]
    heads = (
        "layer",
        "kind",
        "CD",
        "pool",
        "shortcut",
        "engine",
        "AT",
        "CS",
        "AP",
        "IP",
        "copies",
        "area µm²",
        "cycles",
    )
    rows = []
    for n, (layer, area, cycles) in enumerate(
        zip(layers, costs["area_um2"], costs["cycles"], strict=True)
    ):
        knobs = [layer[name] for name in ("adc_type", "column_sharing", "adc_bits", "input_bits")]
        shown = ["" if knob is None else knob for knob in knobs]
        rows.append((
            n,
            _kind(layer),
            layer["channels"],
            layer["pool"] if layer["pool"] > 1 else "",
            "yes" if layer.get("residual") else "",
            layer["engine"],
            *shown,
            layer["copies"],
            grouped(area),
            grouped(cycles),
        ))
    return table(heads, rows)


def _kind(layer: Mapping[str, Any]) -> str:
    """Convolution or linear, with what is fixed of it."""
    if layer.get("sum_pool"):
        return f"{layer['kind']} of sums"
    stride = layer.get("stride", 1)
    return f"{layer['kind']}, stride {stride}" if stride > 1 else layer["kind"]


def _rounds(result: Mapping[str, Any]) -> str:
    rows = []
    for number, one in enumerate(result["rounds"], 1):
        for point in one["synthesized"]:
            rows.append((
                number,
                point["role"],
                point["digest"][:12],
                grouped(point["predicted_um2"]),
                grouped(point["synthesized_um2"]),
                percent(point["error"]),
                "" if point["is_new"] else "seen before",
            ))
    if not rows:
        return "<p class=note>Nothing was synthesized in this search.</p>"
    heads = ("round", "point", "configuration", "predicted µm²", "synthesized µm²", "error", "")
    return table(heads, rows)


def _candidates(result: Mapping[str, Any]) -> str:
    last = result["rounds"][-1]
    heads = (
        "channels, /pool, + with a shortcut",
        "area µm²",
        "time µs",
        "score",
        "ln parameters",
        "ln MACs",
        "",
    )
    rows = [
        (
            " ".join(
                f"{channels}{f'/{pool}' if pool > 1 else ''}{'+' if residual else ''}"
                for channels, pool, residual in zip(
                    one["channels"], one["pools"], one["residual"], strict=True
                )
            ),
            grouped(one["area_um2"]),
            f"{one['time_ps'] / 1e6:,.2f}",
            f"{one['score']:.4f}",
            f"{one['log_parameters']:.2f}",
            f"{one['log_macs']:.2f}",
            "chosen" if n == last["chosen"] else "",
        )
        for n, one in enumerate(last["candidates"])
    ]
    return table(heads, rows)


def page(
    result: Mapping[str, Any],
    pictures: Mapping[str, bytes],
    *,
    config: str = "best.json",
    seconds: float | None = None,
) -> str:
    """The page.

    Parameters
    ----------
    result : mapping
        As search.json holds it.
    pictures : mapping
        PNG, by name; they go into the page whole.
    config : str
        Path of the best configuration, for the commands that go on from it.
    seconds : float, optional
        How long the search took; what the store held already took none.
    """
    name = result["space"]["name"]

    def picture(key: str) -> str:
        if key not in pictures:
            return ""
        data = base64.b64encode(pictures[key]).decode()
        image = f'<img alt="{escape(CAPTIONS[key])}" src="data:image/png;base64,{data}">'
        return figure(image, CAPTIONS[key])

    origin = table(
        ("made by", ""),
        [
            ("command", result["command"]),
            ("space", result["space_digest"]),
            ("best", result["best"]["digest"]),
            ("seed", result["seed"]),
            *([] if seconds is None else [("time of this run", duration(seconds))]),
            *sorted(result["versions"].items()),
        ],
        of="text",
    )
    parts = [
        f"<h1>{escape(name)}</h1>",
        note(said(result, seconds)),
        cards(figures(result)),
        "<h2>Next</h2>",
        next_steps(config, ("gen", "sim", "evaluate")),
        "<h2>What was found</h2>",
        _summary(result),
        "<h2>Layers</h2>",
        _layers(result),
        picture("layer-choices"),
        "<h2>Phase 1: network and periphery</h2>",
        picture("area-time"),
        note(moved(result)),
        _candidates(result),
        "<h2>Phase 2: precision</h2>",
        picture("energy-accuracy"),
        table(*precisions(result)),
        "<h2>Feedback from synthesis</h2>",
        _rounds(result),
        picture("feedback"),
        "<h2>Origin</h2>",
        origin,
    ]
    return document(name, parts)
