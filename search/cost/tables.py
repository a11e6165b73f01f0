"""What every layer of a space costs, for every (input channels, output channels, option)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.search.space.layer_space import Form, LayerChoice, Option
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space import Space

from .metrics import ADC_TYPES, ENGINES, CostModel, LayerBatch, array_sizes, summed_sizes

__all__ = ["FORBIDDEN", "LayerTable", "SharesArea", "Solution", "Tables", "build_tables"]

PICOSECONDS = 1000
"""Per nanosecond: times are kept in whole picoseconds."""

FORBIDDEN = 1 << 50
"""The area of what must not be chosen: above every bound, and no sum of it overflows [µm²]."""

CHECKED = 16
"""Points whose whole area is compared with the sum that the tables make of it."""

SLACK = 2e-2
"""How much of a whole's area may be neither a layer's, nor the same for all, nor shared."""


@runtime_checkable
class SharesArea(Protocol):
    """A cost model with a block that all layers share and the most demanding one sizes."""

    def shared_area_um2(self, batch: LayerBatch) -> NDArray[np.float64]:
        """Area of the shared block if each layer were the only one; the whole has the largest."""
        ...


@dataclass(frozen=True)
class LayerTable:
    """Costs of one layer, whole numbers, rounded up.

    Attributes
    ----------
    in_channels, out_channels : tuple of int
        What the layer before, and this one, may choose; the image's channels for the first.
    options : tuple of Option
    area_um2, time_ps : int64 array, (in_channels, out_channels, options)
    shared_um2 : int64 array, (in_channels, out_channels, options)
        Area that the layer asks of the shared block.
    weights : int64 array, (in_channels, out_channels)
    is_known : bool array, (in_channels, out_channels, options)
        Whether the cost lies within the range that the model was fitted to.
    residual : tuple of bool
        Whether each of ``out_channels`` comes with a shortcut; none does where it is empty. Where
        it would join other channels, the area is FORBIDDEN.
    """

    in_channels: tuple[int, ...]
    out_channels: tuple[int, ...]
    options: tuple[Option, ...]
    area_um2: NDArray[np.int64]
    time_ps: NDArray[np.int64]
    shared_um2: NDArray[np.int64]
    weights: NDArray[np.int64]
    is_known: NDArray[np.bool_]
    residual: tuple[bool, ...] = ()

    def form(self, index: int) -> Form:
        """Output channels, and whether there is a shortcut."""
        return Form(self.out_channels[index], bool(self.residual) and self.residual[index])

    def possible(self, before: int) -> NDArray[np.int64]:
        """Indices of ``out_channels`` that can follow index ``before`` of ``in_channels``."""
        return np.flatnonzero((self.area_um2[before] < FORBIDDEN).any(axis=1))


@dataclass(frozen=True)
class Solution:
    """One choice of channels and options for every layer, and what it costs.

    Attributes
    ----------
    hardware : Hardware
    channels : tuple of int
    options : tuple of Option
    area_um2, time_ps, interval_ps : int
        Sum of the areas, the shared one included; sum and maximum of the times.
    weights : int
    residual : tuple of bool
    family : int
        Index of the family of the space.
    """

    hardware: Hardware
    channels: tuple[int, ...]
    options: tuple[Option, ...]
    area_um2: int
    time_ps: int
    interval_ps: int
    weights: int
    residual: tuple[bool, ...]
    family: int = 0

    def point(self, space: Space) -> Point:
        """The point of its family of the space, at the precision that phase 1 assumes."""
        layers = space.families[self.family].layers
        chosen = zip(layers, self.channels, self.options, self.residual, strict=True)
        choices: list[LayerChoice] = [layer.choice(c, o, r) for layer, c, o, r in chosen]
        return Point(self.hardware, tuple(choices))

    def config(self, space: Space) -> Config:
        """The configuration of that point."""
        return space.families[self.family].config(self.point(space))


@dataclass(frozen=True)
class Tables:
    """Costs of all layers on one choice of what is chosen once.

    Attributes
    ----------
    hardware : Hardware
    layers : tuple of LayerTable
        The output channels of each are the input channels of the next.
    constant_area_um2 : int
        Area that belongs to no layer and is the same for every choice.
    slack_um2 : int
        By so much at most the constant is above that of the smallest network: some models have
        blocks, such as counters, that grow a little with the whole.
    family : int
        Index of the family of the space.
    windows : tuple
        Of each layer what is fixed of its form, such as kernel and pool: with these, equal forms
        are equal networks.

    The area of a whole is this constant, the sum of its layers' areas, and the largest of what
    they ask of the shared block.
    """

    hardware: Hardware
    layers: tuple[LayerTable, ...]
    constant_area_um2: int = 0
    slack_um2: int = 0
    family: int = 0
    windows: tuple[tuple[str | int | None, ...], ...] = ()

    @property
    def takes_turns(self) -> bool:
        """Whether the interval, too, is the sum of the layers' times, and not their maximum."""
        return self.hardware.array is not None

    def costs(
        self, channels: NDArray[np.int64], options: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Area, sum of times, maximum of times and weights of n choices.

        Parameters
        ----------
        channels, options : int64 array, (n, layers)
            Indices into ``out_channels`` and ``options`` of each layer.
        """
        n = len(channels)
        area = np.full(n, self.constant_area_um2)
        time, interval, weights, shared = np.zeros((4, n), np.int64)
        before = np.zeros(n, np.int64)
        for index, layer in enumerate(self.layers):
            here, option = channels[:, index], options[:, index]
            spent = layer.time_ps[before, here, option]
            area += layer.area_um2[before, here, option]
            time += spent
            interval = np.maximum(interval, spent)
            weights += layer.weights[before, here]
            shared = np.maximum(shared, layer.shared_um2[before, here, option])
            before = here
        return area + shared, time, time if self.takes_turns else interval, weights

    def solution(self, channels: Sequence[int], options: Sequence[int]) -> Solution:
        """The choice that these indices stand for."""
        costs = self.costs(np.array([channels], np.int64), np.array([options], np.int64))
        area, time, interval, weights = (int(cost[0]) for cost in costs)
        return Solution(
            hardware=self.hardware,
            channels=tuple(t.out_channels[c] for t, c in zip(self.layers, channels, strict=True)),
            options=tuple(t.options[o] for t, o in zip(self.layers, options, strict=True)),
            area_um2=area,
            time_ps=time,
            interval_ps=interval,
            weights=weights,
            residual=tuple(t.form(c).residual for t, c in zip(self.layers, channels, strict=True)),
            family=self.family,
        )

    def levels(self) -> Iterator["Tables"]:
        """The same space once for every size of the shared block, which then is a constant.

        What asks for more is forbidden. A network appears at its own size and, too large, at every
        larger one: the best of all levels is the best there is. Indices stay the same.
        """
        asked = np.unique(np.concatenate([layer.shared_um2.ravel() for layer in self.layers]))
        least = max(int(layer.shared_um2.min()) for layer in self.layers)
        for level in asked[asked >= least].tolist():
            layers = tuple(
                replace(
                    layer,
                    area_um2=np.where(layer.shared_um2 <= level, layer.area_um2, FORBIDDEN),
                    shared_um2=np.zeros_like(layer.shared_um2),
                )
                for layer in self.layers
            )
            constant = self.constant_area_um2 + level
            yield replace(self, layers=layers, constant_area_um2=constant)

    def only(self, channels: Sequence[int]) -> "Tables":
        """The same costs where layer l has no channels but the one of index ``channels[l]``."""
        layers, before = [], 0
        for layer, here in zip(self.layers, channels, strict=True):
            at = np.s_[before : before + 1, here : here + 1]
            layers.append(
                replace(
                    layer,
                    in_channels=layer.in_channels[before : before + 1],
                    out_channels=layer.out_channels[here : here + 1],
                    area_um2=layer.area_um2[at],
                    time_ps=layer.time_ps[at],
                    shared_um2=layer.shared_um2[at],
                    weights=layer.weights[at],
                    is_known=layer.is_known[at],
                    residual=layer.residual[here : here + 1],
                )
            )
            before = here
        return replace(self, layers=tuple(layers))


def build_tables(
    space: Space, model: CostModel, *, extrapolate: bool = False
) -> tuple[Tables, ...]:
    """Costs of a space under a cost model.

    One :class:`Tables` for each family and :class:`.Hardware`, family after family.

    Each cost is rounded up to whole µm² and ps, so that a sum is above the model's own by less
    than one unit per layer, never below; sums are then exact integers. What the model books
    neither to a layer nor to the shared block is taken from the space's first point.

    Parameters
    ----------
    space : Space
    model : CostModel
        One that also has the method of :class:`SharesArea` is asked for it.
    extrapolate : bool
        Whether costs outside the fitted range are taken, and marked in ``is_known``.

    Raises
    ------
    UserError
        If a layer lies outside the fitted range and ``extrapolate`` is False, or the model's area
        of a whole is not the sum that :class:`Tables` makes of it.
    """
    result = []
    for number, family in enumerate(space.families):
        for hardware in space.hardware:
            layers = tuple(
                _layer_table(family, model, index, hardware, extrapolate)
                for index in range(len(family.layers))
            )
            tables = Tables(hardware, layers)
            tables = _with_constant(family, model, tables, extrapolate)
            windows = tuple(layer.window for layer in family.layers)
            result.append(replace(tables, family=number, windows=windows))
    return tuple(result)


def _with_constant(space: Space, model: CostModel, tables: Tables, extrapolate: bool) -> Tables:
    """Add the constant area: the largest at a few points, at which it must nearly be the same.

    The points are the smallest network, the largest one, and some drawn at random.
    """
    generator = np.random.Generator(np.random.PCG64(0))
    sizes = [(len(layer.out_channels), len(layer.options)) for layer in tables.layers]
    rests, areas = [], []
    for n in range(CHECKED):
        drawn = [[int(generator.integers(size)) for size in pair] for pair in sizes]
        channels, options = map(list, zip(*drawn, strict=True))
        if n < 2:
            pick = max if n else min
            channels = [pick(range(len(t.out_channels)), key=_by(t)) for t in tables.layers]
        channels = _possible(tables, channels)
        config = tables.solution(channels, options).config(space)
        metrics = model.metrics(config, extrapolate=extrapolate)
        booked = float(metrics.layers.area_um2.sum() + _shared(model, LayerBatch.of(config)).max())
        rests.append(metrics.area_um2 - booked)
        areas.append(metrics.area_um2)
    slack = max(rests) - min(rests)
    if slack > 1e-3 + SLACK * min(areas):
        raise UserError(
            f"{model.name}: the area of a whole must be the sum of its layers' "
            "areas, a constant, and the largest of what they share",
            value=f"{slack:.0f} µm² off",
        )
    constant = int(np.ceil(round(max(rests), 3)))
    return replace(tables, constant_area_um2=constant, slack_um2=int(np.ceil(round(slack, 3))))


def _possible(tables: Tables, channels: Sequence[int]) -> list[int]:
    """The same choice, but that what cannot follow the layer before is replaced."""
    chosen, before = [], 0
    for layer, here in zip(tables.layers, channels, strict=True):
        possible = layer.possible(before).tolist()
        before = here if here in possible else possible[0]
        chosen.append(before)
    return chosen


def _by(table: LayerTable) -> Callable[[int], int]:
    return lambda index: table.out_channels[index]


def _shared(model: CostModel, batch: LayerBatch) -> NDArray[np.float64]:
    """Area that each layer asks of the shared block; 0 with a model that has none."""
    if isinstance(model, SharesArea):
        return model.shared_area_um2(batch)
    return np.zeros(len(batch))


def _layer_table(
    space: Space, model: CostModel, index: int, hardware: Hardware, extrapolate: bool
) -> LayerTable:
    layer = space.layers[index]
    forms = space.layers[index - 1].forms if index else (Form(space.shape[2]),)
    before = tuple(form.channels for form in forms)
    after = tuple(form.channels for form in layer.forms)
    follows = np.array([[form.follows(count) for form in layer.forms] for count in before])
    residual = np.array([form.residual for form in layer.forms]) & follows
    options = hardware.options(layer)
    shape = (len(before), len(after), len(options))
    ins, outs, picks = (axis.ravel() for axis in np.indices(shape))
    geometry = space.probe.geometry[index]

    def per_option(values: Sequence[int]) -> NDArray[np.int64]:
        return np.array(values, np.int64)[picks]

    is_crossbar = [option.engine == "crossbar" for option in options]
    columns_of = {
        "in_channels": np.array(before, np.int64)[ins],
        "outputs": np.array(after, np.int64)[outs],
        "residual": residual[ins, outs].astype(np.int64),
        "engine": per_option([ENGINES.index(option.engine) for option in options]),
        "column_sharing": per_option([option.column_sharing or 0 for option in options]),
        "adc_type": per_option([
            ADC_TYPES.index(option.adc_type) if option.adc_type else 0 for option in options
        ]),
        "adc_bits": per_option([layer.adc_bits[0] if is_tile else 0 for is_tile in is_crossbar]),
        "adc_shift": per_option([layer.adc_shift * is_tile for is_tile in is_crossbar]),
        "copies": per_option([option.copies for option in options]),
    }
    fixed = {
        "input_bits": layer.input_bits[0],
        "output_bits": geometry.output_bits or 0,
        **summed_sizes(geometry),
        "rows": hardware.rows,
        "columns": hardware.columns,
        **array_sizes(hardware.array),
        "pe_inputs": space.pe_array.inputs,
        "pe_outputs": space.pe_array.outputs,
        "pe_pixels": space.pe_array.pixels,
    }
    for field in fields(LayerBatch):
        if field.name not in columns_of:
            value = fixed.get(field.name, getattr(geometry, field.name, None))
            columns_of[field.name] = np.full(len(ins), value, np.int64)
    batch = LayerBatch(**columns_of)
    try:
        costs = model.layer_costs(batch, extrapolate=extrapolate)
    except UserError as error:  # it names the row of the batch
        raise error.at(layer=index) from None
    weights = np.where(follows, np.outer(before, after) * geometry.window, 0)
    area = np.ceil(costs.area_um2).astype(np.int64).reshape(shape)
    return LayerTable(
        in_channels=before,
        out_channels=after,
        options=options,
        area_um2=np.where(follows[:, :, None], area, FORBIDDEN),
        time_ps=np.ceil(costs.time_ns * PICOSECONDS).astype(np.int64).reshape(shape),
        shared_um2=np.ceil(_shared(model, batch)).astype(np.int64).reshape(shape),
        weights=weights,
        is_known=costs.is_known.reshape(shape),
        residual=tuple(form.residual for form in layer.forms),
    )
