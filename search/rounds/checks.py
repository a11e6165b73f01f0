"""What a search refuses before it begins: images, weights, bounds or layers that will not do."""

from dataclasses import replace
from itertools import product
from os import PathLike
from pathlib import Path

from kakure.model.datasets.images import load_images
from kakure.model.errors import Infeasible, UserError
from kakure.search.cost.metrics import CostModel
from kakure.search.cost.table_building import build_tables
from kakure.search.cost.unfitted import Unfitted
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.space import Space

__all__ = ["check_inputs", "exact_search", "of_space"]


def check_inputs(space: Space, folder: Path) -> None:
    """See that the networks of a space can be trained.

    Parameters
    ----------
    folder : Path
        Where the space's file lies: a ``dataset`` that is a folder is relative to it.

    Raises
    ------
    UserError
        If images are missing or others than the space says, or the density keeps nothing of a layer
        that may be chosen.
    """
    for split in ("train", "test"):
        load_images(space.probe, folder, split)
    for family in space.families:
        before = {space.shape[2]}
        for layer, geometry in zip(family.layers, family.probe.geometry, strict=True):
            pairs = [
                (count, form.channels)
                for count, form in product(before, layer.forms)
                if form.follows(count)
            ]
            least, outputs = min(pairs, key=lambda pair: (pair[0] * pair[1], pair))
            smallest = replace(geometry, in_channels=least, outputs=outputs)
            space.weights.check_density([smallest])
            before = {channels for _, channels in pairs}


def exact_search(space: Space, model: CostModel) -> ExactSearch:
    """Phase 1 of a space, ready to be asked.

    Raises
    ------
    UserError
        If no network keeps within the bounds, or a layer lies outside the fitted range.
    """
    return ExactSearch(build_tables(space, model), Problem.of(space))


def of_space(error: UserError, file: str | PathLike[str]) -> UserError:
    """The same error, of the space's ``file`` if that must change, not a machine or an option."""
    is_field = bool(error.where) and error.where[0] in Space.model_fields
    return error.of(file) if is_field or isinstance(error, Infeasible | Unfitted) else error
