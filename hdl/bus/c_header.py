"""The register map as a C header."""

from .register_map import Register

__all__ = ["c_header"]


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
            lines.append(f"#define {name}_SHIFT {bits.low}u /* {bits.text} */")
            lines.append(f"#define {name}_MASK 0x{bits.mask:08X}u")
    return "\n".join([*lines, "", f"#endif /* {guard} */", ""])
