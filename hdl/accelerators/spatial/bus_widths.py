"""How wide a layer may be: the bits that one module can take in or send out."""

from kakure.hdl.engines.table import engine_of
from kakure.hdl.stages.requantizer_ports import output_shape
from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError

__all__ = ["MOST_BITS", "bus_widths", "check_bus_widths"]

MOST_BITS = 1_000_000
"""Verilog asks tools for vectors of 65 536 bits; those that read ours take more. Beyond this a
statement grows past what they were tried with."""


def bus_widths(config: Config, geometry: LayerGeometry) -> dict[str, int]:
    """Bits of the widest buses of a layer, by what they carry."""
    sum_bits = geometry.peak.bit_length() + 1
    return {
        "a window": geometry.fan_in * geometry.input_bits,
        "the sums of a window": geometry.outputs * (sum_bits + geometry.shortcut_bits),
        "a result": geometry.outputs * output_shape(geometry.output_bits).width,
        **engine_of(config, geometry.index).bus_widths,
    }


def check_bus_widths(config: Config) -> None:
    """See that every layer can be emitted.

    Raises
    ------
    UserError
        If a bus is wider than ``MOST_BITS``; it names the layer and what the bus carries.
    """
    for geometry in config.geometry:
        for name, bits in bus_widths(config, geometry).items():
            if bits > MOST_BITS:
                raise UserError(
                    f"{name} must have at most {MOST_BITS} bits to become hardware",
                    where=("layers", geometry.index),
                    value=bits,
                )
