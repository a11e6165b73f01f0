"""One small change of a Python source, which makes another program of it."""

from dataclasses import dataclass

__all__ = ["OPERATORS", "SourceMutant"]

OPERATORS = (
    "arithmetic",
    "comparison",
    "bound",
    "constant",
    "reset",
    "domain",
    "dropped",
    "branch",
    "negation",
)
"""An operator of arithmetic or logic swapped; equal for unequal, in for not in; < for ≤ or > for ≥;
a number one higher, True for False; a register that a reset passes by, or reaches; ``m.d.comb``
for ``m.d.sync``; a statement left out; the two ways of a condition exchanged; a negation left out.
"""


@dataclass(frozen=True)
class SourceMutant:
    """One change of one source file.

    Attributes
    ----------
    file : str
        Path from the root of the repository.
    operator : str
        One of :data:`OPERATORS`.
    start, end : int
        Where in the text the replaced part lies [character].
    line : int
        Its line, from 1.
    function : str
        The innermost function that it is in, ``Class.method``; "" if it is in none.
    old, new : str
        The replaced part, and what takes its place.
    where : str
        The statement that it is in, its lines joined, and the number among equal ones: what names
        the mutant when lines above it come and go.
    """

    file: str
    operator: str
    start: int
    end: int
    line: int
    function: str
    old: str
    new: str
    where: str

    @property
    def name(self) -> str:
        """What the mutant is called in reports and lists; the same in other versions of a file."""
        return f"{self.file} {self.operator}: {self.where}: {self.old} -> {self.new}"

    def applied(self, text: str) -> str:
        """The file's text with the change in it."""
        assert text[self.start : self.end] == self.old, f"{self.file} is another version"
        return text[: self.start] + self.new + text[self.end :]
