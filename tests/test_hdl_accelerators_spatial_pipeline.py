# amaranth: UnusedElaboratable=no
"""Networks with strides and summed maps as a pipeline, and those that are no pipeline."""

import pytest

from kakure.hdl.accelerators.spatial.core import SpatialCore
from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.accelerators.table import architecture_of
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.search.commands.kakure import main
from kakure.sim.drivers.core import compare_core
from kakure.sim.generation.project import Project
from kakure.sim.runner.simulate import simulate
from tests.branching import FORMS, branching
from tests.test_hdl_accelerators_spatial_core import config_of, crossbar, pe_array

ADVICE = "; no map is kept for a later layer; train and evaluate take the network"
REFUSED = {
    "over two": "layers[2].residual: must be true or false in a spatial accelerator, not 2",
    "over three": "layers[3].residual: must be true or false in a spatial accelerator, not 3",
    "of the image": "layers[1].residual: must be true or false in a spatial accelerator, not 2",
    "a block that strides": "layers[2].reads: must be 1 in a spatial accelerator, not 2",
}
"""What is said of each form that is no pipeline."""

BUILT = {
    **{form: branching(form) for form in FORMS if form not in REFUSED},
    "two strides, a pool and copies": config_of(
        (9, 10, 2),
        crossbar(5, kernel=3, stride=2, sharing=3, adc="flash", bits=3, inputs=3, copies=3),
        crossbar(3, kernel=2, stride=2, pool=2, sharing=2, adc="sar", bits=2, inputs=2),
        pe_array(4, inputs=3),
        crossbar=(8, 6),
    ),
    "strides on PE arrays, one pixel in four": config_of(
        (6, 5, 3),
        pe_array(5, inputs=2, kernel=1, stride=2),
        pe_array(4, inputs=3, kernel=3, stride=2, padding=2),
        pe_array(3, inputs=2, sum_pool=True, map_bits=3, sum_shift=1),
        pe_array=(4, 2, 4),
    ),
    "a shortcut behind a stride, and sums for a slow engine": config_of(
        (5, 4, 1),
        crossbar(2, kernel=3, stride=2, sharing=1, adc="flash", bits=3, inputs=2),
        crossbar(2, kernel=3, residual=True, sharing=2, adc="flash", bits=3, inputs=2),
        crossbar(3, sharing=4, adc="sar", bits=3, inputs=5, sum_pool=True, map_bits=2),
    ),
    "sums of a single position, then of another": config_of(
        (2, 2, 2),
        crossbar(3, sharing=2, adc="flash", bits=2, inputs=2, sum_pool=True, map_bits=4),
        pe_array(2, inputs=1, sum_pool=True, map_bits=4),
    ),
}


@pytest.mark.parametrize("name", BUILT)
def test_equals_the_reference_in_exactly_the_cycles_promised(name):
    compare_core(BUILT[name], images=3, gaps=1, seed=3)


@pytest.mark.full
@pytest.mark.parametrize("name", BUILT)
def test_the_verilog_equals_the_reference_in_exactly_the_cycles_promised(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = BUILT[name]
    parameters = random_parameters(config, 1)
    project = Project(tmp_path / "net.json", config, parameters, is_trained=False)
    outcome = simulate(project, 12, 1)
    assert outcome.failures == [] and outcome.cycles > 0
    assert outcome.logits >= 12 * config.geometry[-1].outputs


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_pipeline_is_refused_in_one_line(form):
    config = branching(form)
    architecture = architecture_of(config)
    for attempt in (
        architecture.check,
        architecture.timing,
        lambda: SpatialCore(config=config),
        lambda: image_timing(config),
        lambda: LayerShape.of(config, 0),
    ):
        with pytest.raises(UserError) as caught:
            attempt()
        assert str(caught.value) == REFUSED[form] + ADVICE


@pytest.mark.parametrize("command", ["check", "gen", "sim"])
def test_commands_say_it_and_fail(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.json"
    path.write_text(branching("over two").model_dump_json())
    assert main([command, str(path)]) == 2
    assert capsys.readouterr().err.strip() == f"error: {path}: {REFUSED['over two']}{ADVICE}"
