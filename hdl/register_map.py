"""Memory-mapped registers: one table for the hardware, its manual and its C header."""

from dataclasses import dataclass, field

__all__ = ["ACCELERATOR_REGISTERS", "Field", "Register", "c_header", "markdown"]


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Attributes
    ----------
    name : str
    low, width : int
        Least significant bit, and number of bits.
    text : str
        What it means.
    """

    name: str
    low: int
    width: int
    text: str


@dataclass(frozen=True)
class Register:
    """A 32-bit register.

    Attributes
    ----------
    name : str
        In capitals, as in the C header.
    offset : int
        Byte address, a multiple of 4.
    access : str
        ``r`` or ``rw``.
    text : str
        What it means.
    fields : tuple of Field
        Its bits, where it is more than one number.
    """

    name: str
    offset: int
    access: str
    text: str
    fields: tuple[Field, ...] = field(default=())


IDENTITY = 0x4B414B55
"""Value of the IDENTITY register, the letters KAKU."""

MAP_VERSION = 1
"""Value of the VERSION register: it changes with this table."""

ACCELERATOR_REGISTERS = (
    Register("IDENTITY", 0x00, "r", "0x4B414B55, the letters KAKU."),
    Register("VERSION", 0x04, "r", "Version of this register map."),
    *(
        Register(
            f"DIGEST_{k}",
            0x08 + 4 * k,
            "r",
            f"Digits {8 * k} to {8 * k + 7} of the configuration's SHA-256.",
        )
        for k in range(8)
    ),
    Register(
        "CONTROL",
        0x28,
        "rw",
        "What the accelerator does.",
        (
            Field(
                "RESET",
                0,
                1,
                "Write 1: forget weights, images and errors. CLASS is written too. Reads as 0.",
            ),
            Field("CLASS", 1, 1, "1: one word per image, its class; 0: the logits."),
        ),
    ),
    Register(
        "STATUS",
        0x2C,
        "r",
        "What state the accelerator is in.",
        (
            Field("LOADED", 0, 1, "Weights are made; images are accepted."),
            Field("ERROR", 1, 1, "Loading failed, see ERROR; a reset recovers."),
            Field("BUSY", 2, 1, "An image is on its way."),
        ),
    ),
    Register(
        "ERROR",
        0x30,
        "r",
        "Why loading failed.",
        (
            Field("CODE", 0, 8, "0 none, 1 header, 2 length, 3 CRC, 4 scale."),
            Field("LAYER", 8, 8, "Layer whose section is wrong."),
        ),
    ),
    Register("LOAD_CYCLES", 0x34, "r", "Cycles from the first to the last word of the weights."),
    Register("RESULTS", 0x38, "r", "Images done since the reset."),
    Register(
        "LATENCY", 0x3C, "r", "Cycles from the first word of the first image to its last result."
    ),
    Register(
        "CYCLES", 0x40, "r", "Cycles from the first word of the first image to the latest result."
    ),
)

ADDRESS_BITS = 7
"""Width of an AXI4-Lite address [bit]."""


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


def c_header(registers: tuple[Register, ...], guard: str, constants: dict[str, str]) -> str:
    """The register map as a C header; ``constants`` are further names and their C values."""
    lines = [f"#ifndef {guard}", f"#define {guard}", ""]
    lines += [f"#define KAKURE_{name} {value}" for name, value in constants.items()]
    lines.append("")
    for register in registers:
        lines.append(f"/* {register.text} */")
        lines.append(f"#define KAKURE_{register.name}_OFFSET 0x{register.offset:02X}u")
        for bits in register.fields:
            name = f"KAKURE_{register.name}_{bits.name}"
            mask = ((1 << bits.width) - 1) << bits.low
            lines.append(f"#define {name}_SHIFT {bits.low}u /* {bits.text} */")
            lines.append(f"#define {name}_MASK 0x{mask:08X}u")
    return "\n".join([*lines, "", f"#endif /* {guard} */", ""])
