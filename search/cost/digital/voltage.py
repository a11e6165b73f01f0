"""What a measured accelerator would take at another voltage: a model, not a measurement.

Dynamic energy follows V². A period follows V / (V − 0.45 V)^1.3, the alpha-power law, and leakage
is a current that does not change, so a power that follows V: pessimistic at a lower voltage, where
less drain-induced barrier lowering leaves less of it. Macros of LSTP cells, which CACTI estimates
at 1.1 V, are taken to follow the same laws; those of LOP cells are estimated at 0.7 V already.

Source
------
Sakurai & Newton, IEEE JSSC 25(2), 1990, doi:10.1109/4.52187; threshold and exponent are ours, usual
for 45 nm.
"""

from .energy_measured import EnergyPoint

__all__ = ["LEAST_VOLTS", "MEASURED_VOLTS", "MOST_VOLTS", "energy_at", "period_ratio"]

MEASURED_VOLTS = 1.1
"""Of the library."""
MOST_VOLTS = 1.4
THRESHOLD_VOLTS = 0.45
ALPHA = 1.3
LEAST_VOLTS = 0.55
"""Below it the law does not hold: transistors are hardly on."""


def _delay(volts: float) -> float:
    return volts / (volts - THRESHOLD_VOLTS) ** ALPHA


def period_ratio(volts: float) -> float:
    """How many times as long a period is as at the measured voltage; ValueError out of range."""
    if not LEAST_VOLTS <= volts <= MOST_VOLTS:
        raise ValueError(f"volts must be {LEAST_VOLTS} to {MOST_VOLTS}, not {volts!r}")
    return _delay(volts) / _delay(MEASURED_VOLTS)


def energy_at(point: EnergyPoint, clock_ns: float, volts: float) -> float:
    """Energy per image [pJ] at ``volts``, of what takes ``clock_ns`` a cycle as measured."""
    ratio = volts / MEASURED_VOLTS
    leakage = point.leakage_uw * point.cycles * clock_ns / 1000
    return point.dynamic_pj * ratio**2 + leakage * ratio * period_ratio(volts)
