"""XPert's published look-up cost: area and latency of a layer from its number of crossbars.

With C_in and C_out channels, windows of k positions, two cells a weight and crossbars of 64 x 64:

    N = ⌈k·C_in / 64⌉·⌈2·C_out / 64⌉     crossbars of one copy
    t = ⌈N / 64⌉,  S = 64·t / N          tiles of 64 crossbars, and the copies that fill them
    A = (a·m + e)·t + b·exp(c·t/m) + d    [µm²], m = column sharing
    L = (a'·e'·t + b'·m² + d')·f² / S     [1/64 ms], f² output positions

A fully connected layer of C inputs is ⌈⌈C/64⌉·⌈2·C_out/64⌉ / 64⌉ tiles and takes no time.

Source
------
Moitra et al., XPert, DAC 2023, arXiv:2303.17646, and the constants of its published program; they
were fitted for RRAM of 4 bits a cell, 64 x 64, 32 nm, 8 input bits and 6 bits of ADC.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.search.cost.metrics import ADC_TYPES, LayerBatch, LayerCosts, Metrics
from kakure.search.cost.table_building import build_tables
from kakure.search.cost.tables import PICOSECONDS, Tables
from kakure.search.space.space import Space

__all__ = ["LATENCY_UNIT_PS", "PublishedCost", "published_tables"]

LATENCY_UNIT_PS = 1_000_000_000 / 64
"""XPert's unit of latency, 1/64 ms [ps]."""

AREA = {
    "flash": (
        2557.166495434807,
        1325750339.0150185,
        0.0037802706563706337,
        -1325744426.1570153,
        355177.96577219985,
    ),
    "sar": (
        1662.1420546233026,
        1647434588.0067654,
        0.0011610296696243961,
        -1647433897.2349775,
        328615.0508042259,
    ),
}
"""a, b, c, d, e of the area [µm²]."""

LATENCY = {
    "flash": (
        0.08836970306542265,
        8.466777271635184e-05,
        0.10469741426869324,
        0.12532326984887984,
    ),
    "sar": (0.24051026469311507, 0.000432503086158724, 0.4050948974138533, 0.16033299026875378),
}
"""a', b', d', e' of the latency [1/64 ms]."""

CROSSBAR = 64
CELLS_PER_WEIGHT = 2
CROSSBARS_PER_TILE = 64

AREA_ERROR, TIME_ERROR = 0.052, 0.080
"""Mean error of whole networks against XPert's simulator, over the eleven in its published data."""
AREA_WORST, TIME_WORST = 0.190, 0.181
"""The worst of them: the published network 58.9 for 72.7 mm², SAR with CS 16 8.07 for 9.85 ms."""

FITTED = {
    "rows": 64,
    "columns": 64,
    "input_bits": 8,
    "adc_bits": 6,
    "residual": 0,
    "stride": 1,
    "summed": 0,
}
"""The only values at which the constants hold; of shortcuts, strides and summed maps nothing was
published."""


