"""The tables of a space under a cost model: every layer asked at once, and the whole checked."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError
from kakure.search.space.layer_space import Form
from kakure.search.space.point import Hardware
from kakure.search.space.space import Space

from .metrics import ADC_TYPES, ENGINES, CostModel, LayerBatch, array_sizes, summed_sizes
from .tables import FORBIDDEN, PICOSECONDS, LayerTable, Tables

__all__ = ["SharesArea", "build_tables"]

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
        "in_memory": int(hardware.cells == "memory"),
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
