"""The register map as a page for people."""

from .register_map import Register

__all__ = ["markdown"]


def markdown(registers: tuple[Register, ...], title: str) -> str:
    """The register map as a page."""
    lines = [f"# {title}", "", "| offset | name | access | meaning |", "|---|---|---|---|"]
    for register in registers:
        lines.append(
            f"| 0x{register.offset:02X} | {register.name} | {register.access} | {register.text} |"
        )
        for bits in register.fields:
            high = bits.low + bits.width - 1
            where = f"[{high}:{bits.low}]" if bits.width > 1 else f"[{bits.low}]"
            lines.append(f"| | {register.name}.{bits.name} {where} | | {bits.text} |")
    return "\n".join(lines) + "\n"
