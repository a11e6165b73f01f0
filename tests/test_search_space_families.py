"""The families of a space are the choices of pools and depth that fit."""

import pytest

from kakure.model.errors import UserError
from kakure.search.space.description import describe
from kakure.search.space.space_file import load_space
from tests.test_search_space_space import CONFIGS, CONV, LINEAR, space

FAMILY = CONV | {"pool": [1, 2], "repeat": [0, 1, 2], "residual": [False, True]}


def test_families_are_the_choices_of_pool_and_depth_that_fit():
    few = {"channels": [8], "adc_bits": [4]}
    one = space(layers=[CONV | few, FAMILY | few, LINEAR])
    shapes = [[(la.pool, la.residual) for la in family.layers[1:-1]] for family in one.families]
    free, pooled = ((1,), (False, True)), ((2,), (False,))
    assert shapes == [[], [free], [free, free], [pooled], [free, pooled]]
    assert all(layer.is_fixed for family in one.families for layer in family.layers)
    assert one.networks == 1 + 2 + 4 + 1 + 2
    assert one.size == sum(len(list(family.points())) for family in one.families)
    assert one.phase1_size == sum(family.phase1_size for family in one.families)
    assert one.probe is one.families[0].probe
    assert "families    5 fit of 6 choices of pools and depth" in describe(one)
    assert "layers      2 or 3 or 4" in describe(one)


def test_the_first_of_repeated_layers_has_a_shortcut_only_where_it_can():
    def first(before, channels):
        stage = FAMILY | {"channels": channels, "pool": 1, "repeat": [2], "residual": [True]}
        (family,) = space(layers=[CONV | {"channels": before}, stage, LINEAR]).families
        assert family.layers[2].residual == (True,)
        return family.layers[1].residual

    deep = space(layers=[CONV, FAMILY | {"pool": 2, "repeat": [2], "residual": [True]}, LINEAR])
    assert [la.residual for la in deep.families[0].layers[1:3]] == [(True,), (False,)]
    assert first([8, 16], [8, 16, 32]) == (True,)
    assert first([8, 16], [16, 32]) == (True, False)
    assert first([8], [16, 32]) == (False,)


@pytest.mark.full
def test_a_repeated_layer_pools_last():
    deep = space(layers=[CONV | {"pool": 2, "repeat": [3]}, LINEAR])
    (family,) = deep.families
    assert [layer.pool for layer in family.layers] == [(1,), (1,), (2,), (1,)]
    for point in list(family.points())[::997]:
        assert [layer.pool for layer in family.config(point).layers] == [1, 1, 2, 1]


def forms_of(*layers):
    """For each family, channels and residual of its layers but the last."""
    return [
        [(la.channels, la.residual) for la in family.layers[:-1]]
        for family in space(layers=[*layers, LINEAR]).families
    ]


EIGHT, SIXTEEN = CONV | {"pool": 1, "channels": [8]}, CONV | {"pool": 1, "channels": [16]}
FREE, NONE, ALL = (False, True), (False,), (True,)


def test_a_shortcut_on_offer_removes_no_family():
    offered = SIXTEEN | {"residual": [False, True]}
    middle = SIXTEEN | {"repeat": [0, 1]}
    assert forms_of(EIGHT, middle, offered) == [
        [((8,), NONE), ((16,), NONE)],
        [((8,), NONE), ((16,), NONE), ((16,), FREE)],
    ]
    end = SIXTEEN | {"channels": [10], "repeat": [0, 1], "kernel": 8, "padding": 0}
    last = EIGHT | {"channels": [8, 10], "pool": [1, 8], "residual": [True, False]}
    found = space(layers=[EIGHT, last, end]).families
    assert [[la.residual for la in family.layers] for family in found] == [
        [NONE, (True, False), NONE],
        [NONE, NONE],
    ]


def test_a_shortcut_that_must_be_removes_the_families_where_it_cannot():
    middle = SIXTEEN | {"repeat": [0, 1]}
    assert forms_of(EIGHT, middle, SIXTEEN | {"residual": [True]}) == [
        [((8,), NONE), ((16,), NONE), ((16,), ALL)]
    ]


def test_what_is_never_read_is_no_reason_to_refuse():
    both, must = EIGHT | {"channels": [8, 16], "residual": [True]}, EIGHT | {"residual": [True]}
    assert space(layers=[EIGHT, both, must, LINEAR]).networks == 1


@pytest.mark.full
def test_sizes_of_one_family_are_those_of_its_layers():
    for stage, networks in (
        ({"repeat": [2]}, 4),
        ({"repeat": [3], "pool": 2}, 8),
        ({"repeat": [2], "residual": [True]}, 2),
    ):
        one = space(layers=[CONV | {"pool": 1} | stage, LINEAR])
        (family,) = one.families
        assert one.networks == family.networks == networks
        assert one.size == family.size == len(list(family.points()))
        assert one.phase1_size == family.phase1_size


def test_what_chooses_no_family_is_not_written():
    fixed = space(layers=[CONV | {"pool": 2}, LINEAR])
    said = space(layers=[CONV | {"pool": [2], "repeat": [1], "residual": [False]}, LINEAR])
    assert said.digest == fixed.digest
    layer = fixed.model_dump(mode="json")["layers"][0]
    assert layer["pool"] == 2 and not {"repeat", "residual"} & set(layer)
    digest = load_space(CONFIGS / "search-digits.json").digest
    assert digest.startswith("c10d0153b6df")  # results and stored evaluations are named by it


def test_what_does_not_fit_is_no_family():
    pools = space(layers=[CONV | {"pool": [2, 8, 16]}, CONV | {"pool": [1, 4]}, LINEAR])
    found = [[layer.pool[0] for layer in family.layers] for family in pools.families]
    assert found == [[2, 1, 1], [2, 4, 1], [8, 1, 1]]  # of a map of 8 x 8


@pytest.mark.parametrize(
    ("layers", "line"),
    [
        ([CONV | {"pool": []}, LINEAR], "layers[0].pool: must have a length of at least 1"),
        ([CONV | {"pool": [2, 2]}, LINEAR], "layers[0].pool: must not repeat 2"),
        ([CONV | {"pool": 2.5}, LINEAR], "layers[0].pool[0]: must be an integer, not 2.5"),
        ([CONV | {"pool": None}, LINEAR], "layers[0].pool[0]: must be an integer, not null"),
        ([CONV, LINEAR | {"pool": [1, 2]}], "layers[1].pool: must be 1 in a linear layer, not 2"),
        ([CONV | {"repeat": [17]}, LINEAR], "layers[0].repeat[0]: must be at most 16, not 17"),
        ([CONV | {"repeat": 2}, LINEAR], "layers[0].repeat: must be a list, not 2"),
        (
            [CONV | {"pool": [9, 10]}, LINEAR],
            (
                "layers: must fit for one choice of pool and repeat at least: "
                "layers[0].pool: must fit the map of 8 x 8, not 9"
            ),
        ),
        (
            [CONV | {"pool": [1, 2], "repeat": [1, 2, 3, 4]}] * 3 + [LINEAR],
            "layers: must have at most 256 choices of pool and repeat in all, not 512",
        ),
    ],
)
def test_families_that_cannot_be_are_refused(layers, line):
    with pytest.raises(UserError) as error:
        space(layers=layers)
    assert str(error.value).startswith(f"s.json: {line}")
