"""Mutants of emitted Verilog, which tell whether a bench would notice a block that is wrong.

All mutants of a design are compiled into one simulator, which reads the number of the one that is
active from a file: a build costs seconds, a run a fraction of one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.emission.verilog import START

from .build_cache import compiled
from .point import Point
from .sweep import run_bench

__all__ = ["KINDS", "LETHAL", "Mutant", "chosen_mutants", "mutants", "survivors", "with_mutants"]

FILE = "mutant.hex"
"""In the folder where a simulation runs; 0 for none."""

NAME = r"(?:\\\S+ |[A-Za-z_]\w*)"
"""A name in Verilog; one that is escaped ends with a space."""

SWAPS = {
    "&": "|",
    "|": "&",
    "^": "|",
    "+": "-",
    "-": "+",
    "==": "!=",
    "!=": "==",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "<<": ">>",
    ">>": "<<",
    "*": "+",
    "/": "%",
    "%": "/",
    "&&": "||",
}
"""What an operator becomes."""


KINDS = ("operator", "condition", "choice", "constant", "bound", "term", "copy", "default")
"""An operator swapped, a condition inverted, the branches of a choice exchanged, the lowest bit of
an operand turned; < for ≤ or > for ≥, a term dropped, a copy replaced by 0, the lowest bit turned
of a value that is assigned as it is."""

LETHAL = KINDS[:4]
"""The kinds of which few leave a block as it was. Of the others many do: a maximum of equals is the
same either way, conditions are given twice, and a default stands before cases that are complete."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line.

    Attributes
    ----------
    module : str
    line : int
        From 0, in the module's text.
    old, new : str
        An expression in that line.
    kind : str
        One of :data:`KINDS`.
    is_named : bool
        Whether the line sets or tests a signal that has a name in our sources, rather than one of
        Yosys's or Amaranth's intermediate nets.
    """

    module: str
    line: int
    old: str
    new: str
    kind: str
    is_named: bool

    def __str__(self) -> str:
        return f"{self.module}.v:{self.line + 1}: {self.old} became {self.new}"


def mutants(design: Design, kinds: Sequence[str] = KINDS) -> list[Mutant]:
    """Every mutant of a design, of some kinds.

    Left out is what cannot be seen: nets that nothing reads, and Yosys's own names.
    """
    every = (mutant for module in design.modules.values() for mutant in _of_module(module))
    return [mutant for mutant in every if mutant.kind in kinds]


def chosen_mutants(
    design: Design, count: int, seed: int, kinds: Sequence[str] = KINDS
) -> list[Mutant]:
    """Return ``count`` mutants by chance, all where there are not more."""
    every = mutants(design, kinds)
    return Random(seed).sample(every, min(count, len(every)))


def with_mutants(design: Design, chosen: Sequence[Mutant]) -> Design:
    """Return the design with all of ``chosen`` in it, numbered from 1."""
    modules = {}
    for name, module in design.modules.items():
        lines = module.verilog.splitlines()
        by_line: dict[int, list[tuple[int, Mutant]]] = {}
        for number, mutant in enumerate(chosen, start=1):
            if mutant.module == name:
                by_line.setdefault(mutant.line, []).append((number, mutant))
        for at, here in by_line.items():
            old = here[0][1].old
            text = "".join(f"(mutant[0] == {n}) ? ({mutant.new} ) : " for n, mutant in here)
            before, found, after = lines[at].rpartition(old)
            assert found, f"{old} is not in {lines[at]}"
            lines[at] = f"{before}{text}({old} ){after}"
        if by_line:
            at = next(n for n, line in enumerate(lines) if line.startswith("module "))
            reads = f'initial $readmemh("{FILE}", mutant);'
            lines[at] += f"\n  reg [31:0] mutant [0:0];\n  {reads}"
        modules[name] = replace(module, verilog="\n".join(lines) + "\n")
    return Design(design.top, modules)


def survivors(point: Point, design: Design, chosen: Sequence[Mutant], folder: Path) -> list[Mutant]:
    """Run the bench of ``point`` on every mutant; return those that it does not notice.

    Raises
    ------
    RuntimeError
        If the bench fails without a mutant.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vectors = folder / "vectors.json"
    point.save_vectors(vectors)
    executable = compiled(with_mutants(design, chosen))
    alive = []
    for number, mutant in enumerate([None, *chosen]):
        (folder / FILE).write_text(f"{number:x}\n", encoding="utf-8")
        failure = run_bench(point.block, executable, folder, vectors)
        if mutant is None and failure is not None:
            raise RuntimeError(f"without a mutant: {failure}")
        if mutant is not None and failure is None:
            alive.append(mutant)
    return alive


