"""Verilog of RTLIL, in one Yosys process, with the same meaning in every simulator."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

from kakure.model.files.work_folder import temporary_folder

from . import yosys_instances

__all__ = ["START", "finished", "verilog_texts"]

NOTES = "generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding"
"""Attributes that Amaranth writes for its own use."""

_REMOVED = " ".join(f"-remove {name}" for name in NOTES)

SCRIPT = f"""read_rtlil <<end_of_rtlil
$RTLIL
end_of_rtlil
proc -nomux -norom
memory_collect
attrmap {_REMOVED}
attrmap -modattr {_REMOVED}
write_verilog -norename
"""
"""What ``amaranth.back.verilog`` lets Yosys do, in a process for each module."""

LONGEST_LINE = 2000
"""Longer lines of Verilog are broken where they can be [characters]."""

LONGEST_NUMBER = 16384
"""Longer numbers are written as lists of parts [bit]. Verilator reads numbers of at most 65 536
bits, as many as the standard asks for; Icarus reads at most 16 384 characters as one word."""
NUMBER_PART = 4096
"""Bits of such a part."""

START = r"\$start "
"""The register of a module that makes every combinational block run at time 0."""


def verilog_texts(rtlil: Sequence[str]) -> list[str]:
    """Verilog of modules, each given as the RTLIL of ``amaranth.back.rtlil``.

    What ``amaranth.back.verilog.convert`` makes of each alone, but for the start of simulation
    (:func:`_started`), ports of no bits, and long lines. A text depends on its own RTLIL only.

    Raises
    ------
    RuntimeError
        If Yosys refuses a module.
    """
    with temporary_folder("verilog") as folder:
        scripts = [folder / f"{number:06d}.ys" for number in range(len(rtlil))]
        for script, text in zip(scripts, rtlil, strict=True):
            script.write_text(SCRIPT.replace("$RTLIL", text), encoding="utf-8")
        command = [sys.executable, yosys_instances.__file__, str(folder)]
        done = subprocess.run(
            command,
            env=os.environ | {"TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            raise RuntimeError(f"Yosys writes no Verilog: {done.stderr.strip()}")
        texts = [script.with_suffix(".out").read_text(encoding="utf-8") for script in scripts]
    return [finished(text) for text in texts]


def finished(text: str) -> str:
    """Make the Verilog that Yosys writes fit for every simulator."""
    text = re.sub(r"\A/\*.*?\*/\s*", "", text, flags=re.DOTALL)
    return _wrapped(_with_short_numbers(_without_empty(_started(text))))


def _started(text: str) -> str:
    """Make every ``always @*`` run at time 0, whatever the simulator.

    Such a block runs when something that it reads changes. Yosys lets most of them read a register
    that only an initializer writes, for a change at time 0; but in SystemVerilog initializers come
    before all processes, so none sees it, and in Verilog-2001 the order is the simulator's choice.
    The others, one assignment each, rely on a change of what they copy. A non-blocking assignment
    takes effect after every process has begun to wait: all see it, be it from X or from 0.
    """
    name = re.search(r"^  reg (\\\$auto\S+) +=.*;$", text, re.MULTILINE)
    if name is not None:
        begins = f"  reg {START};\n  initial begin\n    {START}<= 1'h1;\n  end"
        text = text.replace(name[0], begins).replace(f"{name[1]} ", START)
    reads = f"  always @* begin\n    if ({START}) begin end\n"
    copies = re.compile(r"^  always @\*\n(    .*;\n)", re.MULTILINE)
    text = copies.sub(lambda found: f"{reads}{found[1]}  end\n", text)
    assert "$auto$" not in text, "such names depend on what else was written"
    assert text.count("always @*") == text.count(reads), "every combinational block reads it"
    return text


def _with_short_numbers(text: str) -> str:
    """Write numbers that are too long for a tool as lists, most significant part first."""

    def parts(found: re.Match[str]) -> str:
        bits, digits = int(found[1]), found[2]
        if bits <= LONGEST_NUMBER:
            return found[0]
        digits = digits.rjust(-(-bits // 4), "0")
        top, step = bits % NUMBER_PART or NUMBER_PART, NUMBER_PART // 4
        first = -(-top // 4)
        rest = (digits[at : at + step] for at in range(first, len(digits), step))
        numbers = [f"{top}'h{digits[:first]}", *(f"{NUMBER_PART}'h{part}" for part in rest)]
        return f"{{ {', '.join(numbers)} }}"

    return re.sub(r"\b(\d{5,})'h([0-9a-f]+)", parts, text)


def _wrapped(text: str) -> str:
    """Break long lists after their commas: Verilator reads at most 40 000 tokens a line."""
    lines = []
    for line in text.splitlines():
        while len(line) > LONGEST_LINE:
            at = line.rfind(", ", 0, LONGEST_LINE)
            if at <= 4:
                break
            lines.append(line[: at + 1])
            line = "    " + line[at + 2 :]
        lines.append(line)
    return "\n".join(lines) + "\n"


def _without_empty(text: str) -> str:
    """Drop ports and wires of no bits: Verilog has none, and Yosys writes them as two bits."""
    declaration = re.compile(r"^  (?:input|output|wire|reg) \[-1:0\] (\S+) ?;\n", re.MULTILINE)
    names = set(declaration.findall(text))
    text = declaration.sub("", text)

    def header(found: re.Match[str]) -> str:
        kept = [port for port in re.split(r",\s*", found[2]) if port not in names]
        return f"{found[1]}({', '.join(kept)});"

    return re.sub(r"^(module \S+)\(([^)]*)\);$", header, text, count=1, flags=re.MULTILINE)
