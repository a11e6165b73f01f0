"""XPert's headline in the analog model: the searched network against homogeneous VGG16.

``python -m search.analog.headline`` prints every homogeneous point that matters and the searched
networks, each with EDAP, TOPS/W and TOPS/mm² and its ratio to the usual baseline. All figures are
the model's; no accuracy is measured here.
"""

from model.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.command import Parser, run_command
from model.config import Config
from model.errors import UserError
from search.layer_space import LayerChoice, Option
from search.metrics import LayerBatch
from search.phase1.exact import ExactSearch
from search.phase1.problem import Problem
from search.space import Point, Space, load_family
from search.tables import build_tables

from .model import AnalogFigures, AnalogModel
from .vgg16 import VGG16_CHANNELS, vgg16_config

__all__ = ["Headline", "Row", "at_precision", "headline", "homogeneous", "least_edap"]

SPACE = Path("configs/search-xpert.json")
USUAL = (8, "sar", 8, 8)
"""XPert's baseline: CS 8, SAR, 8-bit converter (64 rows of 4-bit cells), 8-bit inputs."""

STARTS = 8
"""Networks of the front from which the descent starts."""


@dataclass(frozen=True)
class Row:
    """One network of the table.

    Attributes
    ----------
    name : str
    config : Config
    figures : AnalogFigures
    weights : int
    """

    name: str
    config: Config
    figures: AnalogFigures

    @property
    def weights(self) -> int:
        """Of the whole network."""
        return sum(layer.weights for layer in self.config.geometry)


@dataclass(frozen=True)
class Headline:
    """The whole comparison; ``rows[0]`` is the usual baseline, ``rows[1]`` the best homogeneous.

    Attributes
    ----------
    rows : tuple of Row
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
    progress: bool = False,
) -> Config:
    """A network of the space with little energy·delay·area; the least that was met, not proven.

    Phase 1 gives the whole front of area against latency; from the points of it with the least
    EDAP one layer's choice after the other is exchanged for the best one until none is better.

    Parameters
    ----------
    space : Space
        With one AP and one IP a layer.
    least_weights : int
        Networks with fewer weights are left out.
    area_um2 : float, optional
        Networks with more area are left out [µm²].
    """
    bound = None if area_um2 is None else int(area_um2)
    problem = Problem("latency", bound, least_weights)
    front = ExactSearch(build_tables(space, model), problem).front()
    points = [solution.point(space) for solution in front.solutions()]
    order = np.argsort(_edap(space, model, points, problem), kind="stable")
    found: dict[Point, float] = {}
    for index in tqdm(order[:STARTS].tolist(), "descent", disable=not progress, leave=False):
        point, edap = _descend(space, model, points[index], problem)
        found[point] = edap
    return space.config(min(found, key=lambda point: found[point]), "searched")


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
    """Compare, at the AP and IP of the best homogeneous point.

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
    layer = best.config.layers[0]
    assert layer.adc_bits is not None
    fixed = at_precision(space, layer.adc_bits, layer.input_bits)
    channels = (*VGG16_CHANNELS, space.layers[-1].channels[0])
    shown = [usual, best]
    area = 1e6 * best.figures.area_mm2
    for bound, said in ((area, ", best's area"), (None, "")):
        own = with_channels(fixed, channels)
        config = least_edap(own, model, area_um2=bound, progress=progress)
        shown.append(Row(f"VGG16, searched hardware{said}", config, model.figures(config)))
    for share in shares:
        least = int(share * usual.weights)
        config = least_edap(fixed, model, least_weights=least, area_um2=area, progress=progress)
        name = f"searched, {100 * share:g} % weights, best's area"
        shown.append(Row(name, config, model.figures(config)))
    return Headline(tuple(shown), len(rows))


def text(result: Headline) -> str:
    """The table."""
    usual, best = result.rows[:2]
    heads = ("", "weights", "mm²", "ms", "mJ", "EDAP", "TOPS/W", "TOPS/mm²", "EDAP:usual", ":best")
    form = "{:38}{:>9}{:>8}{:>8}{:>9}{:>10}{:>8}{:>10}{:>11}{:>8}"
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
                f"{best.figures.edap / f.edap:.2f}",
            )
        )
    lines.append(
        f"usual: {usual.name}; best of {result.homogeneous_points} homogeneous: {best.name}. "
        "Searched networks have the best one's AP and IP in every layer."
    )
    lines.append("All figures are the analog model's; no accuracy is measured here.")
    for row in result.rows[2:]:
        lines.append(f"{row.name}: {' '.join(str(layer.channels) for layer in row.config.layers)}")
        parts = (f"{n.adc_type} CS {n.column_sharing} x{n.copies}" for n in row.config.layers)
        lines.append("    " + ", ".join(parts))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = Parser(prog="python -m search.analog.headline", description=__doc__)
    parser.add_argument("--space", type=Path, default=SPACE, help="(%(default)s)")
    args = parser.parse_args(arguments)

    def work() -> None:
        space = load_family(args.space)
        if len(space.layers) != len(VGG16_CHANNELS) + 1:
            raise UserError(
                f"{args.space}: layers: must be {len(VGG16_CHANNELS) + 1}, VGG16's, "
                f"not {len(space.layers)}"
            )
        first = space.layers[0]
        usual = dict(
            zip(("column_sharing", "adc_type", "adc_bits", "input_bits"), USUAL, strict=True)
        )
        for name, value in usual.items():
            if value not in getattr(first, name):
                raise UserError(
                    f"{args.space}: layers[0].{name}: must hold {value}, the usual baseline's"
                )
        print(text(headline(space, AnalogModel(), progress=True)))

    return run_command(work)


if __name__ == "__main__":
    sys.exit(main())
