"""Mutants of Python sources: all of some folders, and a draw of them."""

import ast
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from .mutant_finder import MutantFinder
from .source_mutant import OPERATORS, SourceMutant

__all__ = ["chosen", "mutants_of"]


def mutants_of(root: Path, folders: Sequence[str]) -> list[SourceMutant]:
    """Every mutant of the Python files below ``folders`` of a repository, in order."""
    return list(_walk(root, folders))


def _walk(root: Path, folders: Sequence[str]) -> Iterator[SourceMutant]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
            finder = MutantFinder(path.relative_to(root).as_posix(), text, tree)
            finder.visit(tree)
            yield from sorted(finder.found, key=lambda mutant: (mutant.start, mutant.operator))


def chosen(mutants: Sequence[SourceMutant], count: int, seed: int) -> list[SourceMutant]:
    """``count`` mutants by chance: every operator as often as the others, as far as it goes.

    A mutant's turn comes from the seed and its name alone: a changed line of a source file leaves
    the other mutants of the draw in it.
    """

    def turn(mutant: SourceMutant) -> bytes:
        return sha256(f"{seed} {mutant.name}".encode()).digest()

    piles = {operator: [] for operator in OPERATORS}
    for mutant in sorted(mutants, key=turn, reverse=True):
        piles[mutant.operator].append(mutant)
    drawn: list[SourceMutant] = []
    while len(drawn) < count and any(piles.values()):
        for pile in piles.values():
            if pile and len(drawn) < count:
                drawn.append(pile.pop())
    return drawn
