"""What a configuration costs: the one interface of all cost models."""

from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.spatial.pipeline import check_pipeline
from kakure.hdl.shape.numbers import bits
from kakure.model.config.accelerators.accelerator import AcceleratorConfig
from kakure.model.config.accelerators.spatial import SpatialConfig
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError

__all__ = [
    "ADC_TYPES",
    "ARRAY",
    "ENGINES",
    "CostModel",
    "LayerBatch",
    "LayerCosts",
    "Metrics",
    "array_sizes",
    "least_shift",
    "summed_sizes",
]

ADC_TYPES = ("flash", "sar")
"""Index of a readout's type in :class:`LayerBatch`."""

ENGINES = ("crossbar", "pe_array")
"""Index of an engine in :class:`LayerBatch`."""


ARRAY = ("array_inputs", "array_outputs", "array_pixels", "array_batches", "array_rows")
"""What a :class:`LayerBatch` holds of a temporal accelerator."""


def _nothing() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def array_sizes(accelerator: AcceleratorConfig | None) -> dict[str, int]:
    """What a :class:`LayerBatch` holds of an accelerator; None is a spatial one."""
    if not isinstance(accelerator, TemporalConfig):
        return dict.fromkeys(ARRAY, 0)
    return {name: getattr(accelerator, name.removeprefix("array_")) for name in ARRAY}


def _readout(layer: LayerConfig) -> dict[str, int]:
    """Sizes of a layer's readouts; where it has none, those that every model passes over."""
    if not isinstance(layer, CrossbarLayer):
        return {"column_sharing": 0, "adc_type": 0, "adc_bits": 0, "adc_shift": 0, "copies": 1}
    return {
        "column_sharing": layer.column_sharing,
        "adc_type": ADC_TYPES.index(layer.adc_type),
        "adc_bits": layer.adc_bits,
        "adc_shift": layer.adc_shift,
        "copies": layer.copies,
    }


def summed_sizes(geometry: LayerGeometry) -> dict[str, int]:
    """What a :class:`LayerBatch` holds of the map that a layer sums."""
    summed = geometry.summed
    if summed is None:
        return {"summed": 0, "map_bits": 0, "sum_shift": 0}
    return {"summed": summed.positions, "map_bits": summed.bits, "sum_shift": summed.shift}


def least_shift(
    summed: NDArray[np.int64], map_bits: NDArray[np.int64], input_bits: NDArray[np.int64]
) -> NDArray[np.int64]:
    """As few bits as must be dropped from a sum to let every sum fit ``input_bits``."""
    return np.maximum(bits(summed * ((1 << map_bits) - 1)) - input_bits, 0)


@dataclass(frozen=True)
class LayerBatch:
    """Layers to be costed, one per row: every attribute is an int64 array of shape (n,).

    Attributes
    ----------
    in_height, in_width, in_channels : map that the windows lie in, before padding
    kernel_height, kernel_width, padding : the window; a linear layer's is the whole map
    stride : distance of windows
    out_height, out_width, pool : window positions, and the side of the max-pool behind them
    outputs : output channels (XPert: CD)
    input_bits : width of an activation read (XPert: IP) [bit]
    output_bits : width of an activation written [bit]; 0 for the last layer
    summed, map_bits, sum_shift : positions of the map that is summed to one pixel before the
        windows, width of its activations [bit], bits dropped from a sum; 0 where the map is read
        as it is
    engine : index into :data:`ENGINES`
    column_sharing, adc_type, adc_bits, adc_shift, copies : XPert's CS, AT (index into
        :data:`ADC_TYPES`), AP, the readout's shift, and the layer's speed-up; 0, 0, 0, 0 and 1
        with engine ``pe_array``
    residual : 1 where the layer adds what it reads to what it computes, else 0
    rows, columns : size of a crossbar tile
    pe_inputs, pe_outputs, pe_pixels : size of a PE array
    array_inputs, array_outputs, array_pixels, array_batches, array_rows : of the array that layers
        take turns on; 0, which may be left out, in a spatial accelerator
    in_memory : 1 where the cells of crossbars are memories, if there are words enough; 0, which may
        be left out, where they are registers
    """

    in_height: NDArray[np.int64]
    in_width: NDArray[np.int64]
    in_channels: NDArray[np.int64]
    kernel_height: NDArray[np.int64]
    kernel_width: NDArray[np.int64]
    padding: NDArray[np.int64]
    stride: NDArray[np.int64]
    out_height: NDArray[np.int64]
    out_width: NDArray[np.int64]
    pool: NDArray[np.int64]
    outputs: NDArray[np.int64]
    input_bits: NDArray[np.int64]
    output_bits: NDArray[np.int64]
    summed: NDArray[np.int64]
    map_bits: NDArray[np.int64]
    sum_shift: NDArray[np.int64]
    engine: NDArray[np.int64]
    column_sharing: NDArray[np.int64]
    adc_type: NDArray[np.int64]
    adc_bits: NDArray[np.int64]
    adc_shift: NDArray[np.int64]
    copies: NDArray[np.int64]
    residual: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    pe_inputs: NDArray[np.int64]
    pe_outputs: NDArray[np.int64]
    pe_pixels: NDArray[np.int64]
    array_inputs: NDArray[np.int64] = field(default_factory=_nothing)
    array_outputs: NDArray[np.int64] = field(default_factory=_nothing)
    array_pixels: NDArray[np.int64] = field(default_factory=_nothing)
    array_batches: NDArray[np.int64] = field(default_factory=_nothing)
    array_rows: NDArray[np.int64] = field(default_factory=_nothing)
    in_memory: NDArray[np.int64] = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        for name in (*ARRAY, "in_memory"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.outputs), np.int64))

    def __len__(self) -> int:
        return len(self.outputs)

    @classmethod
    def of(cls, config: Config) -> "LayerBatch":
        """All layers of a configuration; UserError if no cost model knows it.

        That is an accelerator or an engine of another kind, and layers that are no chain.
        """
        if not isinstance(config.accelerator, SpatialConfig | TemporalConfig):
            raise UserError(
                "must be 'spatial' or 'temporal' in a cost model",
                where=("accelerator", "kind"),
                value=repr(config.accelerator.kind),
            )
        check_pipeline(config, "a cost model")
        rows = []
        for geometry, layer in zip(config.geometry, config.layers, strict=True):
            if layer.engine not in ENGINES:
                raise UserError(
                    f"must be {' or '.join(map(repr, ENGINES))} in a cost model",
                    where=("layers", geometry.index, "engine"),
                    value=repr(layer.engine),
                )
            rows.append({
                "in_height": geometry.in_height,
                "in_width": geometry.in_width,
                "in_channels": geometry.in_channels,
                "kernel_height": geometry.kernel_height,
                "kernel_width": geometry.kernel_width,
                "padding": geometry.padding,
                "stride": geometry.stride,
                "out_height": geometry.out_height,
                "out_width": geometry.out_width,
                "pool": geometry.pool,
                "outputs": geometry.outputs,
                "input_bits": geometry.input_bits,
                "output_bits": geometry.output_bits or 0,
                **summed_sizes(geometry),
                "engine": ENGINES.index(layer.engine),
                **_readout(layer),
                "residual": int(layer.residual),
                "rows": config.crossbar.rows,
                "columns": config.crossbar.columns,
                "pe_inputs": config.pe_array.inputs,
                "pe_outputs": config.pe_array.outputs,
                "pe_pixels": config.pe_array.pixels,
                **array_sizes(config.accelerator),
                "in_memory": int(config.crossbar.cells == "memory"),
            })
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.array([row[name] for row in rows], np.int64) for name in names})


