import copy

import pytest
from branching import FORMS, branching

from kakure.model.config.engines.layer import LATER
from kakure.model.config.geometry import SummedMap
from kakure.model.errors import UserError


def test_strides_by_hand():
    first, second, last = branching("stride").geometry
    assert (first.out_height, first.out_width, first.positions) == (4, 4, 16)
    assert (second.out_height, second.pooled_width) == (3, 3)  # (4 + 2 − 2) // 2 + 1
    assert (last.kernel_height, last.fan_in) == (3, 45)
    first, last = branching("stride and pool").geometry
    assert (first.out_height, first.pooled_height, last.fan_in) == (4, 2, 16)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("summed", SummedMap(8, 8, 4, 4)),  # 64 · 15 = 960, of which 6 bits hold 960 >> 4 = 60
        ("summed, bits dropped", SummedMap(8, 8, 4, 5)),
        ("summed, saturated", SummedMap(8, 8, 4, 1)),
    ],
)
def test_a_summed_map_by_hand(form, expected):
    layer = branching(form).geometry[-1]
    assert layer.summed == expected
    assert (layer.in_height, layer.in_width, layer.in_channels, layer.fan_in) == (1, 1, 4, 4)
    assert layer.peak == 4 * ((1 << layer.input_bits) - 1)
    assert branching(form).geometry[0].output_bits == 4


def test_without_a_shift_every_sum_fits_and_no_bit_is_lost():
    for bits in range(1, 9):
        layers = copy.deepcopy(FORMS["summed"])
        layers[-1]["input_bits"] = bits
        summed = branching("summed", layers=layers).geometry[-1].summed
        assert summed is not None
        most = 2**bits - 1
        assert summed.peak >> summed.shift <= most
        assert summed.shift == 0 or summed.peak >> (summed.shift - 1) > most


def test_maps_of_a_block_that_strides():
    config = branching("a block that strides")
    geometry = config.geometry
    assert [g.reads for g in geometry] == [0, 1, 1, 3, 3, 5]
    assert [g.adds for g in geometry] == [None, None, None, 2, 4, None]
    assert [g.output_bits for g in geometry] == [4, 4, 3, 4, 4, None]
    assert [g.added_bits for g in geometry] == [0, 0, 0, 4, 4, 0]
    assert [g.shortcut_bits for g in geometry] == [0, 0, 0, 4, 4, 0]
    assert [g.residual for g in geometry] == [False, False, False, True, True, False]
    assert config.maps_needed_after(2) == {2, 3, 4, 5}
    assert config.maps_needed_after(5) == frozenset()


def test_one_layer_is_what_true_says():
    layers = copy.deepcopy(FORMS["over two"])
    layers[2] |= {"residual": True, "channels": 6}
    expected = branching("over two", layers=layers)
    layers[2]["residual"] = 1
    assert branching("over two", layers=layers).digest == expected.digest


def test_what_leaves_a_layer_as_it_was_is_not_written():
    layers = copy.deepcopy(FORMS["stride"])
    for layer in layers:
        layer |= {"stride": 1, "reads": 1, "residual": False, "sum_pool": False, "map_bits": None}
    plain = [{k: v for k, v in layer.items() if k not in LATER} for layer in layers]
    with_defaults = branching("stride", layers=layers)
    assert with_defaults.digest == branching("stride", layers=plain).digest
    assert "stride" in branching("stride").model_dump(mode="json")["layers"][0]


def case(form, index, message, **changes):
    return pytest.param(form, index, changes, message, id=message)


@pytest.mark.parametrize(
    ("form", "index", "changes", "message"),
    [
        case("stride", 0, "layers[0].stride: must be at most 2, not 3", stride=3),
        case("stride", 0, "layers[0].stride: must be 1 with residual, not 2", residual=True),
        case("stride", 2, "layers[2].stride: must be 1 in a linear layer, not 2", stride=2),
        case("stride", 0, "layers[0].sum_pool: must be false in a conv layer", sum_pool=True),
        case("stride", 2, "layers[2].map_bits: must be left out without sum_pool", map_bits=4),
        case("stride", 2, "layers[2].sum_shift: must be left out without sum_pool", sum_shift=0),
        case(
            "summed",
            1,
            "layers[1].sum_shift: must leave something of a sum of at most 960, not 10",
            sum_shift=10,
        ),
        case("over two", 2, "layers[2].residual: must be at most 3 in layer 2, not 4", residual=4),
        case(
            "over two",
            2,
            "layers[2].channels: must be the 4 that are added with residual, not 5",
            channels=5,
        ),
        case(
            "over two",
            2,
            "layers[2].residual: must add a map of 4 x 4, as is written, not 8 x 8",
            stride=2,
        ),
        case("over two", 3, "layers[3].residual: must be false in a linear layer", residual=2),
        case("over two", 1, "layers[1].reads: must be at most 2 in layer 1, not 3", reads=3),
        case(
            "over two",
            3,
            "layers[3].reads: must be 1, or another layer read what layer 2 writes, not 2",
            reads=2,
        ),
        case(
            "a block that strides",
            2,
            "layers[2].input_bits: must be 4, as another layer reads that map, not 5",
            input_bits=5,
        ),
        *(
            case(
                "over two",
                2,
                "layers[2].residual: must be true, false, or a number of layers, 1 to 64, "
                f"not {text}",
                residual=value,
            )
            for value, text in ((0, "0"), (65, "65"), ("2", "'2'"), (2.0, "2.0"), (None, "null"))
        ),
    ],
)
def test_refused(form, index, changes, message):
    layers = copy.deepcopy(FORMS[form])
    layers[index] |= changes
    with pytest.raises(UserError) as caught:
        branching(form, layers=layers)
    assert str(caught.value) == f"config: {message}"


def test_a_shortcut_must_not_leave_the_network():
    layers = copy.deepcopy(FORMS["over two"])[:3]
    layers[2] |= {"kernel": 8, "padding": 0}
    with pytest.raises(UserError, match=r"layers\[2\].residual: must be false in the last layer"):
        branching("over two", layers=layers)
