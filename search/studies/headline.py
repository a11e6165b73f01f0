"""XPert's headline in the analog model: the searched network against homogeneous VGG16.

``kakure study headline`` prints the homogeneous points that matter and the
searched networks, each with EDAP, TOPS/W and TOPS/mm², its ratio to the usual baseline, and its
ratio to the best homogeneous point that has the same freedom: one copy of every layer on both
sides, or copies chosen layer by layer on both sides. All figures are the model's; no accuracy is
measured here.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.errors import UserError
from kakure.model.files.shipped import CONFIGS
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_family

from .homogeneous import Row, homogeneous, with_copies
from .least_edap import least_edap

__all__ = ["Headline", "at_precision", "headline", "options", "run"]

SPACE = CONFIGS / "search-xpert.json"
USUAL = (8, "sar", 8, 8)
"""XPert's baseline: CS 8, SAR, 8-bit converter (64 rows of 4-bit cells), 8-bit inputs."""


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
