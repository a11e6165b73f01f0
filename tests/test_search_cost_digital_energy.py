"""The energy model against what was measured; a netlist against the reference on real images."""

import json
from math import log2
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.layer_cycles import layer_cycles
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.synthesis import gate_order, netlist_simulation
from kakure.hdl.synthesis.netlist_simulation import NetlistSimulation
from kakure.hdl.synthesis.power import measure_energy
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config, parse_config
from kakure.model.datasets.images import load_images
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.search.commands.kakure import main
from kakure.search.cost.digital import energy, energy_model
from kakure.search.cost.digital.coefficients import Coefficients
from kakure.search.cost.digital.energy import open_trained
from kakure.search.cost.digital.energy_fit import errors_of, fit_energy
from kakure.search.cost.digital.energy_measured import (
    SHARED,
    EnergyPoint,
    append,
    read_points,
    roles,
)
from kakure.search.cost.digital.energy_model import ENERGY, EnergyModel, shared_works
from kakure.search.cost.digital.energy_run import mapped_accelerator, run_accelerator
from kakure.search.cost.digital.energy_samples import (
    energy_samples,
    is_held_out,
    is_in_memory,
    is_large,
    is_summed,
)
from kakure.search.cost.digital.energy_terms import role_cells, works
from kakure.search.cost.digital.library import CLOCK_GATE_UM2, FLIP_FLOP_UM2
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.digital.tree import config_layers, layer_parts, layer_shape, shared_parts
from kakure.search.cost.metrics import LayerBatch

TINY = {
    "name": "tiny",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 1},
    "crossbar": {"rows": 64, "columns": 16},
    "layers": [
        {
            "kind": "linear",
            "channels": 10,
            "input_bits": 1,
            "engine": "crossbar",
            "column_sharing": 2,
            "adc_type": "flash",
            "adc_bits": 2,
        }
    ],
}


@pytest.fixture(scope="module")
def points() -> list[EnergyPoint]:
    return read_points()


@pytest.fixture(scope="module")
def model() -> EnergyModel:
    found = EnergyModel.read(Coefficients.read().blocks)
    assert found is not None
    return found


def tiny() -> Config:
    return parse_config(json.dumps(TINY), "tiny")


def test_the_netlist_computes_what_the_reference_does_in_the_same_cycles():
    config = tiny()
    parameters = random_parameters(config, 5)
    images = load_images(config, Path(), "test").images[:12]
    flat = mapped_accelerator(config)
    run = run_accelerator(flat, config, parameters, images, lanes=8)  # asserts every logit
    assert run.distinct == 12
    assert run.images == 2 and run.inference.cycles > 0 and run.loading.cycles > 0
    report = measure_energy(flat, run.inference)
    assert len(report.instances) == len(flat.paths) == len(roles(flat))
    assert report.energy_pj(2.0) == pytest.approx(
        report.dynamic_pj + report.leakage_uw * run.inference.cycles * 2.0 / 1000
    )
    quiet = {i.kind: i for i in report.by_kind().values()}["weight_generator"]
    assert quiet.clock_pj > 0 and quiet.switching_pj < 0.01 * quiet.clock_pj

    layer = parameters.layers[0]
    layer.offset[0] += 1  # another network: its results must not pass as the reference's
    with pytest.raises(AssertionError, match="lane 0, image 0 differs"):
        wrong = random_parameters(config, 5)
        _swapped(flat, config, parameters, wrong, images)


def _swapped(flat, config, parameters, wrong, images) -> None:
    """Run ``parameters`` and hold them against the reference of ``wrong``."""
    from kakure.search.cost.digital import energy_run

    original = energy_run.network
    energy_run.network = lambda c, p, x: original(c, wrong, x)
    try:
        run_accelerator(flat, config, parameters, images, lanes=2)
    finally:
        energy_run.network = original