@dataclass
class PublishedCost:
    """The published cost as a cost model; energy and memory, of which it says nothing, are NaN.

    Attributes
    ----------
    copies_count : bool
        Whether copies ask for copies·N crossbars, from which t and S follow. As published they
        are in the space but in no formula.
    single_precision : bool
        Whether areas are computed in single precision, as published: b·exp(…) + d then cancels to
        multiples of 128 µm².
    """

    copies_count: bool = True
    single_precision: bool = False
    name: str = "published"

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself."""
        if (batch.engine != 0).any():
            raise UserError(
                "must be 'crossbar' with the published cost", where=("engine",), value="'pe_array'"
            )
        is_known = np.ones(len(batch), bool)
        for field, value in FITTED.items():
            actual = getattr(batch, field)
            is_known &= actual == value
            if not extrapolate and (actual != value).any():
                wrong = actual[actual != value][0]
                raise UserError(f"{field}: must be {value} with the published cost", value=wrong)
        is_head = (batch.kernel_height == batch.in_height) & (batch.out_height == 1)
        is_head &= batch.padding == 0
        rows = batch.kernel_height * batch.kernel_width * batch.in_channels
        columns = CELLS_PER_WEIGHT * batch.outputs
        one_copy = -(-rows // CROSSBAR) * -(-columns // CROSSBAR)
        copies = batch.copies if self.copies_count else np.ones_like(batch.copies)
        tiles = -(-one_copy * copies // CROSSBARS_PER_TILE)
        speed_up = CROSSBARS_PER_TILE * tiles / one_copy
        speed_up = speed_up * np.maximum(1.0, CROSSBAR / columns)
        positions = batch.out_height * batch.out_width
        area, latency = np.zeros((2, len(batch)))
        for index, name in enumerate(ADC_TYPES):
            chosen = batch.adc_type == index
            sharing = batch.column_sharing[chosen]
            area[chosen] = self._area(name, tiles[chosen], sharing)
            a, b, d, e = LATENCY[name]
            value = (a * e * tiles[chosen] + b * sharing**2 + d) * positions[chosen]
            latency[chosen] = np.where(is_head[chosen], 0.0, value / speed_up[chosen])
        nothing = np.full(len(batch), np.nan)
        return LayerCosts(
            area_um2=area,
            cycles=nothing,
            time_ns=latency * LATENCY_UNIT_PS / PICOSECONDS,
            energy_pj=nothing,
            memory_bits=nothing,
            area_error=np.full(len(batch), AREA_ERROR),
            time_error=np.full(len(batch), TIME_ERROR),
            energy_error=nothing,
            is_known=is_known,
        )

    def _area(
        self, adc_type: str, tiles: NDArray[np.int64], sharing: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        kind = np.float32 if self.single_precision else np.float64
        a, b, c, d, e = (kind(value) for value in AREA[adc_type])
        t, m = tiles.astype(kind), sharing.astype(kind)
        return ((a * m + e) * t + b * np.exp(c * t / m) + d).astype(np.float64)

    def metrics(self, config: Config, *, extrapolate: bool = False) -> Metrics:
        """Cost of a whole configuration: sums, and the slowest layer as the interval."""
        batch = LayerBatch.of(config)
        layers = self.layer_costs(batch, extrapolate=extrapolate)
        outside = [
            f"{field} must be {value} with the published cost, not {actual[actual != value][0]}"
            for field, value in FITTED.items()
            if ((actual := getattr(batch, field)) != value).any()
        ]
        return Metrics(
            layers=layers,
            area_um2=float(layers.area_um2.sum()),
            cycles=float("nan"),
            latency_ns=float(layers.time_ns.sum()),
            interval_ns=float(layers.time_ns.max()),
            energy_pj=float("nan"),
            memory_bits=float("nan"),
            area_error=AREA_ERROR,
            time_error=TIME_ERROR,
            energy_error=float("nan"),
            area_worst=AREA_WORST,
            time_worst=TIME_WORST,
            outside=tuple(outside),
        )


def published_tables(space: Space) -> Tables:
    """Costs as XPert's published search counts them, with what it leaves out left out.

    The last convolution costs neither area nor latency. The fully connected layer is one tile with
    that convolution's sharing and converter, and has no choice of its own: it takes its first
    option. Copies change nothing, and areas have single precision.

    Raises
    ------
    UserError
        If the space is not convolutions with one linear layer behind them, on 64 x 64 crossbars.
    """
    kinds = [layer.kind for layer in space.layers]
    if kinds[-2:] != ["conv", "linear"] or "linear" in kinds[:-1]:
        raise UserError(
            "must be convolutions and one linear layer for the published tables",
            where=("layers",),
            value=", ".join(kinds),
        )
    model = PublishedCost(copies_count=False, single_precision=True)
    (tables,) = build_tables(space, model)
    *layers, last, head = tables.layers
    picks = [_same_readout(head.options, option) for option in last.options]
    last = replace(
        last,
        area_um2=np.broadcast_to(head.area_um2[:, 0, :][:, picks], last.area_um2.shape).copy(),
        time_ps=np.zeros_like(last.time_ps),
    )
    head = replace(
        head,
        options=head.options[:1],
        area_um2=np.zeros_like(head.area_um2[:, :, :1]),
        time_ps=np.zeros_like(head.time_ps[:, :, :1]),
        shared_um2=head.shared_um2[:, :, :1],
        is_known=head.is_known[:, :, :1],
    )
    return replace(tables, layers=(*layers, last, head))


def _same_readout(options, option) -> int:
    for index, other in enumerate(options):
        if (other.adc_type, other.column_sharing) == (option.adc_type, option.column_sharing):
            return index
    raise UserError(
        f"the linear layer must offer {option.adc_type} and column_sharing "
        f"{option.column_sharing}, as the last convolution does",
        where=("layers",),
    )
