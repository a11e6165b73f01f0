# amaranth: UnusedElaboratable=no
"""The sizes of a temporal core in closed form are those of what is elaborated."""

from collections import Counter
from dataclasses import replace

import pytest
from temporal import array_of, random_temporal, temporal

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.temporal.address_shape import BanksShape, record_width
from kakure.hdl.accelerators.temporal.operation import operation_layout, sizes_of
from kakure.hdl.accelerators.temporal.planner import program_alone, program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.target import most_pace
from kakure.hdl.accelerators.temporal.timing import operation_cycles
from kakure.hdl.emission.emit import emit
from kakure.hdl.synthesis.activity import FLIP_FLOPS
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.mapping import Mapper
from kakure.hdl.synthesis.yosys import find_engine
from kakure.search.cost.digital.tree import all_parts

COMPARED = {
    "ram": ("depth", "width"),
    "popcount": ("lanes",),
    "excess_counter": ("inputs", "many"),
    "horner_element": ("inputs",),
    "row_signs": ("outputs", "many"),
    "block_maker": ("inputs", "outputs", "word", "many", "rows", "mask_words"),
    "window_reader": ("inputs", "pixels", "batches", "word", "rows"),
    "finisher": ("outputs", "word", "banks", "rows", "sum_bits", "depth"),
    "scale_lane": ("sum_bits", "depth"),
    "summer": ("word", "banks", "rows"),
    "image_writer": ("word", "banks", "rows"),
    "logit_sender": ("outputs", "depth"),
}
"""What generators are called with, and the shapes of these kinds have by the same names."""


MORE = [pytest.param(seed, marks=pytest.mark.full) for seed in range(906, 912)]


@pytest.mark.parametrize("seed", [*range(900, 906), *MORE])
def test_the_tree_is_what_is_elaborated(seed, monkeypatch):
    config = random_temporal(seed)
    monkeypatch.setattr(
        "kakure.hdl.emission.emit.verilog_texts", lambda rtlil: [""] * len(rtlil)
    )  # no Yosys
    design = emit(Accelerator(config=config), "accelerator")
    elaborated = Counter(
        (module.kind, *(module.parameters[name] for name in COMPARED.get(module.kind, ())))
        for _, module in design.instances()
    )
    closed: Counter[tuple[str | int, ...]] = Counter()
    for part in all_parts(config):
        sizes = (getattr(part.shape, name) for name in COMPARED.get(part.kind, ()))
        closed[part.kind, *map(int, sizes)] += int(part.count[0])
    assert +closed == elaborated


@pytest.mark.parametrize("seed", range(900, 940))
def test_the_width_of_a_record_is_that_of_its_layout(seed):
    config = random_temporal(seed)
    array = array_of(config)
    sizes = sizes_of(program_of(config), array)
    layout = operation_layout(array, sizes)
    bits = BanksShape(array.slots, sizes.rows).address_bits
    assert record_width(bits, most_pace(array)) == layout.size


@pytest.mark.parametrize("seed", range(900, 930))
def test_a_layer_alone_is_what_it_is_in_a_chain(seed):
    config = random_temporal(seed)
    is_chain = all(g.reads == g.index and g.adds in (None, g.reads) for g in config.geometry)
    operations = iter(program_of(config).operations)
    for geometry in config.geometry:
        alone = program_alone(geometry, array_of(config))
        assert len(alone.operations) == 1 + (geometry.summed is not None)
        for one in alone.operations:
            other = next(operations)
            assert type(one) is type(other)
            if is_chain:
                assert operation_cycles(one) == operation_cycles(other)
            if is_chain and isinstance(one, LayerOperation) and isinstance(other, LayerOperation):
                assert (one.run, one.blocks, one.source.size) == (
                    other.run, other.blocks, other.source.size
                )  # fmt: skip


def test_a_pass_like_the_one_before_is_not_walked_again():
    """Cycles of many passes grow by the same number with each, once the first are through."""
    layer = {"kind": "conv", "kernel": 3, "channels": 4, "input_bits": 7, "residual": False}
    config = temporal(
        [layer, {"kind": "linear", "channels": 2, "input_bits": 4}], (8, 4, 2, 3), rows=2
    )
    operation = program_of(config).operations[0]
    assert isinstance(operation, LayerOperation)

    def cycles(passes: int) -> int:
        geometry = replace(operation.geometry, outputs=4 * passes)
        return operation_cycles(replace(operation, geometry=geometry))

    grown = [cycles(n + 1) - cycles(n) for n in range(2, 40)]
    assert len(set(grown)) == 1


@pytest.fixture(scope="module")
def design():
    return emit(Accelerator(config=random_temporal(1000)), "accelerator")


@pytest.mark.parametrize("kind", ["logit_sender", "temporal_core"])
def test_free_flip_flops_are_those_that_no_clock_gate_stops(kind, design, tmp_path):
    [module] = [module for module in design.modules.values() if module.kind == kind]
    [shape] = [part.shape for part in all_parts(random_temporal(1000)) if part.kind == kind]
    cells = library()
    netlist = Mapper(find_engine("auto"), cells, tmp_path).map(design, module).netlist
    flops = [i for i in netlist.instances if i.kind in FLIP_FLOPS]
    free = [i for i in flops if i.pins["CK"] == netlist.ports["clk"].bits]
    assert (len(flops), len(free)) == (shape.flops, shape.free_flops)
