"""Points of :class:`kakure.hdl.engines.pe_array.array.PeArray` and their golden vectors."""

from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.engines.pe_array.array import PeArray
from kakure.model.reference import crossbar, pe_array

from .fields import Field, Fields, signed_bits
from .pairwise import covering
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

PLANES = 4
"""Planes of a bitwise weight."""

QUICK = (
    (4, 2, 3, 3, "hidden", 1, 10),
    (3, 3, 2, 2, "bitwise", 2, 7),
)
NAMES = ("inputs", "outputs", "pixels", "input_bits", "kind", "banks", "fan_in")


def points() -> list[Point]:
    """Return the quick points, then some that hold every pair of values."""
    full = covering({
        "inputs": (1, 3, 4, 16),
        "outputs": (1, 2, 5),
        "pixels": (1, 3, 4),
        "input_bits": (1, 2, 5, 8),
        "kind": ("hidden", "bitwise"),
        "banks": (1, 2, 3),
        "fan_in": (1, 7, 16, 33),
    })
    quick: list[dict[str, Any]] = [dict(zip(NAMES, values, strict=True)) for values in QUICK]
    return [
        Point(
            block="pe_array",
            parameters=parameters,
            make=partial(_make, parameters),
            save_vectors=partial(save_vectors, parameters),
            is_quick=index < len(quick),
        )
        for index, parameters in enumerate([*quick, *full])
    ]


def _make(parameters: dict[str, Any]) -> PeArray:
    sizes = {name: value for name, value in parameters.items() if name != "fan_in"}
    return PeArray(**sizes, peak=_peak(parameters))


def _peak(parameters: dict[str, Any]) -> int:
    """Largest finished sum of ``fan_in`` products."""
    weight = 1 if parameters["kind"] == "hidden" else (1 << PLANES) - 1
    return parameters["fan_in"] * ((1 << parameters["input_bits"]) - 1) * weight


def save_vectors(parameters: dict[str, Any], path: Path) -> None:
    """Write the vectors of a point."""
    array = _Array(parameters)
    rng = np.random.default_rng(1)
    used = [PLANES] if array.is_hidden else [1, 2, 3, PLANES]
    sums = {
        "random sums": [array.sum(rng, used=n) for n in used * 2],
        "largest and smallest": [
            array.sum(rng, used=n, sign=sign) for n in used for sign in (1, -1)
        ],
        "zeros": [array.sum(rng, used=PLANES, largest=0), array.sum(rng, used=PLANES)],
    }
    cases = [array.case(name, Random(1), members) for name, members in sums.items()]
    Vectors(cases, array.inputs, array.outputs, parameters).save(path)


