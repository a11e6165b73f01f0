"""The result of a search as one HTML page that needs no other file."""

import base64
import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .estimates import estimates, percent
from .precisions import precisions

__all__ = ["page"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; height: auto; }
code { background: #f3f3f3; padding: .1rem .3rem; overflow-wrap: anywhere; }
.note { color: #555; }
"""

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


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; every cell is escaped."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


ERRORS = (
    "Mean and worst error are those of whole designs that the model's fit did not see; the clock's "
    "are those of designs whose slowest path is of the same kind. The last column is the mean of a "
    "single layer, of the layer where it is largest: errors of layers partly cancel in the whole."
)


def _summary(result: Mapping[str, Any]) -> str:
    best = result["best"]
    model = result["model"]["name"]
    heads = (f"{model} model", "estimate", "mean error", "worst error", "of one layer, mean")
    text = table(heads, estimates(result)) + f"<p class=note>{escape(ERRORS)}</p>"
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
        measured.append(("area, synthesized", f"{best['synthesized_um2']:,.0f} µm²"))
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
            layer["kind"],
            layer["channels"],
            layer["pool"] if layer["pool"] > 1 else "",
            "yes" if layer.get("residual") else "",
            layer["engine"],
            *shown,
            layer["copies"],
            f"{area:,.0f}",
            f"{cycles:,.0f}",
        ))
    return table(heads, rows)


def _rounds(result: Mapping[str, Any]) -> str:
    rows = []
    for number, one in enumerate(result["rounds"], 1):
        for point in one["synthesized"]:
            rows.append((
                number,
                point["role"],
                point["digest"][:12],
                f"{point['predicted_um2']:,.0f}",
                f"{point['synthesized_um2']:,.0f}",
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
            f"{one['area_um2']:,.0f}",
            f"{one['time_ps'] / 1e6:,.2f}",
            f"{one['score']:.4f}",
            f"{one['log_parameters']:.2f}",
            f"{one['log_macs']:.2f}",
            "chosen" if n == last["chosen"] else "",
        )
        for n, one in enumerate(last["candidates"])
    ]
    return table(heads, rows)


def _next_steps(config: str) -> str:
    """The commands that go on from the result."""
    path = escape(shlex.quote(config))
    rows = (
        ("gen", "Verilog, supermask, registers, bench and synthesis report"),
        ("sim", "test images through its RTL: every logit and every cycle must be equal"),
        ("evaluate", "accuracy of the integer model on the whole test set"),
    )
    lines = (f"<li><code>make {verb} CONFIG={path}</code>: {said}</li>" for verb, said in rows)
    return f"<ul>{''.join(lines)}</ul>"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


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
    name = escape(result["space"]["name"])

    def picture(key: str) -> str:
        if key not in pictures:
            return ""
        data = base64.b64encode(pictures[key]).decode()
        caption = escape(CAPTIONS[key])
        image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
        return f"<figure>{image}<figcaption class=note>{caption}</figcaption></figure>"

    origin = table(
        ("made by", ""),
        [
            ("command", result["command"]),
            ("space", result["space_digest"]),
            ("best", result["best"]["digest"]),
            ("seed", result["seed"]),
            *([] if seconds is None else [("time of this run", _duration(seconds))]),
            *sorted(result["versions"].items()),
        ],
    )
    parts = [
        f"<h1>{name}</h1>",
        _summary(result),
        "<h2>Next</h2>",
        _next_steps(config),
        "<h2>Layers</h2>",
        _layers(result),
        picture("layer-choices"),
        "<h2>Phase 1: network and periphery</h2>",
        picture("area-time"),
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
    head = f'<meta charset="utf-8"><title>{name}</title><style>{STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
