"""The register map in SystemRDL 2.0, which other tools turn into drivers, pages and models."""

from collections.abc import Mapping, Sequence

from .error_code import ERROR_TEXTS, ErrorCode
from .register_map import Field, Register

__all__ = ["system_rdl"]


def system_rdl(
    registers: Sequence[Register], name: str, title: str, constants: Mapping[str, int]
) -> str:
    """The register map as an address map of SystemRDL.

    What cannot be written and never changes is a constant (``sw = r``, ``hw = na``); what the
    accelerator shows is ``sw = r``, ``hw = w``; kept bits are ``sw = rw``, ``hw = r``; a pulse is
    that and ``singlepulse``. The codes of ERROR.CODE are an enumeration.

    Parameters
    ----------
    registers : sequence of Register
    name : str
        Of the address map, a name of Verilog.
    title : str
        What the address map is called for people.
    constants : mapping of str to int
        By the register's name, of those that never change.
    """
    codes = {code: _text(ERROR_TEXTS[code] or code.name) for code in ErrorCode}
    lines = [
        f"enum {name}_error {{",
        *(f"  {code.name} = 8'd{code.value} {{ desc = {text}; }};" for code, text in codes.items()),
        "};",
        "",
        f"addrmap {name} {{",
        f"  name = {_text(title)};",
        "  addressing = regalign;",
        "  default regwidth = 32;",
        "  default accesswidth = 32;",
    ]
    for register in registers:
        lines += [
            "",
            "  reg {",
            f"    desc = {_text(register.text)};",
            *_fields(register, name, constants.get(register.name)),
            f"  }} {register.name} @ 0x{register.offset:02X};",
        ]
    return "\n".join([*lines, "};", ""])


def _fields(register: Register, name: str, constant: int | None) -> list[str]:
    fields = register.fields or (Field("VALUE", 0, 32, register.text),)
    lines = []
    for field in fields:
        properties = _access(register, field, constant)
        if (register.name, field.name) == ("ERROR", "CODE"):
            properties.append(f"encode = {name}_error")
        reset = 0 if constant is None else (constant & field.mask) >> field.low
        properties.append(f"desc = {_text(field.text)}")
        bits = f"[{field.low + field.width - 1}:{field.low}]"
        lines.append("    field {")
        lines += [f"      {text};" for text in properties]
        lines.append(f"    }} {field.name}{bits} = {field.width}'h{reset:X};")
    return lines


def _access(register: Register, field: Field, constant: int | None) -> list[str]:
    if constant is not None:
        return ["sw = r", "hw = na"]
    if register.access == "r":
        return ["sw = r", "hw = w"]
    return ["sw = rw", "hw = r", *(["singlepulse"] if field.is_pulse else [])]


def _text(text: str) -> str:
    """A string of SystemRDL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