def test_cells_in_closed_form_are_those_of_the_netlists(points):
    blocks = Coefficients.read().blocks
    for point in points:
        config = point.parsed
        layers = {}
        if config.accelerator.kind == "spatial":
            shape = config_layers(config)
            layers = role_cells(layer_parts(shape), len(shape), blocks)
        once = role_cells(shared_parts(config), 1, blocks)
        for row in point.rows:
            index = max(row.layer, 0)
            cells = (once if row.layer == SHARED else layers)[row.role]
            counted = [int(a[index]) for a in (cells.instances, cells.flops, cells.gates)]
            if row.role == "block_maker":  # bits that are always 0 are not always seen
                many = TemporalConfig.of(config.accelerator).many
                counted[1] -= int(log2(many)) if counted[1] > row.flops else 0
            assert counted == [row.instances, row.flops, row.gates], (point.digest, row)


def test_points_are_the_samples_on_real_images(points):
    assert {p.digest for p in points} == {c.digest for c in energy_samples()}
    for point in points:
        if is_large(point.digest):
            assert point.images["dataset"] == "cifar10" and point.images["distinct"] >= 64
            continue
        config = point.parsed
        is_early = config.accelerator.kind == "spatial" and not is_in_memory(point.digest)
        least = 200 if is_early else 128  # later ones count what is measured alone
        assert point.images["dataset"] == "digits" and point.images["distinct"] >= least
        has_sums = any(geometry.summed for geometry in config.geometry)
        share = 0.35 if has_sums else 0.5  # sums tell little of where a stroke is
        assert point.training["correct"] > share * point.training["of"]


@pytest.mark.parametrize("parts", [64, 3, 1])
def test_modules_at_rest_are_passed_over_without_a_difference(parts, monkeypatch):
    """Beside a simulation that evaluates all gates in every cycle, with pauses at every port."""
    monkeypatch.setattr(gate_order, "PARTS", parts)
    flat = mapped_accelerator(tiny())
    two = [NetlistSimulation(flat, lanes=8, seed=3) for _ in range(2)]
    rng = np.random.default_rng(4)
    for cycle in range(400):
        for name in sorted(flat.inputs - {"clk"}):
            words = rng.integers(0, 256, len(flat.ports[name]), np.uint64)
            held = cycle % 7 and name != "rst"  # most stay for some cycles
            for one in two if not held else ():
                one.set(name, words if name != "rst" or cycle < 2 else np.zeros(1, np.uint64))
        two[1]._dirty[0] = netlist_simulation.ALL
        for one in two:
            one.evaluate()
        assert (two[0].values == two[1].values).all()
        for one in two:
            one.clock()
    found, expected = (one.activity() for one in two)
    assert (found.toggles == expected.toggles).all() and found.toggles.sum() > 0
    assert all(
        (found.flop_toggles[k] == expected.flop_toggles[k]).all() for k in found.flop_toggles
    )


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 256, 300])
@pytest.mark.parametrize("name", ["digits", "cifar10-temporal"])
def test_every_image_is_sent(name, count, monkeypatch):
    """In whole rounds of the lanes, of which the first ones warm up, and two at least count."""
    project = open_trained(Path(__file__).parents[1] / "configs" / f"{name}.json")
    given = {}
    monkeypatch.setattr(energy, "measure_point", lambda *_, **named: given.update(named))
    energy.measure_project(project.config, project, np.zeros((count, 1, 1, 1), np.uint8))
    warm = architecture_of(project.config).images_at_once
    assert given["lanes"] == min(64, count) and given["measured"] >= 2
    sent = given["lanes"] * (warm + given["measured"])
    assert count <= sent < max(count + 64, given["lanes"] * (warm + 3))


def test_stored_coefficients_are_a_refit_of_the_stored_points(points):
    stored = json.loads(ENERGY.read_text())
    again = fit_energy(points, Coefficients.read().blocks)
    assert stored["measured"] == again["measured"]
    for role, fitted in again["roles"].items():
        for part, terms in fitted.items():
            assert stored["roles"][role][part] == pytest.approx(terms, rel=1e-4, abs=1e-9)
    for name, kind in (("held_out", "spatial"), ("temporal_held_out", "temporal")):
        held = sum(
            is_held_out(p.digest)
            for p in points
            if not is_summed(p.digest) and p.parsed.accelerator.kind == kind
        )
        assert stored["errors"]["accelerator"][name]["points"] == held


