"""What tests said of mutants, one by one and of a campaign."""

from dataclasses import dataclass, field

__all__ = ["Summary", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant.

    Attributes
    ----------
    mutant : str
        Its name.
    line : int
        In the source file.
    killed_by : str or None
        The test that failed; None where all passed.
    sources, tests : str
        Digests of what the verdict was found on: all sources, and the test files that decided.
    """

    mutant: str
    line: int
    killed_by: str | None
    sources: str
    tests: str


@dataclass(frozen=True)
class Summary:
    """Verdicts of a campaign, and the names of equivalent mutants.

    Attributes
    ----------
    killed, survived : list of Verdict
        Of those that are not listed as equivalent.
    equivalent : list of str
        Names of listed ones that were not judged, or that no test killed.
    refuted : list of Verdict
        Listed ones that a test killed: their places in the list are wrong.
    """

    killed: list[Verdict]
    survived: list[Verdict]
    equivalent: list[str]
    refuted: list[Verdict] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Killed ones of those that are not equivalent; 1 where there are none."""
        counted = len(self.killed) + len(self.survived)
        return len(self.killed) / counted if counted else 1.0
