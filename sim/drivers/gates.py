"""A combinational block on many inputs at once: its gates, each on one long word."""

import re
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from amaranth.lib import wiring
from numpy.typing import ArrayLike, NDArray

from kakure.hdl.synthesis.yosys import find_engine

rtlil = import_module("amaranth.back.rtlil")  # amaranth-stubs do not know it

__all__ = ["Gates"]

SCRIPT = """read_rtlil $FOLDERdesign.il
hierarchy -check -top top
proc -norom
flatten
opt
techmap
opt
setundef -zero
aigmap
opt_clean
write_aiger -ascii -symbols $FOLDERdesign.aag
"""
AT_ONCE = 1 << 17
"""Inputs in one word; bounds the memory that all the nets take."""


class Gates:
    """AND gates and inverters of a block; bit k of each net's word belongs to input k.

    Thousands of times as fast as a simulator of events; it knows no clock.

    Parameters
    ----------
    block : Component
        Without registers; its ports are plain signals of at most 62 bits.

    Raises
    ------
    UserError
        If Yosys refuses the block, or it has registers.
    """

    def __init__(self, block: wiring.Component) -> None:
        engine = find_engine()
        with TemporaryDirectory() as name:
            folder = Path(name)
            text = rtlil.convert(block, name="top", emit_src=False)
            (folder / "design.il").write_text(text, encoding="utf-8")
            (folder / "script").write_text(
                SCRIPT.replace("$FOLDER", engine.path("")), encoding="utf-8"
            )
            engine.run("script", folder)
            lines = (folder / "design.aag").read_text(encoding="utf-8").splitlines()
        most, inputs, latches, outputs, gates = map(int, lines[0].split()[1:])
        assert not latches, "a block of gates must have no registers"
        self._nets = 2 * (most + 1)
        self._ins = [int(line) for line in lines[1 : 1 + inputs]]
        self._outs = [int(line) for line in lines[1 + inputs : 1 + inputs + outputs]]
        first = 1 + inputs + outputs
        self._gates = [tuple(map(int, line.split())) for line in lines[first : first + gates]]
        self._places: dict[str, dict[str, dict[int, int]]] = {"i": {}, "o": {}}
        for line in lines[first + gates :]:
            found = re.fullmatch(r"([io])(\d+) (\w+)(?:\[(\d+)\])?", line)
            if found is None:  # a comment follows
                break
            side, index, port, bit = found.groups()
            self._places[side].setdefault(port, {})[int(bit or 0)] = int(index)

    def __call__(self, **inputs: ArrayLike) -> dict[str, NDArray[np.int64]]:
        """Outputs by name, for equally many values of every input."""
        values = {name: np.asarray(array, np.int64) for name, array in inputs.items()}
        assert set(self._places["i"]) <= set(values), "every input must have values"
        (many,) = {len(array) for array in values.values()}
        parts = [
            self._part({name: array[start : start + AT_ONCE] for name, array in values.items()})
            for start in range(0, many, AT_ONCE)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _part(self, values: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        many = len(next(iter(values.values())))
        ones = (1 << many) - 1
        net = [0] * self._nets  # both senses of each, so that no gate asks
        net[1] = ones
        for name, bits in self._places["i"].items():
            for bit, index in bits.items():
                packed = np.packbits((values[name] >> bit & 1).astype(np.uint8), bitorder="little")
                word = int.from_bytes(packed.tobytes(), "little")
                net[self._ins[index]], net[self._ins[index] + 1] = word, word ^ ones
        for out, left, right in self._gates:
            word = net[left] & net[right]
            net[out], net[out + 1] = word, word ^ ones
        found = {}
        for name, bits in self._places["o"].items():
            total = np.zeros(many, np.int64)
            for bit, index in bits.items():
                data = net[self._outs[index]].to_bytes((many + 7) // 8, "little")
                array = np.unpackbits(np.frombuffer(data, np.uint8), count=many, bitorder="little")
                total |= array.astype(np.int64) << bit
            found[name] = total
        return found
