"""The commands that go on from a result."""

from collections.abc import Iterable
from html import escape

from kakure.model.shown import command_line

__all__ = ["next_steps"]

SAID = {
    "gen": "Verilog, supermask, registers, bench, synthesis report and a page about it",
    "sim": "proof: test images through its RTL, every logit and every cycle must be equal",
    "evaluate": "accuracy of the integer model on the whole test set, by class",
    "synth": "synthesis alone: the biggest modules, and the critical path",
    "train": "trains its supermask anew, through the hardware's own arithmetic",
}


def next_steps(config: str, verbs: Iterable[str]) -> str:
    """A list of commands for the configuration at ``config``, each with what it does."""
    path = escape(command_line([config]))
    lines = (f"<li><code>kakure {verb} {path}</code>: {escape(SAID[verb])}</li>" for verb in verbs)
    return f"<ul>{''.join(lines)}</ul>"
