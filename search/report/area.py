"""Area of a generated accelerator by layer and block, as a picture and a table."""

from collections.abc import Mapping

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.config.config import Config
from kakure.search.cost.metrics import Metrics
from kakure.sim.report.charts import bars
from kakure.sim.report.html import figure, note, table
from kakure.sim.report.svg import grouped

from .estimates import percent

__all__ = ["area", "area_card", "area_parts"]

Rows = list[tuple[str, Mapping[str, float]]]

COLUMNS = {
    "window": "window",
    "engine": "engine",
    "stage": "pools, shortcut, rest",
    "requantizer": "requantizer",
}
NAMED = {"window": "window", "engine": "engine", "requantizer": "requantizer"}
"""Blocks of a layer by their look in pictures; all others are stages."""
LOOKS = {
    **dict.fromkeys(("weight generator", "maker", "masks"), "weights"),
    "array": "engine",
    "reader": "window",
    **dict.fromkeys(("activations", "program"), "bus"),
}
"""Parts that all layers use by their look."""


def area_card(report: SynthesisReport | None, metrics: Metrics | None) -> tuple[str, str, str]:
    """The whole area: synthesized, or else estimated with its error."""
    if report is not None:
        said = f"synthesized, {grouped(report.totals.gate_equivalents)} gate equivalents"
        return ("area", f"{grouped(report.totals.area_um2)} µm²", said)
    if metrics is None:
        return ("area", "not known", "gen without --no-synth measures it")
    said = f"model, error {percent(metrics.area_error)} on average"
    return ("area", f"{grouped(metrics.area_um2)} µm²", said)


def area_parts(config: Config, report: SynthesisReport) -> Rows:
    """Areas that add up to the whole [µm²]: of the parts that the accelerator names, and the rest.

    Those of layers by block.
    """
    found = {item.path: item for item in report.instances}
    rows: Rows = []
    for part in architecture_of(config).parts:
        path = f"{report.top}.core.{part.path}"
        if part.layer is None:
            areas = {LOOKS.get(part.label, "stage"): report.area_of(path)}
        else:
            areas = {"stage": found[path].area_um2}  # the layer's own logic, which no block has
            for below, item in found.items():
                parent, _, name = below.rpartition(".")
                if parent == path:
                    look = NAMED.get(name, "stage")
                    areas[look] = areas.get(look, 0.0) + item.total_um2
        rows.append((part.label, areas))
    once = report.totals.area_um2 - sum(sum(areas.values()) for _, areas in rows)
    return [*rows, ("streams, registers", {"bus": once})]


def area(config: Config, report: SynthesisReport | None) -> str:
    """The picture and the table; a remark where nothing was synthesized."""
    if report is None:
        return note("Not synthesized: kakure gen without --no-synth measures it.")
    parts = area_parts(config, report)
    layers = [part.layer for part in architecture_of(config).parts]
    rows = []
    for layer, (name, blocks) in zip([*layers, None], parts, strict=True):
        engine = "" if layer is None else config.layers[layer].engine
        cells = [grouped(blocks[look]) if blocks.get(look) else "" for look in COLUMNS]
        whole = sum(blocks.values())
        share = percent(whole / report.totals.area_um2, 1)
        rows.append((name, engine, *cells, grouped(whole), share))
    rows.append(("whole", *[""] * 5, grouped(report.totals.area_um2), "100.0 %"))
    heads = ("part [µm²]", "kind", *COLUMNS.values(), "all", "share")
    totals = report.totals
    return figure(
        bars(parts, "Area", "µm²"),
        f"Synthesized to cells, before placement. {grouped(totals.sequential_um2)} µm² of it "
        f"are flip-flops and latches, {grouped(totals.memory_um2)} µm² memory macros.",
    ) + table(heads, rows)
