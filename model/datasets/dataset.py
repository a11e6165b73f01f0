"""A data set that a configuration can name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .archive import DATA, Archive
from .labelled import LabelledImages, Split
from .recipe import Recipe

__all__ = ["Dataset"]


@dataclass(frozen=True)
class Dataset:
    """Images of one size, known by a name.

    Attributes
    ----------
    name : str
    shape : tuple of int
        (height, width, channels).
    classes : int
        Labels are 0 .. classes - 1.
    load : callable
        Images of a split, given the folder in which fetched files lie.
    recipe : Recipe
        How networks are trained on it, unless told otherwise.
    archive : Archive or None
        What must be fetched before.
    origin : str
        Where it comes from, if nothing must be fetched.
    """

    name: str
    shape: tuple[int, int, int]
    classes: int
    load: Callable[[Path, Split], LabelledImages]
    recipe: Recipe = field(default_factory=Recipe)
    archive: Archive | None = None
    origin: str = ""

    @property
    def folder(self) -> Path:
        """Where fetched files lie."""
        return DATA / self.name

    @property
    def is_there(self) -> bool:
        """Whether it can be loaded, as far as one sees from outside."""
        return self.archive is None or self.folder.is_dir()

    @property
    def source(self) -> str:
        """What an error of its images names."""
        return self.name if self.archive is None else str(self.folder)
