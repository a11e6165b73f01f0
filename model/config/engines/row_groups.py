"""How a crossbar cuts a layer's fan-in, and what a readout of a group gives at most."""

__all__ = ["code_peak", "row_groups"]


def row_groups(fan_in: int, rows: int) -> tuple[int, ...]:
    """Cut the unrolled fan-in into groups of at most ``rows``, in order."""
    full, rest = divmod(fan_in, rows)
    return (rows,) * full + ((rest,) if rest else ())


def code_peak(rows: int, adc_bits: int, adc_shift: int) -> int:
    """Largest value a readout of ``rows`` cells gives, worth ``code << adc_shift``."""
    half = (1 << adc_shift) >> 1
    return min((rows + half) >> adc_shift, (1 << adc_bits) - 1) << adc_shift
