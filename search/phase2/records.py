"""What phase 2 chose and what was shown of it, as JSON holds it."""

from dataclasses import asdict
from typing import Any

from .certificate import Certificate, Shown
from .problem import Entry
from .tested import Tested

__all__ = ["certificate_record", "layers_record", "tested_record"]


def certificate_record(certificate: Certificate) -> dict[str, Any]:
    """What was shown, for JSON."""
    refused = certificate.refused
    return {
        "confidence": certificate.confidence,
        "parts": certificate.parts,
        "images": certificate.count,
        "chosen": _shown(certificate.chosen),
        "refused": None if refused is None else _shown(refused),
        "statement": certificate.statement,
    }


def _shown(shown: Shown) -> dict[str, Any]:
    return {
        "layers": layers_record(shown.entry),
        **asdict(shown.paired),
        "bound": shown.bound,
    }


def tested_record(tested: Tested) -> dict[str, int]:
    """Counts of the test images, for JSON."""
    return {
        "reference": tested.reference,
        "correct": tested.correct,
        "count": tested.count,
        "lost": tested.paired.lost,
        "gained": tested.paired.gained,
    }


def layers_record(entry: Entry) -> list[dict[str, int | None]]:
    """The bits of every layer, for JSON."""
    return [{"adc_bits": adc, "input_bits": bits} for adc, bits in entry.bits]
