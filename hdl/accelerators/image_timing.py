"""How long an accelerator takes for images, in cycles."""

from dataclasses import dataclass

__all__ = ["ImageTiming"]


@dataclass(frozen=True)
class ImageTiming:
    """Cycles of a run of images that are always there, with results taken at once.

    Attributes
    ----------
    results : tuple of int
        For each image, the cycles from the first word of the first image to the last word of
        the result, both included.
    """

    results: tuple[int, ...]

    @property
    def latency(self) -> int:
        """Cycles for the first image alone."""
        return self.results[0]

    @property
    def interval(self) -> int:
        """Cycles between the last two results."""
        return self.results[-1] - self.results[-2]
