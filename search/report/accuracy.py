"""How well a network classifies: its confusion matrix and the curve of its training."""

import json
import math
from html import escape

from kakure.model.evaluate import Score
from kakure.model.parameters.parameters import Parameters
from kakure.sim.generation.project import Project
from kakure.sim.report.charts import curves
from kakure.sim.report.html import figure, note, table

__all__ = ["accuracy", "accuracy_card", "confusion", "curve"]

MOST_CLASSES = 30
"""Of a confusion matrix that is shown whole."""


def accuracy_card(project: Project, score: Score | None) -> tuple[str, str, str]:
    """The best that is known: on test images, on validation images, or nothing."""
    if not project.is_trained:
        return ("accuracy", "untrained", "random parameters: none are named")
    if score is not None:
        said = f"{score.correct} of {score.count} test images, integer model"
        return ("test accuracy", f"{score.accuracy:.4f}", said)
    found = project.parameters.metadata.get("validation")
    if found is None:
        return ("accuracy", "not known", "kakure evaluate measures it")
    return ("validation", found, "when it was trained; kakure evaluate: test images")


def accuracy(project: Project, score: Score | None) -> str:
    """All that is known of the accuracy, or how to find out."""
    if not project.is_trained:
        return note("Untrained: name parameters in the configuration, then kakure train.")
    text = ""
    warning = project.parameters.metadata.get("warning")
    if warning is not None:
        text += note(f"Warning of the training: {warning}")
    if score is None:
        text += note("No evaluation of these parameters is kept: kakure evaluate, then kakure gen.")
    else:
        text += confusion(score)
    return text + curve(project.parameters)


def confusion(score: Score) -> str:
    """Rows are labels, columns answers; the more of a label's images, the deeper the colour."""
    head = note(
        f"{score.correct} of {score.count} test images right, {score.accuracy:.4f}, on the integer "
        "model, which the hardware equals. Rows are labels, columns are answers."
    )
    shares = ["" if share is None else f"{share:.4f}" for share in score.per_class]
    classes = len(score.confusion)
    if classes > MOST_CLASSES:
        counts = score.confusion.sum(1)
        rows = [(n, int(counts[n]), shares[n]) for n in range(classes)]
        pairs = [(f"{a} taken for {b}", n) for a, b, n in score.mistaken[:10]]
        worst = table(("most often confused", "images"), pairs)
        return head + worst + table(("class", "images", "right"), rows)
    top = "".join(f"<th>{n}</th>" for n in range(classes))
    body = ""
    for label, row in enumerate(score.confusion):
        most = int(row.sum()) or 1
        cells = ""
        for n in map(int, row):
            look = f' style="background:rgba(68,119,170,{0.75 * n / most:.3f})"' if n else ""
            cells += f"<td{look}>{n or ''}</td>"
        body += f"<tr><td>{label}</td>{cells}<td>{escape(shares[label])}</td></tr>"
    return (
        f"{head}<table class=confusion><thead><tr><th>class</th>{top}<th>right</th></tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def curve(parameters: Parameters) -> str:
    """Loss and validation accuracy of each epoch; nothing where they were not kept."""
    known = parameters.metadata
    if known.get("validation") == "none held out":
        return note("No images were held out of its training: its curve has no accuracy.")
    try:
        history = [tuple(map(float, one)) for one in json.loads(known["history"])]
        epochs = [int(epoch) for epoch, *_ in history]
        count = int(known["validation"].partition("/")[2])
        right = [correct / count for _, _, correct, _ in history]
        losses = [loss for _, loss, _, _ in history]
        kept = int(known["epoch"])
    except (KeyError, ValueError, TypeError, ZeroDivisionError):
        return note("The curve of its training was not kept with these parameters.")
    if not history or not all(map(math.isfinite, losses)):
        return note("The curve of its training has no finite numbers.")
    return figure(
        curves(epochs, losses, right, kept),
        f"Mean loss of the training images, and accuracy on {count} validation images by the "
        f"integer model. Epoch {kept}, the best on these, was kept.",
    )