def _of_module(module: ModuleSource) -> Iterator[Mutant]:
    lines = module.verilog.splitlines()
    unread = _unread(module)
    bits = re.findall(rf"^  (?:wire|reg) ({NAME})(?: = .*)?;", module.verilog, re.MULTILINE)
    is_initial = False
    for number, line in enumerate(lines):
        is_initial = line.startswith("  initial") or (is_initial and line != "  end")
        if is_initial or START in line:
            continue
        condition = re.fullmatch(r"\s*if \((.+)\)(?: begin)?", line)
        if condition:
            is_named = "$" not in condition[1]
            new = f"!({condition[1]} )"
            yield Mutant(module.name, number, condition[1], new, "condition", is_named)
            continue
        assignment = re.fullmatch(rf"\s*(?:assign )?({NAME})(?:\[[^]]*\])? *<?= (.+);", line)
        if assignment and assignment[1].strip() not in unread:
            is_named = "$" not in assignment[1]
            if re.match(rf"({'|'.join(map(re.escape, bits))}) *[+-] ", assignment[2]):
                continue  # one bit: adding is subtracting
            for new, kind in _changes(assignment[2]):
                yield Mutant(module.name, number, assignment[2], new, kind, is_named)


def _changes(text: str) -> Iterator[tuple[str, str]]:
    """Other expressions for one that is on the right of an assignment, and their kind."""
    operators = "|".join(re.escape(op) for op in sorted(SWAPS, key=len, reverse=True))
    binary = re.fullmatch(rf"(.+?) +({operators}) (.+)", text)
    unary = re.fullmatch(r"([~!]|[|&^]) *(\S.*)", text)
    choice = re.fullmatch(r"(.+?) *\? (.+?) *: (.+)", text)
    constant = re.fullmatch(r"(\d+)'([hd])([0-9a-f]+)", text)
    if choice:
        yield f"{choice[1]} ? {choice[3]} : {choice[2]} ", "choice"
    elif unary and not binary:
        opposite = {"|": "&", "&": "|", "^": "~^"}.get(unary[1], "")
        yield f"{opposite} {unary[2]}", "operator"
    elif binary:
        left, operator, right = binary.groups()
        yield (
            f"{left} {SWAPS[operator]} {right}",
            "bound" if operator[0] in "<>" and len(set(operator)) == len(operator) else "operator",
        )
        yield left, "term"
        yield right, "term"
        number = re.fullmatch(r"(\d+)'h([0-9a-f]+)", right)
        if number:
            turned = f"{number[1]}'h{int(number[2], 16) ^ 1:x}"
            yield f"{left} {operator} {turned}", "constant"
    elif constant:
        bits, base, digits = constant.groups()
        value = int(digits, 16 if base == "h" else 10) ^ 1
        yield f"{bits}'h{value:x}", "default"
    elif re.fullmatch(rf"{NAME}(?:\[[^]]*\])? *", text):
        yield "1'h0", "copy"


def _unread(module: ModuleSource) -> set[str]:
    """Names that no other expression, port or instance reads, nor one that only such names read."""
    text = re.sub(r"^//.*$", "", module.verilog, flags=re.MULTILINE)
    readers: dict[str, list[str]] = {}
    outputs = set()
    for line in text.splitlines():
        declaration = re.match(rf"\s*(input|output|wire|reg) .*?({NAME})(?:\[.*)?;", line + " ")
        line = re.sub(r"^\s*(wire|reg) .*", "", line)
        line = re.sub(r"^\s*\.(\\\S+ |\w+)\(", "(", line)  # the port of an instance
        if re.match(r"\s*(input|output) ", line):
            if declaration and declaration[1] == "output":
                outputs.add(declaration[2].strip())
            continue
        assignment = re.fullmatch(rf"\s*(?:assign )?({NAME})(?:\[[^]]*\])? *<?= (.+);", line)
        target = assignment[1].strip() if assignment else ""
        for name in re.findall(NAME, assignment[2] if assignment else line):
            readers.setdefault(name.strip(), []).append(target)
    names = {target for targets in readers.values() for target in targets if target}
    names |= set(readers)
    unread: set[str] = set()
    while True:
        more = {
            name
            for name in names - unread - outputs
            if all(reader in unread or reader == name for reader in readers.get(name, []))
        }
        if not more:
            return unread
        unread |= more
