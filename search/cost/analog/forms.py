"""Components of an analog crossbar layer that are fitted: features times coefficients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .work import Kind, Readout

__all__ = ["FORMS", "Form"]

Floats = NDArray[np.float64]
Features = Callable[[Kind, Readout, Floats], list[Floats]]


@dataclass(frozen=True)
class Form:
    """A component as a sum of features times fitted coefficients.

    Attributes
    ----------
    unit : unit of the component
    terms : what each feature stands for
    features : (kind, readout, z) -> one array per term; z is the array's periphery [µm²] for
        ``A_other``, the side of a tile [mm] for the interconnect, unused elsewhere
    """

    unit: str
    terms: tuple[str, ...]
    features: Features


def _clock(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    shares, flash = np.float64(1) * (r.column_sharing > 1), np.float64(1) * ~r.is_sar
    mux = [shares, shares / r.column_sharing, shares * r.column_sharing]
    return [*mux, 1 - shares, flash, flash * 2.0**r.adc_bits]


def _accumulate_area(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    n = kind.size / r.column_sharing
    return [np.ones_like(n), n, n * r.adc_bits, n * (r.input_bits - 8)]


def _other_area(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    return [np.ones_like(z), r.column_sharing, r.adc_bits, z, r.input_bits - 8]


def _buffer_cycles(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    less = r.input_bits - 8
    crowd = np.maximum(np.sqrt(8 / r.column_sharing) - 1, 0)
    few = np.minimum(r.input_bits, 4) - 4
    one = np.ones_like(less)
    return [one, r.column_sharing, r.adc_bits, crowd, less, few, crowd * less]


def _adc_energy(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    planes = np.maximum(r.input_bits - 1, 1)
    sar, flash = planes * r.is_sar, planes * ~r.is_sar
    b = r.adc_bits
    return [planes * r.column_sharing, sar, sar * b, sar * b**2, flash, flash * 2.0**b]


def _accumulate_energy(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    alone = r.input_bits * (r.column_sharing < kind.cells)
    shared = r.input_bits - alone
    less = r.input_bits - 8
    return [
        shared,
        shared * r.adc_bits,
        alone,
        alone * r.adc_bits,
        r.input_bits * less,
        r.input_bits * less**2,
    ]


def _buffer_energy(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    return [np.ones_like(r.adc_bits), r.adc_bits, 1 / r.column_sharing, r.input_bits - 8]


def _wire_energy(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    ip, ap = r.input_bits, r.adc_bits
    return [ip, ip * z, ip * z * z, ap * z, ap * z * z]


def _switch_energy(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    sharing = r.column_sharing
    return [np.ones_like(sharing), sharing, sharing * (r.input_bits - 8)]


def _leakage(kind: Kind, r: Readout, z: Floats) -> list[Floats]:
    n = kind.size / r.column_sharing
    flash = n * ~r.is_sar * 2.0**r.adc_bits
    return [np.ones_like(n), n, n * r.adc_bits, flash, n * (r.input_bits - 8)]


FORMS: Mapping[str, Form] = {
    "clock": Form(
        "ns",
        ("multiplexer", "multiplexer / CS", "multiplexer · CS", "CS = 1", "flash", "flash · 2^AP"),
        _clock,
    ),
    "A_accum": Form(
        "µm² per array", ("1", "C/CS", "C/CS · AP", "C/CS · (IP − 8)"), _accumulate_area
    ),
    "A_other": Form(
        "µm² per array", ("1", "CS", "AP", "converters + shift-add [µm²]", "IP − 8"), _other_area
    ),
    "L_buffer": Form(
        "cycles per vector of the reference layer",
        ("1", "CS", "AP", "crowd", "IP − 8", "min(IP, 4) − 4", "crowd · (IP − 8)"),
        _buffer_cycles,
    ),
    "E_adc": Form(
        "pJ of the reference layer",
        ("(IP−1)·CS", "(IP−1)·SAR", "… · AP", "… · AP²", "(IP−1)·flash", "… · 2^AP"),
        _adc_energy,
    ),
    "E_accum": Form(
        "pJ of the reference layer",
        ("IP", "IP·AP", "IP, CS < cells", "IP·AP, CS < cells", "IP·(IP−8)", "IP·(IP−8)²"),
        _accumulate_energy,
    ),
    "E_buffer": Form("pJ of the reference layer", ("1", "AP", "1/CS", "IP − 8"), _buffer_energy),
    "E_ic": Form(
        "pJ of the reference layer",
        ("IP", "IP·side", "IP·side²", "AP·side", "AP·side²"),
        _wire_energy,
    ),
    "E_switch": Form("pJ of the reference layer", ("1", "CS", "CS·(IP−8)"), _switch_energy),
    "leak": Form(
        "µW of the reference layer",
        ("1", "C/CS", "C/CS·AP", "C/CS·2^AP·flash", "C/CS·(IP−8)"),
        _leakage,
    ),
}
"""crowd = max(√(8/CS) − 1, 0); side = side of a tile [mm]; C = columns of an array."""
