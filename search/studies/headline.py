"""XPert's headline in the analog model: the searched network against homogeneous VGG16.

``kakure study headline`` prints the homogeneous points that matter and the
searched networks, each with EDAP, TOPS/W and TOPS/mm², its ratio to the usual baseline, and its
ratio to the best homogeneous point that has the same freedom: one copy of every layer on both
sides, or copies chosen layer by layer on both sides. All figures are the model's; no accuracy is
measured here.
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.errors import UserError
from kakure.model.files.shipped import CONFIGS
from kakure.search.cost.analog.model import AnalogFigures, AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS, vgg16_config
from kakure.search.cost.metrics import LayerBatch
from kakure.search.cost.tables import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.space.layer_space import LayerChoice, Option
from kakure.search.space.point import Point
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_family

__all__ = [
    "Headline",
    "Row",
    "at_precision",
    "headline",
    "homogeneous",
    "least_edap",
    "options",
    "run",
    "with_copies",
]

SPACE = CONFIGS / "search-xpert.json"
USUAL = (8, "sar", 8, 8)
"""XPert's baseline: CS 8, SAR, 8-bit converter (64 rows of 4-bit cells), 8-bit inputs."""

STARTS = 8
"""Networks of the front from which the descent starts, and homogeneous points that get one."""


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


@dataclass(frozen=True)
class Headline:
    """The whole comparison.

    Attributes
    ----------
    rows : tuple of Row
        The usual baseline; then pairs of the best homogeneous point and VGG16 with searched
        periphery: one copy of each layer, copies chosen within the same area, copies chosen
        without a bound; then the searched networks.
    homogeneous_points : int
        How many homogeneous points were looked at: all of the space.
    """

    rows: tuple[Row, ...]
    homogeneous_points: int


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
        points = _front(own, model, problem)
        edap = _edap(own, model, points, problem)
        at = int(edap.argmin())
        found.append((float(edap[at]), len(found), own, points[at], row))
        best = min(best, float(edap[at]))
    ends = []
    for _, number, own, point, row in sorted(found, key=lambda one: one[:2])[:STARTS]:
        end, edap = _descend(own, model, point, problem)
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


def one_copy(space: Space) -> Space:
    """The same space without duplication."""
    return space.changed(layers=tuple(layer.changed(copies=(1,)) for layer in space.layers))


def at_precision(space: Space, adc_bits: int, input_bits: int) -> Space:
    """The same space with one AP and one IP for all layers."""
    fixed = {"adc_bits": (adc_bits,), "input_bits": (input_bits,)}
    return space.changed(layers=tuple(layer.changed(**fixed) for layer in space.layers))


def with_channels(space: Space, channels: Sequence[int]) -> Space:
    """The same space with one network."""
    layers = (
        layer.changed(channels=(count,))
        for layer, count in zip(space.layers, channels, strict=True)
    )
    return space.changed(layers=tuple(layers))


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
    points = _front(space, model, problem)
    order = np.argsort(_edap(space, model, points, problem), kind="stable")
    starts = [*(points[index] for index in order[:STARTS].tolist()), *also]
    found: dict[Point, float] = {}
    for start in tqdm(starts, "descent", disable=not progress, leave=False):
        point, edap = _descend(space, model, start, problem)
        found[point] = edap
    return space.config(min(found, key=lambda point: found[point]), "searched")


def _front(space: Space, model: AnalogModel, problem: Problem) -> list[Point]:
    """The front of area against latency; phase 1 rounds up what it adds, so its bound is wider."""
    bound = problem.area_um2 and problem.area_um2 + len(space.layers) + 1
    exact = ExactSearch(build_tables(space, model), replace(problem, area_um2=bound))
    return [solution.point(space) for solution in exact.front().solutions()]


def _descend(
    space: Space, model: AnalogModel, point: Point, problem: Problem
) -> tuple[Point, float]:
    best = float(_edap(space, model, [point], problem)[0])
    improved = True
    while improved:
        improved = False
        for index, layer in enumerate(space.layers):
            tried = [
                replace(point, layers=_exchanged(point.layers, index, choice))
                for choice in layer.choices()
            ]
            tried = [o for o in tried if _weights(space, o) >= problem.least_weights]
            edap = _edap(space, model, tried, problem)
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