def test_samples_with_a_summed_map_decide_on_sum_pools_alone(points):
    blocks = Coefficients.read().blocks
    without = fit_energy([p for p in points if not is_summed(p.digest)], blocks)
    stored = json.loads(ENERGY.read_text())
    assert set(stored["roles"]) - set(without["roles"]) == {"sum_pool"}
    for role, fitted in without["roles"].items():
        assert stored["roles"][role] == fitted, role
    for name, groups in without["errors"].items():
        for group in ("fitted", "held_out", "validation"):
            assert stored["errors"][name][group] == groups[group]


def test_accelerators_with_strides_and_sum_pools(points, model):
    summed = [point for point in points if is_summed(point.digest)]
    assert len(summed) == 10 and sum(is_held_out(point.digest) for point in summed) == 3
    layers = [layer for point in summed for layer in point.parsed.layers]
    assert any(layer.stride == 2 and layer.engine == "crossbar" for layer in layers)
    assert any(layer.stride == 2 and layer.engine == "pe_array" for layer in layers)
    errors = errors_of(summed, model)
    whole = np.abs(list(errors["accelerator"].values()))
    parts = np.abs(np.concatenate(list(errors["layer"].values())))
    assert whole.mean() < 0.04 and whole.max() < 0.10
    assert parts.mean() < 0.06 and parts.max() < 0.20


@pytest.mark.parametrize(("first", "count", "worst"), [(30, 16, 0.20), (None, 38, 0.30)])
def test_held_out_accelerators_and_layers(points, model, first, count, worst):
    """Of the samples without shortcuts, and of all."""
    known = {config.digest for config in energy_samples()[:first]}
    held = [
        point
        for point in points
        if point.digest in known
        and is_held_out(point.digest)
        and not is_summed(point.digest)
        and point.parsed.accelerator.kind == "spatial"
    ]
    assert len(held) == count
    errors = errors_of(held, model)
    whole = np.abs(list(errors["accelerator"].values()))
    layers = np.abs(np.concatenate(list(errors["layer"].values())))
    assert whole.mean() < 0.04 and whole.max() < 0.10
    assert layers.mean() < 0.06 and layers.max() < worst


def test_held_out_accelerators_with_cells_in_memories(points, model):
    held = [p for p in points if is_in_memory(p.digest) and is_held_out(p.digest)]
    assert len(held) == 9
    errors = errors_of(held, model)
    whole = np.abs(list(errors["accelerator"].values()))
    layers = np.abs(np.concatenate(list(errors["layer"].values())))
    assert whole.mean() < 0.04 and whole.max() < 0.10
    assert layers.mean() < 0.06 and layers.max() < 0.20


@pytest.mark.parametrize(("is_one", "count"), [(is_summed, 10), (is_in_memory, 24)])
def test_areas_and_cycles_of_accelerators_that_came_later(points, is_one, count):
    """With strides and sum pools, with cells in memories: the fit of areas has seen none."""
    digital = DigitalModel()
    errors = []
    for point in points:
        if is_one(point.digest):
            metrics = digital.metrics(point.parsed, extrapolate=True)
            assert metrics.cycles == point.cycles
            rows = point.rows
            area = sum(row.logic_um2 + row.macro_um2 for row in rows)
            area += sum(FLIP_FLOP_UM2 * row.flops + CLOCK_GATE_UM2 * row.gates for row in rows)
            errors.append(metrics.area_um2 / area - 1)
    assert len(errors) == count
    assert np.abs(errors).mean() < 0.005 and np.abs(errors).max() < 0.02


