"""Networks of a space with little energy·delay·area in the analog model."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.metrics import LayerBatch
from kakure.search.cost.table_building import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.layer_space import LayerChoice, Option
from kakure.search.space.point import Point
from kakure.search.space.space import Space

__all__ = ["STARTS", "descend", "edap_of", "front", "least_edap"]

STARTS = 8
"""Networks from which a descent starts."""


def least_edap(
    space: Space,
    model: AnalogModel,
    *,
    least_weights: int = 0,
    area_um2: float | None = None,
    also: Sequence[Point] = (),
    progress: bool = False,
) -> Config:
    """A network of the space with little energy·delay·area; the least that was met, not proven.

    Phase 1 gives the whole front of area against latency; from the points of it with the least
    EDAP, and from those of ``also``, one layer's choice after the other is exchanged for the best
    one until none is better.

    Parameters
    ----------
    space : Space
        With one AP and one IP a layer.
    least_weights : int
        Networks with fewer weights are left out.
    area_um2 : float, optional
        Networks with more area are left out [µm²].
    also : sequence of Point
        Networks of the space that the result must not be worse than.
    """
    bound = None if area_um2 is None else int(area_um2)
    problem = Problem("latency", bound, least_weights)
    points = front(space, model, problem)
    order = np.argsort(edap_of(space, model, points, problem), kind="stable")
    starts = [*(points[index] for index in order[:STARTS].tolist()), *also]
    found: dict[Point, float] = {}
    for start in tqdm(starts, "descent", disable=not progress, leave=False):
        point, edap = descend(space, model, start, problem)
        found[point] = edap
    return space.config(min(found, key=lambda point: found[point]), "searched")


def front(space: Space, model: AnalogModel, problem: Problem) -> list[Point]:
    """The front of area against latency; phase 1 rounds up what it adds, so its bound is wider."""
    bound = problem.area_um2 and problem.area_um2 + len(space.layers) + 1
    exact = ExactSearch(build_tables(space, model), replace(problem, area_um2=bound))
    return [solution.point(space) for solution in exact.front().solutions()]


def descend(
    space: Space, model: AnalogModel, point: Point, problem: Problem
) -> tuple[Point, float]:
    """Exchange one layer's choice after the other for the best one, until none is better.

    Returns the point where it ends, and its EDAP [mJ·ms·mm²].
    """
    best = float(edap_of(space, model, [point], problem)[0])
    improved = True
    while improved:
        improved = False
        for index, layer in enumerate(space.layers):
            tried = [
                replace(point, layers=_exchanged(point.layers, index, choice))
                for choice in layer.choices()
            ]
            tried = [o for o in tried if _weights(space, o) >= problem.least_weights]
            edap = edap_of(space, model, tried, problem)
            if len(tried) and edap.min() < best:
                best, point = float(edap.min()), tried[int(edap.argmin())]
                improved = True
    return point, best


def _exchanged(
    layers: tuple[LayerChoice, ...], index: int, choice: LayerChoice
) -> tuple[LayerChoice, ...]:
    return (*layers[:index], choice, *layers[index + 1 :])


def _weights(space: Space, point: Point) -> int:
    before = [space.probe.shape[2], *(choice.channels for choice in point.layers)]
    return sum(
        g.window * c_in * choice.channels
        for g, c_in, choice in zip(space.probe.geometry, before, point.layers, strict=False)
    )


def edap_of(
    space: Space, model: AnalogModel, points: Sequence[Point], problem: Problem
) -> NDArray[np.float64]:
    """EDAP of networks of the space [mJ·ms·mm²]; infinite above the bound on the area."""
    probe = LayerBatch.of(space.probe)
    count, layers = len(points), len(probe)
    columns = {field.name: np.tile(getattr(probe, field.name), count) for field in fields(probe)}
    chosen = [choice for point in points for choice in point.layers]
    outputs = np.array([choice.channels for choice in chosen], np.int64).reshape(count, layers)
    image = np.full((count, 1), space.probe.shape[2])
    columns["outputs"] = outputs.ravel()
    columns["in_channels"] = np.concatenate([image, outputs[:, :-1]], axis=1).ravel()

    def column(value: Callable[[LayerChoice], int | None]) -> NDArray[np.int64]:
        return np.array([value(choice) for choice in chosen], np.int64)

    columns["column_sharing"] = column(lambda c: c.option.column_sharing)
    columns["adc_type"] = column(lambda c: _is_sar(c.option))
    columns["adc_bits"] = column(lambda c: c.adc_bits)
    columns["input_bits"] = column(lambda c: c.input_bits)
    columns["copies"] = column(lambda c: c.option.copies)
    columns["residual"] = column(lambda c: c.residual)
    area, latency, energy = model.networks(LayerBatch(**columns), layers)
    edap = area / 1e6 * latency / 1e6 * energy / 1e9
    return edap if problem.area_um2 is None else np.where(area > problem.area_um2, np.inf, edap)


def _is_sar(option: Option) -> int:
    return int(option.adc_type == "sar")
