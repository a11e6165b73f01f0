"""A Verilog module reduced to its ports, for the synthesis of its parent."""

import re

__all__ = ["black_box"]

_IGNORED = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*[^)].*?\*\)", re.DOTALL)
_HEADER = re.compile(r"\bmodule\b[^;]*;")
_PORT = re.compile(r"(?:input|output|inout)\b")


def black_box(verilog: str) -> str:
    """Return the module with its header and port declarations only, marked as a black box to keep.

    Both styles of declaration are understood: in the header, or after it.
    """
    text = _IGNORED.sub("", verilog)
    header = _HEADER.search(text)
    assert header is not None, "the text holds a module"
    statements = (statement.strip() for statement in text[header.end() :].split(";"))
    ports = [f"{statement};" for statement in statements if _PORT.match(statement)]
    return "\n".join(["(* blackbox, keep *)", header[0].strip(), *ports, "endmodule", ""])