class _Array:
    """The array in plain numbers: blocks of sums, and what every bank then holds."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.lanes = parameters["inputs"]
        self.fan_in = parameters["fan_in"]
        self.input_bits = parameters["input_bits"]
        self.is_hidden = parameters["kind"] == "hidden"
        self.banks = range(parameters["banks"])
        self.pixels = range(parameters["pixels"])
        self.channels = range(parameters["outputs"])
        lanes = range(self.lanes)
        self.inputs = Fields([
            *(Field(f"x[{p}][{i}]", self.input_bits) for p in self.pixels for i in lanes),
            *(Field(f"positive[{o}]", self.lanes) for o in self.channels),
            *(
                [Field(f"negative[{o}]", self.lanes) for o in self.channels]
                if self.is_hidden
                else [Field("doubles", 1)]
            ),
            Field("is_first", 1),
            Field("is_last", 1),
            *([Field("bank", (len(self.banks) - 1).bit_length())] if len(self.banks) > 1 else []),
        ])
        self.outputs = Fields.array(
            [
                f"bank {b}, pixel {p}, channel {o}"
                for b in self.banks
                for p in self.pixels
                for o in self.channels
            ],
            signed_bits(_peak(parameters)),
            is_signed=True,
        )

    def sum(
        self,
        rng: np.random.Generator,
        *,
        used: int,
        sign: int | None = None,
        largest: int | None = None,
    ) -> list[dict[str, Any]]:
        """The blocks of one sum; of bitwise weights ``used`` planes, the last ones of more."""
        top = (1 << self.input_bits) - 1 if largest is None else largest
        x = rng.integers(0, top + 1, (len(self.pixels), self.fan_in))
        if sign is not None:
            x[:] = top
        if self.is_hidden:
            w = rng.integers(-1, 2, (self.fan_in, len(self.channels)))
            w = w if sign is None else np.full_like(w, sign)
            value = pe_array.pe_array(x, w)
            planes = [(w > 0, w < 0)]
        else:
            u = rng.integers(0, 1 << PLANES, (self.fan_in, len(self.channels)))
            u = u if sign is None else np.full_like(u, (1 << PLANES) - 1 if sign > 0 else 0)
            value = pe_array.pe_array_bitwise(x, u, bits=PLANES, used=used)
            planes = [(plane > 0, plane == 0) for plane in crossbar.bitwise_planes(u, PLANES)]
            planes = planes[:used]
        blocks = self._blocks(x, planes)
        blocks[-1]["value"] = value
        return blocks

    def _blocks(
        self, x: NDArray[np.int64], planes: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]
    ) -> list[dict[str, Any]]:
        """Cut a sum into blocks; where the last is not full, activations are 0, weights any."""
        fill = -self.fan_in % self.lanes
        x = np.pad(x, ((0, 0), (0, fill)))
        padded = [
            [np.pad(bits, ((0, fill), (0, 0)), constant_values=True) for bits in plane]
            for plane in planes
        ]
        return [
            {
                "x": x[:, start : start + self.lanes],
                "positive": positive[start : start + self.lanes],
                "negative": negative[start : start + self.lanes],
                "doubles": plane > 0 and start == 0,
                "is_first": plane == 0 and start == 0,
            }
            for plane, (positive, negative) in enumerate(padded)
            for start in range(0, x.shape[1], self.lanes)
        ]

    def case(self, name: str, order: Random, sums: list[list[dict[str, Any]]]) -> Case:
        """The sums dealt out to the banks, block by block in a random order."""
        queues: list[list[dict[str, Any]]] = [[] for _ in self.banks]
        for index, blocks in enumerate(sums):
            queues[index % len(queues)] += blocks
        inputs = []
        outputs = []
        where = []
        steps = []
        banks = np.zeros((len(self.banks), len(self.pixels), len(self.channels)), np.int64)
        for bank in self.banks:  # from here on every bank is known
            first = {**sums[0][0], "is_first": True, "value": None}
            inputs.append(self._pack(first, bank))
            steps.append(self._steps(is_last=False))
            self._add(banks, bank, first)
        while any(queues):
            bank = order.choice([b for b in self.banks if queues[b]])
            block = queues[bank].pop(0)
            inputs.append(self._pack(block, bank))
            self._add(banks, bank, block)
            is_last = block.get("value") is not None
            steps.append(self._steps(is_last=is_last))
            if is_last:
                assert (banks[bank] == block["value"]).all()
                outputs.append(self.outputs.pack(banks.reshape(-1)))
                where.append(f"sum of bank {bank}")
        return Case(name, inputs, outputs, where, "".join(steps))

    def _add(self, banks: NDArray[np.int64], bank: int, block: dict[str, Any]) -> None:
        """acc ← c·acc + Σ x·w of one block."""
        weights = block["positive"].astype(np.int64) - block["negative"]
        factor = 0 if block["is_first"] else 1 + block["doubles"]
        banks[bank] = factor * banks[bank] + block["x"] @ weights

    def _pack(self, block: dict[str, Any], bank: int) -> int:
        def words(bits: NDArray[np.bool_]) -> list[int]:
            return [sum(int(bit) << i for i, bit in enumerate(column)) for column in bits.T]

        return self.inputs.pack([
            *block["x"].reshape(-1),
            *words(block["positive"]),
            *(words(block["negative"]) if self.is_hidden else [block["doubles"]]),
            block["is_first"],
            block.get("value") is not None,
            *([bank] if len(self.banks) > 1 else []),
        ])

    def _steps(self, *, is_last: bool) -> str:
        last = step(takes=True, completes=is_last)
        return str(step(takes=False, completes=False)) * (self.input_bits - 1) + str(last)
