"""Every kind of student."""

from .boosting import BOOSTED
from .forest import FOREST
from .linear import LINEAR
from .student import Family
from .svm import SVM

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Family] = {one.name: one for one in (SVM, FOREST, BOOSTED, LINEAR)}
"""A kind is a file of this folder, and a name here."""
