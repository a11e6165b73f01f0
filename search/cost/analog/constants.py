"""The fitted constants as data: constants.json and the circuits it describes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.errors import UserError

from .circuit import Circuit
from .converter import BITS, Converter
from .forms import FORMS
from .sweep import Sweep
from .work import KINDS, Kind

__all__ = ["CONSTANTS", "Calibration", "describe", "load_calibrations"]

CONSTANTS = Path(__file__).with_name("constants.json")
SWEPT = "xpert_sweep.csv"
DIGITS = 10
"""Significant digits of a constant."""


@dataclass(frozen=True)
class Calibration:
    """One kind of crossbar, ready for use.

    Attributes
    ----------
    circuit : Circuit
    ranges : dict
        Least and largest ``column_sharing``, ``adc_bits``, ``input_bits`` of the points fitted.
    layer_errors : dict
        Relative error to be expected of one layer by quantity: ``area``, ``latency``, ``energy``:
        of held-out points and of networks outside the fit, added in squares. Of a layer's latency
        only the worst is known.
    network_errors : dict
        Mean and worst relative error of a whole network by quantity; nan where it is not known.
    far_errors : dict
        As ``layer_errors``, with the largest error of a level that was left out of the fit: what
        extrapolation may expect.
    """

    circuit: Circuit
    ranges: dict[str, tuple[float, float]]
    layer_errors: dict[str, float]
    network_errors: dict[str, tuple[float, float]]
    far_errors: dict[str, float]


def describe(circuit: Circuit, part: Sweep) -> dict[str, Any]:
    """Constants of one kind with unit, source and range, as constants.json holds them."""
    r = part.readout
    ranges = {
        "column_sharing": [float(r.column_sharing.min()), float(r.column_sharing.max())],
        "adc_bits": [float(r.adc_bits.min()), float(r.adc_bits.max())],
        "input_bits": [float(r.input_bits.min()), float(r.input_bits.max())],
    }
    entries: dict[str, Any] = {}

    def enter(name: str, values: Any, unit: str, terms: Any, column: str) -> None:
        entries[name] = {
            "values": [_round(value) for value in np.ravel(values)],
            "unit": unit,
            "terms": list(terms),
            "source": column if "published" in column else f"{SWEPT}: {column}",
            "range": {key: list(value) for key, value in ranges.items()},
        }

    for name, form in FORMS.items():
        enter(name, circuit.coefficients[name], form.unit, form.terms, COLUMNS.get(name, name))
    adc = circuit.converter
    enter("sar", adc.sar_um2, "µm²", ("1", "AP", "CS"), "A_adc_um2")
    enter("flash", adc.flash_um2, "µm² per comparator", ("1", "packed columns"), "A_adc_um2")
    widths = [f"AP {bits}" for bits in range(BITS[0], BITS[1] + 1)]
    enter("flash_widths", adc.widths, "columns of 64 x 64 RRAM", widths, "A_adc_um2 and published")
    enter("pitch", adc.pitch, "columns of 64 x 64 RRAM", ("column",), "A_adc_um2")
    enter("array", circuit.array_um2, "µm² per array", ("1",), "A_array_um2")
    enter("wire", circuit.wire_um, "µm² per µm of tile side", ("side",), "A_ic_um2")
    enter("stages", circuit.stages, "cycles", ("least", "offset", "jump at 14"), "L_accum_ns")
    enter("alone", circuit.alone, "cycles", ("1", "AP"), "L_accum_ns with CS below cells")
    enter("hops", circuit.hops, "mm, mm, mm, 1", ("span", "first", "step", "drop"), "L_ic_ns")
    enter("wire_cycles", circuit.wire_cycles, "cycles", ("AP+6", "IP", "IP/CS"), "L_ic_ns")
    enter("activate", circuit.activate_cycles, "cycles per vector", ("CS",), "L_other_ns")
    enter("tree", circuit.tree_um, "µm²/µm", ("side·(8+8/CS)",), "glob_htree_um2")
    enter("buffer", circuit.buffer_um2, "µm² per bit", ("bits",), "glob_buffer_um2")
    enter("output_share", circuit.output_share, "1", ("1",), "published VGG16 latencies")
    return {"config": circuit.kind.config, "range": ranges, "constants": entries}


COLUMNS = {
    "clock": "clk_ns",
    "A_accum": "A_accum_um2",
    "A_other": "A_other_um2",
    "L_buffer": "L_buffer_ns",
    "E_adc": "E_adc_pJ",
    "E_accum": "E_accum_pJ",
    "E_buffer": "E_buffer_pJ",
    "E_ic": "E_ic_pJ",
    "E_switch": "E_other_pJ less E_buffer_pJ and E_ic_pJ",
    "leak": "leak_uW",
}


def _round(value: float) -> float:
    return float(f"{float(value):.{DIGITS}g}")


@cache
def load_calibrations(path: Path = CONSTANTS) -> Mapping[str, Calibration]:
    """Read the constants, by the names of :data:`KINDS`.

    Raises
    ------
    UserError
        If the file cannot be read or lacks a constant.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        networks = data["networks"]
        return {
            kind.name: _calibration(kind, data["kinds"][kind.name], networks, data["levels"])
            for kind in KINDS
        }
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(
            f"must be as `kakure study analog-fit` writes it: {error!r}",
            file=path,
        ) from None


def _calibration(
    kind: Kind, data: Mapping[str, Any], networks: Mapping[str, Any], levels: Mapping[str, Any]
) -> Calibration:
    values = {name: tuple(entry["values"]) for name, entry in data["constants"].items()}
    converter = Converter(
        sar_um2=values["sar"],
        flash_um2=values["flash"],
        widths=values["flash_widths"],
        pitch=values["pitch"][0],
        size=kind.size,
    )
    circuit = Circuit(
        kind=kind,
        converter=converter,
        coefficients={name: values[name] for name in FORMS},
        array_um2=values["array"][0],
        wire_um=values["wire"][0],
        stages=values["stages"],
        alone=values["alone"],
        hops=values["hops"],
        wire_cycles=values["wire_cycles"],
        activate_cycles=values["activate"][0],
        tree_um=values["tree"][0],
        buffer_um2=values["buffer"][0],
        output_share=values["output_share"][0],
    )
    ranges = {name: (low, high) for name, (low, high) in data["range"].items()}
    layer, whole, far = {}, {}, {}
    for name in ("area", "latency", "energy"):
        held = data["errors"][name]["held_out"]
        left = max(level[name]["max"] for level in levels.values())
        one, all_ = networks["layer"][name]["mean"], networks["whole"][name]
        worst = np.nan if all_["max"] is None else all_["max"]
        layer[name] = float(np.hypot(held["mean"], one))
        whole[name] = tuple(
            float(np.hypot(of_points, of_networks))
            for of_points, of_networks in ((held["mean"], all_["mean"]), (held["max"], worst))
        )
        far[name] = float(np.hypot(max(held["mean"], left), one))
    return Calibration(circuit, ranges, layer, whole, far)
