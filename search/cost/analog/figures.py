"""A whole configuration as XPert reports it: EDAP, TOPS/W, TOPS/mm²."""

from dataclasses import dataclass

from kakure.model.config.config import Config
from kakure.search.cost.metrics import Metrics

__all__ = ["AnalogFigures"]


@dataclass(frozen=True)
class AnalogFigures:
    """A whole configuration as XPert reports it: one image at a time, layer after layer.

    Attributes
    ----------
    area_mm2 : tiles, the wiring between them, and the global buffer, once [mm²]
    latency_ms : [ms]
    energy_mj : leakage included [mJ]
    operations : two per multiply-accumulate that the network really has
    edap : energy · latency · area [mJ·ms·mm²]
    tops_per_watt, tops_per_mm2 : true operations per energy, and per time and area
    tile_area_mm2 : the tiles alone [mm²]
    """

    area_mm2: float
    latency_ms: float
    energy_mj: float
    operations: float
    edap: float
    tops_per_watt: float
    tops_per_mm2: float
    tile_area_mm2: float

    @classmethod
    def of(cls, config: Config, metrics: Metrics, *, tile_area_um2: float) -> "AnalogFigures":
        """The figures of a configuration whose cost, and tiles alone, are known."""
        operations = 2.0 * sum(layer.weights * layer.positions for layer in config.geometry)
        area, latency = metrics.area_um2 / 1e6, metrics.latency_ns / 1e6
        energy = metrics.energy_pj / 1e9
        return cls(
            area_mm2=area,
            latency_ms=latency,
            energy_mj=energy,
            operations=operations,
            edap=energy * latency * area,
            tops_per_watt=operations / metrics.energy_pj,
            tops_per_mm2=operations / metrics.latency_ns / 1000 / area,
            tile_area_mm2=tile_area_um2 / 1e6,
        )
