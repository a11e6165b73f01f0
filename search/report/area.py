"""Area of a generated accelerator by layer and block, as a picture and a table."""

from collections.abc import Mapping

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


def area_card(report: SynthesisReport | None, metrics: Metrics | None) -> tuple[str, str, str]:
    """The whole area: synthesized, or else estimated with its error."""
    if report is not None:
        said = f"synthesized, {grouped(report.totals.gate_equivalents)} gate equivalents"
        return ("area", f"{grouped(report.totals.area_um2)} µm²", said)
    if metrics is None:
        return ("area", "not known", "gen without --no-synth measures it")
    said = f"model, error {percent(metrics.area_error)} on average"
    return ("area", f"{grouped(metrics.area_um2)} µm²", said)


def area_parts(report: SynthesisReport) -> Rows:
    """Areas that add up to the whole [µm²]: of every layer by block, and of what there is once."""
    core = f"{report.top}.core"
    layers: dict[int, dict[str, float]] = {}
    generator = 0.0
    for item in report.instances:
        if not item.path.startswith(f"{core}."):
            continue
        first, *rest = item.path.removeprefix(f"{core}.").split(".")
        if first == "generator" and not rest:
            generator = item.total_um2
        if first.startswith("layer_") and len(rest) < 2:
            parts = layers.setdefault(int(first.removeprefix("layer_")), {})
            # the layer's own logic, which no block has, counts as a stage
            look = NAMED.get(rest[0], "stage") if rest else "stage"
            parts[look] = parts.get(look, 0.0) + (item.total_um2 if rest else item.area_um2)
    rows: Rows = [(f"layer {n}", layers[n]) for n in sorted(layers)]
    once = report.totals.area_um2 - generator - sum(sum(parts.values()) for _, parts in rows)
    return [
        *rows,
        ("weight generator", {"weights": generator}),
        ("streams, registers", {"bus": once}),
    ]


def area(config: Config, report: SynthesisReport | None) -> str:
    """The picture and the table; a remark where nothing was synthesized."""
    if report is None:
        return note("Not synthesized: kakure gen without --no-synth measures it.")
    parts = area_parts(report)
    rows = []
    for n, (name, blocks) in enumerate(parts):
        engine = config.layers[n].engine if n < len(config.layers) else ""
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