def test_metrics_are_the_sum_of_layers_and_what_there_is_once(model):
    config = energy_samples()[0]
    digital = DigitalModel(clock_ns=2.5)
    metrics = digital.metrics(config, extrapolate=True)
    shape = config_layers(config)
    every = np.full(len(shape), metrics.cycles)
    layers = model.layers_pj(shape, layer_parts(shape), every, 2.5)
    once = model.shared_pj(config, shared_parts(config), metrics.cycles, 2.5)
    assert metrics.layers.energy_pj == pytest.approx(layers)
    assert metrics.energy_pj == pytest.approx(layers.sum() + once)
    assert 0 < metrics.energy_error < 0.1
    assert set(works(shape, every)) >= set(shared_works(config, 1.0))


def test_a_layer_by_itself_runs_at_its_own_pace(model):
    config = energy_samples()[0]
    batch = LayerBatch.of(config)
    costs = DigitalModel(clock_ns=2.5).layer_costs(batch, extrapolate=True)
    shape = layer_shape(batch, "xorshift32")
    cycles = layer_cycles(shape).cycles.astype(float)
    energies = model.layers_pj(shape, layer_parts(shape), cycles, 2.5)
    assert costs.energy_pj == pytest.approx(energies)
    slower = DigitalModel(clock_ns=5.0).layer_costs(batch, extrapolate=True)
    assert (slower.energy_pj > costs.energy_pj).all()  # leakage


def test_without_a_fit_energy_is_not_a_number(monkeypatch, tmp_path):
    monkeypatch.setattr(energy_model, "ENERGY", tmp_path / "none.json")
    metrics = DigitalModel().metrics(energy_samples()[0], extrapolate=True)
    assert np.isnan(metrics.energy_pj) and np.isnan(metrics.energy_error)
    assert np.isnan(metrics.layers.energy_pj).all() and metrics.area_um2 > 0


def test_a_file_that_is_no_fit_is_refused(tmp_path):
    path = tmp_path / "energy.json"
    path.write_text("{}")
    with pytest.raises(UserError, match="is no energy fit"):
        EnergyModel.read(Coefficients.read().blocks, path)


def test_points_survive_a_line_that_was_cut_off(tmp_path, points):
    path = tmp_path / "points.jsonl"
    append(path, points[:2])
    path.write_bytes(path.read_bytes() + b'{"cut')
    assert read_points(path) == points[:2]
    append(path, points[2:3])
    assert read_points(path) == points[:3]
    path.write_text("no\n")
    with pytest.raises(UserError, match="line 1 is not an energy point"):
        read_points(path)


@pytest.mark.parametrize("text", ["my notes\nlast line", "my notes\n", '{"name": "x"'])
def test_nothing_is_measured_for_a_file_that_is_not_of_points(tmp_path, text, monkeypatch):
    monkeypatch.setattr(energy, "trained_images", lambda *_: None)
    monkeypatch.setattr(energy, "measure_project", lambda *_: pytest.fail("it measures"))
    monkeypatch.setattr(energy, "open_trained", lambda path: SimpleNamespace(config=None))
    keep = tmp_path / "notes"
    keep.write_text(text)
    with pytest.raises(UserError, match=r"not an energy point|no line is an energy point"):
        energy.measure_config(Path("x.json"), 1, keep)
    assert keep.read_text() == text
    for place in (tmp_path, tmp_path / "nothing" / "x"):
        with pytest.raises(UserError, match="--keep: must be a file in an existing, writable"):
            energy.measure_config(Path("x.json"), 1, place)


def test_lines_are_added_after_a_line_without_an_end(tmp_path, points):
    path = tmp_path / "points.jsonl"
    path.write_text("my notes\nlast line")
    append(path, points[:1])
    assert path.read_text().startswith("my notes\nlast line\n{")


def test_points_of_different_tools_are_refused(points):
    other = EnergyPoint(**{**vars(points[0]), "tools": {"yosys": "another"}})
    with pytest.raises(UserError, match="of different tools"):
        fit_energy([*points[1:], other], Coefficients.read().blocks)


def test_a_configuration_without_trained_parameters_is_refused(tmp_path, capsys):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY))
    assert main(["study", "energy", str(path)]) == 2
    assert "energy is that of a trained network" in capsys.readouterr().err
