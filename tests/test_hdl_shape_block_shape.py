"""Shapes against what is elaborated: children with all their sizes, and flip-flops."""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from amaranth.lib import wiring
from temporal import random_temporal

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.temporal.program_reader_shape import ProgramReaderShape
from kakure.hdl.emission.emit import Emission
from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.hdl.engines.pe_array.array import PeArray
from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, instance_name
from kakure.hdl.shape.numbers import range_bits
from kakure.hdl.stages.max_pool_shape import MaxPoolShape
from kakure.search.cost.digital.description import stacked
from kakure.search.cost.digital.library import BLOCKS
from kakure.sim.random_config import random_config

pytestmark = pytest.mark.xdist_group("block_shape")  # they share what is elaborated

SEEDS = (0, 1, 2, 4, 5, 6, 8, 11, 223)  # the last one has a stride between windows of one pixel
FIRST_TURNS = 1000
TURNS = (1000, 1002)
"""Seeds of accelerators whose layers take turns: FIRST_TURNS and above."""
REST = (3, 7, 9, 10, 1001, *range(1003, 1010))
MORE = [pytest.param(seed, marks=pytest.mark.full) for seed in REST]
MANY = [(*SEEDS, *TURNS), pytest.param((*SEEDS, *TURNS, *REST), marks=pytest.mark.full)]
"""Of several accelerators together: a few, and all."""
IN_PIECES = 1057
"""Seed of an accelerator with words of masks of 64 bits."""
REDUCED = {
    "crossbar_tile": "with a shift the low bits of all sums are 0",
    "memory_tile": "with a shift the low bits of all sums are 0",
    "frame_gate": "two codes of an error; an image of one word is never short",
    "max_pool": "without a rest the row of blocks makes no difference",
    "pe_engine": "low bits of a first row, positions of a batch of one, blocks of a lone one",
    "register_bank": "answers have one bit of two, of the data only CONTROL's is kept",
    "result_sender": "a lone class has nothing to compare",
    "sign_generator": "start states go to xorshift32 at once",
    "sliding_window": "a window of one pixel needs no position",
    "strided_window": "of the row of a window of one pixel its place in a stride may be enough",
    "sum_pool": "of a lone position the bits that are dropped are kept by nobody",
    "image_writer": "the last value of a word is written at once",
    "logit_sender": "a lone word has no address",
    "program_reader": "of a header the token's three bits are kept",
    "temporal_array": "a step's first plane is in its first cycle",
    "weight_generator": "of the last word of a layer nobody asks",
    "work_counters": "what is counted tells when lanes are",
}
"""Kinds of which synthesis drops flip-flops, and why."""
DROPPED = {
    "crossbar_tile": (0, 32), "memory_tile": (0, 32), "frame_gate": (2, 2), "max_pool": (0, 2),
    "pe_engine": (0, 10), "register_bank": (28, 28), "result_sender": (0, 32),
    "sign_generator": (0, 32), "sliding_window": (0, 4), "strided_window": (0, 2),
    "sum_pool": (0, 33), "image_writer": (8, 8), "logit_sender": (0, 2), "program_reader": (29, 29),
    "temporal_array": (1, 1), "weight_generator": (0, 4), "work_counters": (1, 1),
}  # fmt: skip
"""The fewest and the most that are dropped of one of those that are looked at."""


class _Modules:
    """The distinct modules below a component, elaborated."""

    def __init__(self, top: wiring.Component) -> None:
        emission = Emission()
        emission.add(top, "top")
        self.texts = {name: module.rtlil for name, module in emission.modules.items()}
        components: dict[str, Any] = {n: m.component for n, m in emission.modules.items()}
        self.shapes: dict[str, BlockShape] = {n: c.shape for n, c in components.items()}

    def children(self, name: str) -> Counter[tuple[str, BlockShape]]:
        """Instances in a module by name and shape."""
        cells = re.findall(r"^  cell \\(\S+) \\(\S+)$", self.texts[name], re.MULTILINE)
        plain = ((m, re.sub(r"\$\d+$", "", i)) for m, i in cells)  # where a signal has the name
        return Counter((instance_name(i), _plain(self.shapes[m])) for m, i in plain)

    def flops(self, name: str) -> int:
        """Bits of the registers that a module has as it is written."""
        shape, text = self.shapes[name], self.texts[name]
        widths = re.findall(r"cell \$\w*ff\w* .*\n(?:    .*\n)*?    parameter \\WIDTH (\d+)", text)
        memory = shape.bits + shape.width if isinstance(shape, RamShape) else 0
        return sum(map(int, widths)) + memory