def _edap(
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


def headline(
    space: Space,
    model: AnalogModel,
    shares: Sequence[float] = (1.0, 0.5, 0.25),
    *,
    progress: bool = False,
) -> Headline:
    """Compare, each searched network at the AP and IP of the homogeneous point beside it.

    Parameters
    ----------
    space : Space
        Thirteen convolutions and a linear layer, as XPert's.
    shares : sequence of float
        Floors on the searched network's weights, as fractions of VGG16's.
    """
    rows = homogeneous(space, model)
    usual = next(row for row in rows if row.name == "VGG16 {1} CS {0} AP {2} IP {3}".format(*USUAL))
    best = min(rows, key=lambda row: row.figures.edap)
    area = 1e6 * best.figures.area_mm2 + 1  # a whole µm² above: bounds are whole numbers
    own = with_channels(space, (*VGG16_CHANNELS, space.layers[-1].channels[0]))
    copied, at_area = with_copies(own, model, area, progress=progress)
    wide, at_any = with_copies(own, model, progress=progress)
    shown = [usual]
    for base, bound, start, said in (
        (best, area, None, "one copy"),
        (copied, area, at_area, "copies, best's area"),
        (wide, None, at_any, "copies"),
    ):
        within = _at_precision_of(own, base)
        if start is None:
            within, also = one_copy(within), ()
        else:
            also = (start,)
        config = least_edap(within, model, area_um2=bound, also=also, progress=progress)
        name = f"VGG16, searched, {said}"
        shown += [base, Row(name, config, model.figures(config), base.figures)]
    for share in shares:
        least, within = int(share * usual.weights), _at_precision_of(space, copied)
        config = least_edap(within, model, least_weights=least, area_um2=area, progress=progress)
        name = f"searched, {100 * share:g} % weights, best's area"
        shown.append(Row(name, config, model.figures(config), copied.figures))
    return Headline(tuple(shown), len(rows))


def _at_precision_of(space: Space, row: Row) -> Space:
    first = CrossbarLayer.of(row.config, 0)
    return at_precision(space, first.adc_bits, first.input_bits)


def text(result: Headline) -> str:
    """The table."""
    usual, best, _, copied, _, wide = result.rows[:6]
    heads = ("", "weights", "mm²", "ms", "mJ", "EDAP", "TOPS/W", "TOPS/mm²", "EDAP:usual", ":like")
    form = "{:42}{:>9}{:>8}{:>8}{:>9}{:>10}{:>8}{:>10}{:>11}{:>8}"
    lines = [form.format(*heads)]
    for row in result.rows:
        f = row.figures
        lines.append(
            form.format(
                row.name,
                f"{row.weights / 1e6:.2f} M",
                f"{f.area_mm2:.2f}",
                f"{f.latency_ms:.4f}",
                f"{f.energy_mj:.5f}",
                f"{f.edap:.4g}",
                f"{f.tops_per_watt:.2f}",
                f"{f.tops_per_mm2:.4f}",
                f"{usual.figures.edap / f.edap:.1f}",
                f"{row.like.edap / f.edap:.2f}" if row.like else "",
            )
        )
    names = (copied.name.removesuffix(", copies"), wide.name.removesuffix(", copies"))
    lines.append(
        f"usual: {usual.name}; the other homogeneous ones are the best of "
        f"{result.homogeneous_points}: with one copy of every layer {best.name}; with copies "
        f"chosen layer by layer, within its area {names[0]}, without a bound {names[1]}."
    )
    lines.append(
        ":like is against the best homogeneous point with the same copies to choose from, within "
        "the same area, and every searched network has that point's AP and IP in every layer."
    )
    lines.append("All figures are the analog model's; no accuracy is measured here.")
    for row in result.rows[3:]:
        lines.append(f"{row.name}: {' '.join(str(layer.channels) for layer in row.config.layers)}")
        layers = [CrossbarLayer.of(row.config, n) for n in range(len(row.config.layers))]
        parts = (f"{n.adc_type} CS {n.column_sharing} x{n.copies}" for n in layers)
        lines.append("    " + ", ".join(parts))
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--space", type=Path, default=SPACE, metavar="FILE", help="(%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    space = load_family(args.space)
    if len(space.layers) != len(VGG16_CHANNELS) + 1:
        raise UserError(
            f"must be {len(VGG16_CHANNELS) + 1}, VGG16's",
            where=("layers",),
            value=len(space.layers),
            file=args.space,
        )
    first = space.layers[0]
    usual = dict(zip(("column_sharing", "adc_type", "adc_bits", "input_bits"), USUAL, strict=True))
    for name, value in usual.items():
        if value not in getattr(first, name):
            raise UserError(
                f"layers[0].{name}: must hold {value}, the usual baseline's", file=args.space
            )
    print(text(headline(space, AnalogModel(), progress=True)))
