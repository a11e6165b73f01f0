"""Errors as types: a place, a rule and a value, and the line that they make."""

import pickle

import pytest

from kakure.model.errors import Damaged, FieldError, Infeasible, UserError, path_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("weights", "kind"), "weights.kind"),
        (("layers", 0, "kernel"), "layers[0].kernel"),
        (("layers", 12), "layers[12]"),
    ],
)
def test_a_field_reads_as_a_person_writes_it(path, text):
    assert path_text(path) == text


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "must be odd"),
        ({"value": 0}, "must be odd, not 0"),
        ({"where": ("layers", 1, "kernel")}, "layers[1].kernel: must be odd"),
        ({"where": ("kernel",), "is_sentence": True}, "kernel must be odd"),
        ({"file": "a.json", "value": 2}, "a.json: must be odd, not 2"),
        (
            {"file": "a", "where": ("b",), "value": 2, "advice": "go"},
            "a: b: must be odd, not 2; go",
        ),
    ],
)  # fmt: skip
def test_the_line_says_file_field_rule_value_and_advice(given, line):
    assert str(UserError("must be odd", **given)) == line


def test_an_error_is_of_the_file_that_is_named_first():
    error = UserError("must be 1", where=("a",))
    assert str(error.of("inner").of("outer")) == "inner: a: must be 1"
    assert error.file is None


def test_a_field_can_be_placed_within_others():
    error = Infeasible("must be 1", where=("pool",), value=2)
    placed = error.within("layers", 0)
    assert (placed.where, placed.value, type(placed)) == (("layers", 0, "pool"), 2, Infeasible)
    assert error.where == ("pool",)


def test_an_error_in_a_layer_can_be_moved_to_another_and_no_other_error_can():
    assert UserError("x", where=("layers", 7, "pool")).at(layer=2).where == ("layers", 2, "pool")
    assert UserError("x", where=("layers", 7)).at(layer=2).where == ("layers", 2)
    for where in ((), ("crossbar", "rows")):
        assert UserError("x", where=where).at(layer=2).where == where


def test_advice_comes_last():
    assert str(Damaged("is damaged", file="f").but("make it anew")) == "f: is damaged; make it anew"


@pytest.mark.parametrize("kind", [UserError, Infeasible, Damaged])
def test_an_error_is_whole_on_the_other_side_of_a_process(kind):
    error = kind("must be 1", where=("layers", 3), value=2, file="f", advice="go")
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is kind and vars(other) == vars(error) and str(other) == str(error)


def test_a_field_error_is_whole_on_the_other_side_of_a_process():
    error = FieldError(("layers", 0, "pool"), "must be 1")
    other = pickle.loads(pickle.dumps(error))
    assert (other.where, other.rule) == (error.where, error.rule)
    assert str(other) == "layers[0].pool must be 1"
