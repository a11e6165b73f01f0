import numpy as np
import pytest

from kakure.search.cost.analog.constants import load_calibrations
from kakure.search.cost.analog.sweep import read_sweep
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS
from kakure.search.cost.analog.work import KINDS, LayerSize, Readout, floor_plan


def sizes(fan_in, outputs, positions=(256,), copies=(1,)):
    columns = np.broadcast_arrays(fan_in, outputs, positions, copies)
    return LayerSize(*(np.array(column, np.int64) for column in columns))


def readouts(sharing, kind, adc_bits, input_bits=8):
    columns = np.broadcast_arrays(
        np.atleast_1d(np.asarray(sharing, float)), kind == "sar", adc_bits, input_bits
    )
    return Readout(
        columns[0], np.array(columns[1]), columns[2].astype(float), columns[3].astype(float)
    )


def test_tiles_and_duplicates_are_those_of_the_sweep():
    sweep = read_sweep()
    for kind in KINDS:
        plan = floor_plan(kind, sizes([1152], [128]))
        part = sweep.take(sweep.kind == kind.config)
        assert set(part["tiles"]) == {plan.row_tiles[0] * plan.column_tiles[0]}
        assert set(part["speedup"]) == {plan.duplicates[0]}


def test_vgg16_takes_the_published_tiles():
    channels = np.array(VGG16_CHANNELS)
    plan = floor_plan(KINDS[0], sizes(9 * np.array((3, *channels[:-1])), channels))
    tiles = plan.row_tiles * plan.column_tiles
    assert tiles.tolist() == [1, 2, 2, 3, 3, 5, 5, 10, 18, 18, 18, 18, 18]
    assert plan.duplicates.tolist() == [32, 4, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert floor_plan(KINDS[0], sizes([9 * 512], [64])).row_tiles[0] == 9  # facts, 1.3


def test_clock_and_converter_cycles_are_exact():
    sweep = read_sweep()
    for kind in KINDS:
        circuit = load_calibrations()[kind.name].circuit
        part = sweep.take(sweep.kind == kind.config)
        many = len(part)
        estimate = circuit.estimate(part.readout, sizes([1152] * many, [128] * many))
        parts = estimate.parts
        assert np.allclose(parts["clk_ns"], part["clk_ns"], rtol=3e-3)
        cycles = part["L_adc_ns"] / part["clk_ns"]
        assert np.allclose(parts["L_adc_ns"] / parts["clk_ns"], cycles, rtol=1e-4)
        shares = part["CS"] >= kind.cells
        cycles = (part["L_accum_ns"] / part["clk_ns"])[shares]
        assert np.allclose((parts["L_accum_ns"] / parts["clk_ns"])[shares], cycles, rtol=1e-4)


def test_flash_areas_jump_as_published():
    converter = load_calibrations()["rram-4b-64"].circuit.converter
    assert converter.widths == (4, 5, 8, 11, 22, 44)
    bits = np.arange(3, 9)
    alone = converter.area_um2(readouts(1, "flash", bits))
    assert alone == pytest.approx([98, 215, 477, 1035, 2566, 6030], rel=0.01)
    widest = converter.area_um2(readouts(32, "flash", bits))
    assert widest == pytest.approx([165, 355, 733, 1490, 3003, 6030], rel=0.01)
    assert converter.area_um2(readouts(8, "sar", bits)) == pytest.approx(
        64.5 + 39.66 * bits, rel=1e-3
    )


def test_published_clocks():
    circuit = load_calibrations()["rram-4b-64"].circuit
    flash = circuit.clock_ns(readouts(8, "flash", np.arange(3, 9)))
    assert flash == pytest.approx([2.02, 2.09, 2.21, 2.45, 2.94, 3.92], abs=0.01)
    sar = circuit.clock_ns(readouts(8, "sar", np.arange(3, 9)))
    assert sar == pytest.approx([6.08, 7.48, 8.88, 10.28, 11.68, 13.08], abs=0.01)


def test_more_of_a_layer_costs_more():
    circuit = load_calibrations()["rram-4b-64"].circuit
    base = circuit.estimate(readouts(8, "sar", 6), sizes([1152], [128]))
    for bigger in (sizes([2304], [128]), sizes([1152], [256]), sizes([1152], [128], [1024])):
        other = circuit.estimate(readouts(8, "sar", 6), bigger)
        assert other.energy_pj[0] > base.energy_pj[0]
        assert other.latency_ns[0] > base.latency_ns[0]
        assert other.area_um2[0] >= base.area_um2[0]


def test_copies_trade_area_for_time():
    circuit = load_calibrations()["rram-4b-64"].circuit
    one, two = (
        circuit.estimate(readouts(8, "flash", 6), sizes([1152], [128], [256], [copies]))
        for copies in (1, 2)
    )
    assert two.area_um2[0] == pytest.approx(2 * one.area_um2[0])
    assert two.latency_ns[0] == pytest.approx(one.latency_ns[0] / 2)
    assert two.energy_pj[0] == pytest.approx(one.energy_pj[0])
    assert two.parts["leak_uW"][0] == pytest.approx(2 * one.parts["leak_uW"][0])
