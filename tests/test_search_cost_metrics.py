"""Layers of a configuration as what cost models are given."""

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import LayerBatch, least_shift
from tests.branching import SUMS, branching


def test_strides_and_summed_maps_are_told():
    batch = LayerBatch.of(branching("stride"))
    assert batch.stride.tolist() == [2, 2, 1]
    assert batch.summed.tolist() == batch.map_bits.tolist() == batch.sum_shift.tolist() == [0] * 3
    batch = LayerBatch.of(branching("summed, bits dropped"))
    assert batch.summed.tolist() == [0, 64]
    assert batch.map_bits.tolist() == [0, 4]
    assert batch.sum_shift.tolist() == [0, 5]
    assert batch.input_bits.tolist() == [4, 2]
    assert batch.output_bits.tolist() == [4, 0]
    assert (batch.in_height[1], batch.kernel_height[1]) == (1, 1)


@pytest.mark.parametrize("map_bits", range(1, 9))
def test_the_least_shift_is_that_of_the_configuration(map_bits):
    bits = list(range(1, 9))
    layers = [SUMS | {"map_bits": map_bits, "input_bits": n} for n in bits]
    summed = [branching("summed image", layers=[layer]).geometry[0].summed for layer in layers]
    shifts = least_shift(np.array(64), np.array(map_bits), np.array(bits))
    assert shifts.tolist() == [one.shift for one in summed if one is not None]


@pytest.mark.parametrize("model", [DigitalModel(), AnalogModel()], ids=lambda model: model.name)
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("over two", r"layers\[2\]\.residual: must be true or false in a cost model, not 2; "),
        ("a block that strides", r"layers\[2\]\.reads: must be 1 in a cost model, not 2; "),
    ],
)
def test_what_no_model_knows_is_refused(model, form, said):
    with pytest.raises(UserError, match=f"^{said}"):
        model.metrics(branching(form), extrapolate=True)