@dataclass(frozen=True)
class LayerCosts:
    """What each layer of a batch costs, float64 arrays of shape (n,).

    Attributes
    ----------
    area_um2 : silicon area [µm²]
    cycles : clock cycles per image
    time_ns : time per image [ns]
    energy_pj : energy per image, leakage included [pJ]
    memory_bits : bits of on-chip memory, masks included [bit]
    area_error, time_error, energy_error : relative error to be expected of a layer by itself, the
        mean of held-out points, wider outside the fitted range; of networks see :class:`Metrics`
    is_known : bool array, whether the layer lies within the range that the model was fitted to
    """

    area_um2: NDArray[np.float64]
    cycles: NDArray[np.float64]
    time_ns: NDArray[np.float64]
    energy_pj: NDArray[np.float64]
    memory_bits: NDArray[np.float64]
    area_error: NDArray[np.float64]
    time_error: NDArray[np.float64]
    energy_error: NDArray[np.float64]
    is_known: NDArray[np.bool_]


@dataclass(frozen=True)
class Metrics:
    """What a whole configuration costs.

    Attributes
    ----------
    layers : LayerCosts
    area_um2 : float
        Everything, shared blocks included [µm²].
    cycles : float
        Clock cycles from one result to the next.
    latency_ns, interval_ns : float
        From an image's first word to its result; from one result to the next [ns].
    energy_pj : float
        Per image, leakage included [pJ].
    memory_bits : float
        [bit]
    area_error, time_error, energy_error : float
        Relative error to be expected of the whole: the mean of whole ones held out of the fit.
    area_worst, time_worst, energy_worst : float
        The worst of those; NaN where it is not known.
    outside : tuple of str
        What lies outside the range that the model was fitted to, a line for every parameter of
        every block, shared ones among them. Not empty: the errors above are widened by what
        leaving out the ends of the ranges showed, and further out they are still too small.
    """

    layers: LayerCosts
    area_um2: float
    cycles: float
    latency_ns: float
    interval_ns: float
    energy_pj: float
    memory_bits: float
    area_error: float
    time_error: float
    energy_error: float
    area_worst: float = float("nan")
    time_worst: float = float("nan")
    energy_worst: float = float("nan")
    outside: tuple[str, ...] = ()


class CostModel(Protocol):
    """A way to estimate costs."""

    name: str

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself.

        Raises
        ------
        UserError
            If a layer lies outside the fitted range and ``extrapolate`` is False; the line names
            the parameter, its range and the value.
        """
        ...

    def metrics(self, config: Config, *, extrapolate: bool = False) -> Metrics:
        """Cost of a whole configuration; raises as :meth:`layer_costs`."""
        ...