def _plain(shape: BlockShape) -> BlockShape:
    """The shape without what its block cannot know of its use."""
    if isinstance(shape, RamShape):
        return replace(shape, always_reads=0)
    return replace(shape, write_groups=0) if isinstance(shape, TileShape) else shape


@cache
def _modules(seed: int) -> _Modules:
    config = random_temporal(seed) if seed >= FIRST_TURNS else random_config(seed)
    return _Modules(Accelerator(config=config))


def _said(shape: BlockShape) -> Counter[tuple[str, BlockShape]]:
    found: Counter[tuple[str, BlockShape]] = Counter()
    for child in shape.children():
        found[child.name, _plain(child.shape)] += child.count
    return +found


@pytest.mark.parametrize("seed", [*SEEDS, *TURNS, *MORE])
def test_children_are_what_is_placed_with_all_their_sizes(seed):
    modules = _modules(seed)
    for name, shape in modules.shapes.items():
        assert _said(shape) == modules.children(name), shape


@pytest.mark.parametrize("kind", ["hidden", "bitwise"])
def test_children_of_an_array_are_what_is_placed(kind):
    array = PeArray(inputs=3, outputs=2, pixels=5, input_bits=2, kind=kind, peak=40, banks=2)
    modules = _Modules(array)
    for name, shape in modules.shapes.items():
        assert _said(shape) == modules.children(name), shape


@pytest.mark.parametrize("seed", [*SEEDS, *TURNS, *MORE])
def test_flip_flops_are_the_registers_that_are_written_but_for_those_that_are_dropped(seed):
    """Those of synthesis are counted by the tests of the digital model's fit."""
    modules = _modules(seed)
    for name, shape in modules.shapes.items():
        written = modules.flops(name)
        if isinstance(shape, TileShape):
            assert shape.flops == written - shape.columns * shape.adc_shift, shape
        elif isinstance(shape, MaxPoolShape):
            blocks = 0 if shape.height % shape.size else shape.height // shape.size
            assert shape.flops == written - range_bits(blocks), shape
        elif shape.kind in REDUCED:
            assert shape.flops <= written, shape
        else:
            assert shape.flops == written, shape


@pytest.mark.parametrize("seeds", MANY, ids=len)
def test_every_kind_is_elaborated_and_no_more_than_needed_is_taken_for_reduced(seeds):
    dropped: dict[str, list[int]] = {}
    for seed in seeds:
        modules = _modules(seed)
        for name, shape in modules.shapes.items():
            dropped.setdefault(shape.kind, []).append(int(modules.flops(name) - shape.flops))
    assert set(dropped) == set(BLOCKS)
    assert set(REDUCED) == {kind for kind, many in dropped.items() if any(many)}
    assert {kind: (min(dropped[kind]), max(dropped[kind])) for kind in REDUCED} == DROPPED


def test_a_reader_keeps_what_came_of_a_word_of_a_mask_in_pieces():
    modules = _modules(IN_PIECES)
    readers = [(n, s) for n, s in modules.shapes.items() if isinstance(s, ProgramReaderShape)]
    [(name, shape)] = readers
    assert shape.pieces == 2
    dropped = int(modules.flops(name) - shape.flops)
    assert (dropped, dropped) == DROPPED["program_reader"]


@pytest.mark.parametrize("seeds", MANY, ids=len)
def test_arrays_of_blocks_have_the_numbers_of_each(seeds):
    """Every parameter, flip-flop, clock gate and term of many blocks is that of each alone."""
    found: dict[tuple[str, type], list[BlockShape]] = {}
    for seed in seeds:
        for shape in _modules(seed).shapes.values():
            inner = type(getattr(shape, "core", None))  # of an accelerator: not both kinds at once
            found.setdefault((shape.kind, inner), []).append(shape)
    for shapes in found.values():
        many = stacked(shapes)
        size = len(shapes)
        for name in (*many.parameters, "flops", "gates", "free_flops", "held_flops"):
            values = np.broadcast_to(getattr(many, name), size).tolist()
            assert values == [getattr(shape, name) for shape in shapes], name
        terms = [shape.terms for shape in shapes]
        for name, values in many.terms.items():
            wanted = [float(np.asarray(one[name]).item()) for one in terms]
            assert np.broadcast_to(values, size).tolist() == wanted, (many.kind, name)


def test_every_shape_says_what_its_area_grows_with():
    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    kinds = list(below(BlockShape))
    assert len(kinds) > 30
    assert not [kind.__name__ for kind in kinds if kind.terms is BlockShape.terms]
