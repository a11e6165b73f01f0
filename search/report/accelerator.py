"""``report.html`` of a generated accelerator: network, hardware, costs, accuracy, what to do."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.register_map import Register
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.model.evaluate import read_score
from kakure.model.shown import command_line
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import Metrics
from kakure.sim.generation.plan import LayerPlan, plan
from kakure.sim.generation.project import Project
from kakure.sim.report.charts import bars
from kakure.sim.report.html import cards, document, figure, note, table
from kakure.sim.report.network import network_picture
from kakure.sim.report.svg import grouped

from .accuracy import accuracy, accuracy_card
from .area import area, area_card
from .estimates import percent
from .next_steps import next_steps

__all__ = ["write_report"]

IMAGES = 3
"""Of the run whose latency and interval are stated, as in the summary of generation."""

BENCH = (
    "<p class=note>Without Kakure, in this folder: <code>pip install -r bench/requirements.txt"
    "</code>, then <code>python bench/run.py</code>: golden vectors through the Verilog.</p>"
)


def write_report(folder: Path, project: Project) -> None:
    """Write ``report.html`` into a folder that holds everything else that was generated.

    It is of what lies there: the picture, the synthesis where there is one, the origin; and of the
    kept evaluation of the same parameters. Energy is the digital cost model's.
    """
    config = project.config
    report = None
    if (folder / "synth.json").exists():
        report = SynthesisReport.read(folder / "synth.json")
    plans = plan(config, project.parameters)
    timing = architecture_of(config).timing(IMAGES)
    try:
        metrics = DigitalModel().metrics(config, extrapolate=True)
    except UserError:
        metrics = None
    score = read_score(config, project.parameters) if project.is_trained else None
    figures = [
        area_card(report, metrics),
        *_speed_cards(report, timing),
        *_energy_cards(metrics),
        accuracy_card(project, score),
    ]
    diagram = (folder / "diagram.svg").read_text(encoding="utf-8")
    parts = [
        f"<h1>{config.name}</h1>",  # the schema allows letters, digits and . _ - in it
        note(_said(config, plans)),
        cards(figures),
        "<h2>Next</h2>",
        next_steps(str(project.path), ("sim", "evaluate", "synth", "train")),
        BENCH,
        "<h2>Network</h2>",
        figure(network_picture(config), "The maps from image to logits, height×width×channels."),
        "<h2>Accelerator</h2>",
        figure(diagram, "Drawn from the generated design; also as diagram.svg in this folder."),
        "<h2>Area</h2>",
        area(config, report),
        "<h2>Cycles</h2>",
        _cycles(config, plans, timing),
        _precisions(config),
        "<h2>Energy</h2>",
        _energy(config, metrics),
        "<h2>Accuracy</h2>",
        accuracy(project, score),
        "<h2>Registers</h2>",
        _registers(architecture_of(config).registers),
        "<h2>Origin</h2>",
        _origin(folder, project, report),
    ]
    (folder / "report.html").write_text(document(config.name, parts), encoding="utf-8")


def _said(config: Config, plans: tuple[LayerPlan, ...]) -> str:
    height, width, channels = config.shape
    planes = planes_of(config)
    weights = sum(geometry.weights for geometry in config.geometry)
    least = min(config.weights_of(n).widths for n in range(len(plans)))
    each = "one bit of supermask" if not planes else "one bit"
    if planes > 1:
        each = f"{planes if least == planes else f'{least} to {planes}'} planes of a bit"
    return (
        f"{config.dataset}: {height}×{width}×{channels} images to {config.geometry[-1].outputs} "
        f"classes by {len(plans)} layers; {grouped(weights)} weights, of each {each}; "
        f"{grouped(sum(one.macs for one in plans))} multiply-accumulates an image. "
        f"Configuration {config.digest[:16]}."
    )


def _speed_cards(report: SynthesisReport | None, timing: ImageTiming) -> list[tuple[str, str, str]]:
    if report is None:
        said = f"after a latency of {grouped(timing.latency)}; exact"
        return [("from image to image", f"{grouped(timing.interval)} cycles", said)]
    period = report.critical_path.delay_ns
    latency = timing.latency * period / 1e3
    return [
        ("clock", f"{report.fmax_mhz:.0f} MHz", "estimated by synthesis, no placement"),
        (
            "from image to image",
            f"{timing.interval * period / 1e3:.2f} µs",
            f"{grouped(timing.interval)} cycles at this clock; latency {latency:.2f} µs",
        ),
    ]


def _energy_cards(metrics: Metrics | None) -> list[tuple[str, str, str]]:
    if metrics is None or math.isnan(metrics.energy_pj):
        return []
    said = f"model, error {percent(metrics.energy_error, 1)} on average"
    return [("energy an image", f"{metrics.energy_pj / 1e3:.2f} nJ", said)]


def _cycles(config: Config, plans: tuple[LayerPlan, ...], timing: ImageTiming) -> str:
    rows = [(f"{n}: {one.engine}", {"engine": one.engine_cycles}) for n, one in enumerate(plans)]
    picture = bars(rows, "Cycles that each engine works on an image", "cycles")
    return figure(
        picture,
        f"{architecture_of(config).schedule} One image takes {grouped(timing.latency)} cycles from "
        f"its first word to the last of its result, and results follow each other every "
        f"{grouped(timing.interval)} cycles: exact, and held against the RTL by kakure sim.",
    )


def _precisions(config: Config) -> str:
    """Cycles by how many planes of bitwise weights are used."""
    if not planes_of(config):
        return ""
    rows = []
    for planes in range(1, config.weights.widths + 1):
        timing = architecture_of(config.at(planes)).timing(IMAGES)
        rows.append((str(planes), grouped(timing.latency), grouped(timing.interval)))
    names = [one.name for one in architecture_of(config).registers]
    chooses = "registers PLANES and THRESHOLD" if "THRESHOLD" in names else "register PLANES"
    said = note(
        f"By the number of planes, the most significant ones, which {chooses} may choose; as exact:"
    )
    return said + table(("planes", "cycles for one image", "from image to image"), rows)


def _energy(config: Config, metrics: Metrics | None) -> str:
    if metrics is None or math.isnan(metrics.energy_pj):
        return note("The digital cost model has no figure for this configuration.")
    layers = [float(energy) / 1e3 for energy in metrics.layers.energy_pj]
    rows: list[tuple[str, Mapping[str, float]]] = [
        (f"layer {n}: {config.layers[n].engine}", {"engine": energy})
        for n, energy in enumerate(layers)
    ]
    rows.append(("weights, streams, registers", {"bus": metrics.energy_pj / 1e3 - sum(layers)}))
    worst = "not known" if math.isnan(metrics.energy_worst) else percent(metrics.energy_worst, 1)
    text = figure(
        bars(rows, "Energy of an image, leakage included", "nJ", digits=2),
        f"An estimate of the digital cost model at {1e3 * metrics.cycles / metrics.interval_ns:.0f}"
        f" MHz, not a measurement of this network: {percent(metrics.energy_error, 1)} off on "
        f"average for whole designs that its fit did not see, worst {worst}.",
    )
    if metrics.outside:
        text += note("Outside what it was fitted to, so its error may be larger still:")
        text += table(("",), [(line,) for line in metrics.outside], of="text")
    return text


def _registers(registers: Sequence[Register]) -> str:
    rows = []
    for register in registers:
        rows.append((f"0x{register.offset:02X}", register.name, register.access, register.text))
        for bits in register.fields:
            high = bits.low + bits.width - 1
            where = f"[{high}:{bits.low}]" if bits.width > 1 else f"[{bits.low}]"
            rows.append(("", f"{register.name}.{bits.name} {where}", "", bits.text))
    said = note(
        "AXI4-Lite, 32 bit. The same as registers.md, as C in kakure.h, as SystemRDL in kakure.rdl."
    )
    return said + table(("offset", "name", "access", "meaning"), rows, of="text")


def _origin(folder: Path, project: Project, report: SynthesisReport | None) -> str:
    facts: dict[str, Any] = json.loads((folder / "origin.json").read_text(encoding="utf-8"))["from"]
    versions = facts.pop("tools")
    rows = [
        ("command", command_line(["kakure", "gen", str(project.path)])),
        *((f"digest of {name}", value) for name, value in sorted(facts.items())),
        ("made with", ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))),
    ]
    if report:
        t = report.tools
        rows.append(("synthesis", f"{t.yosys} ({t.engine}), {t.library}, {t.memory_model}"))
    weights = project.config.weights
    if isinstance(weights, HiddenWeights):
        rows.append(("seed of the signs", f"{weights.seed}, {weights.generator}"))
    if project.is_trained:
        known = project.parameters.metadata
        for name in ("seed", "epochs", "epoch", "command", "torch", "device", "recipe"):
            if name in known:
                rows.append((f"training: {name}", known[name]))
    return table(("what", "value"), rows, of="text")
