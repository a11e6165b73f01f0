"""VGG16 with the same readout in every layer, in the analog model; with more copies, too."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.search.cost.analog.figures import AnalogFigures
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS, vgg16_config
from kakure.search.cost.metrics import LayerBatch
from kakure.search.phase1.problem import Problem
from kakure.search.space.point import Point
from kakure.search.space.space import Space

from .least_edap import STARTS, descend, edap_of, front

__all__ = ["Row", "homogeneous", "with_copies"]


@dataclass(frozen=True)
class Row:
    """One network of the table.

    Attributes
    ----------
    name : str
    config : Config
    figures : AnalogFigures
    like : AnalogFigures, optional
        Of the best homogeneous point with the same freedom of copies and area.
    weights : int
    """

    name: str
    config: Config
    figures: AnalogFigures
    like: AnalogFigures | None = None

    @property
    def weights(self) -> int:
        """Of the whole network."""
        return sum(layer.weights for layer in self.config.geometry)


def homogeneous(space: Space, model: AnalogModel) -> list[Row]:
    """VGG16 with the same AT, CS, AP and IP everywhere, each combination that the space offers."""
    layer = space.layers[0]
    rows = []
    for adc_type, sharing, adc_bits, input_bits in itertools.product(
        layer.adc_type, layer.column_sharing, sorted(layer.adc_bits), sorted(layer.input_bits)
    ):
        config = vgg16_config(VGG16_CHANNELS, sharing, adc_type, adc_bits, input_bits)
        name = f"VGG16 {adc_type} CS {sharing} AP {adc_bits} IP {input_bits}"
        rows.append(Row(name, config, model.figures(config)))
    return rows


def with_copies(
    space: Space, model: AnalogModel, area_um2: float | None = None, *, progress: bool = False
) -> tuple[Row, Point]:
    """The homogeneous point with least EDAP when each layer's copies are chosen, as a search does.

    AT, CS, AP and IP are the same everywhere; the copies of each layer are free. Copies add area,
    and leave the dynamic energy as it is: one copy's area and energy with the time of most copies
    is a lower bound, and points whose bound lies above what was found are left out.

    Parameters
    ----------
    space : Space
        VGG16's channels alone.
    area_um2 : float, optional
        Networks with more area are left out [µm²].
    """
    least = []
    for row in homogeneous(space, model):
        if area_um2 is None or 1e6 * row.figures.area_mm2 <= area_um2:
            least.append((_bound(space, model, row), row))
    least.sort(key=lambda pair: pair[0])
    problem = Problem("latency", None if area_um2 is None else int(area_um2), 0)
    best = np.inf
    found: list[tuple[float, int, Space, Point, Row]] = []
    for bound, row in tqdm(least, "copies", disable=not progress, leave=False):
        if bound >= best:
            break
        own = _readout_of(space, row)
        points = front(own, model, problem)
        edap = edap_of(own, model, points, problem)
        at = int(edap.argmin())
        found.append((float(edap[at]), len(found), own, points[at], row))
        best = min(best, float(edap[at]))
    ends = []
    for _, number, own, point, row in sorted(found, key=lambda one: one[:2])[:STARTS]:
        end, edap = descend(own, model, point, problem)
        ends.append((edap, number, own.config(end, "homogeneous"), end, row.name))
    _, _, config, point, name = min(ends, key=lambda one: one[:2])
    return Row(f"{name}, copies", config, model.figures(config)), point


def _bound(space: Space, model: AnalogModel, row: Row) -> float:
    """A lower bound on the EDAP of a homogeneous point, whatever the copies [mJ·ms·mm²]."""
    most = [max(layer.copies) for layer in space.layers]
    batch = LayerBatch.of(row.config)
    fast = model.batch_metrics(replace(batch, copies=np.array(most, np.int64)))
    dynamic = sum(
        part for one in model.estimate(row.config) for name, part in one.items() if name[:2] == "E_"
    )
    return row.figures.area_mm2 * fast.latency_ns / 1e6 * dynamic / 1e9


def _readout_of(space: Space, row: Row) -> Space:
    """The space with the readout of a homogeneous point in every layer; copies stay free."""
    first = row.config.layers[0]
    fixed = {
        name: (getattr(first, name),)
        for name in ("adc_type", "column_sharing", "adc_bits", "input_bits")
    }
    return space.changed(layers=tuple(layer.changed(**fixed) for layer in space.layers))
