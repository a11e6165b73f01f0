import math
from pathlib import Path

import numpy as np
import pytest

from kakure.model.errors import UserError
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import LayerBatch, LayerCosts, Metrics
from kakure.search.phase2.costs import PrecisionCosts
from kakure.search.phase2.precision import PrecisionSpace
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space import Space
from kakure.search.space.space_file import load_space

ROOT = Path(__file__).resolve().parent.parent
ANALOG = load_space(ROOT / "configs" / "search-digits-analog.json")
DIGITS = load_space(ROOT / "configs" / "search-digits.json")


def first(space: Space) -> PrecisionSpace:
    layers = tuple(layer.choice(layer.channels[-1], layer.options[0]) for layer in space.layers)
    return PrecisionSpace(
        space,
        Point(Hardware(space.crossbar.rows[-1], space.crossbar.columns[0]), layers),
        "network",
    )


def drawn(precision: PrecisionSpace, count: int) -> list[tuple[int, ...]]:
    everything = precision.all()
    rows = np.random.default_rng(1).choice(len(everything), count, replace=False)
    return [tuple(everything[row].tolist()) for row in rows]


class Whole:
    """Costs in whole numbers, with a shared block, and a whole that is the sum of its layers."""

    name = "whole"

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        area = batch.outputs * (3 + batch.adc_bits) + 7 * batch.output_bits
        area = area + batch.summed * (5 * batch.map_bits + 3 * batch.sum_shift)
        spent = batch.input_bits * (1 + batch.adc_bits) + batch.output_bits
        energy = batch.input_bits * batch.in_channels + 5 * batch.adc_bits * batch.output_bits
        zero = np.zeros(len(batch))
        return LayerCosts(
            area.astype(float), spent.astype(float), spent.astype(float), energy.astype(float),
            zero, zero, zero, zero, np.ones(len(batch), bool),
        )  # fmt: skip

    def shared_area_um2(self, batch: LayerBatch) -> np.ndarray:
        return 11.0 * batch.input_bits * batch.in_channels

    def metrics(self, config, *, extrapolate: bool = False) -> Metrics:
        batch = LayerBatch.of(config)
        costs = self.layer_costs(batch)
        area = costs.area_um2.sum() + self.shared_area_um2(batch).max() + 1000
        times = costs.time_ns
        return Metrics(costs, area, 0, times.sum(), times.max(), costs.energy_pj.sum(), 0, 0, 0, 0)


class Networks(Whole):
    """The same, many networks at once."""

    def networks(self, batch: LayerBatch, layers: int, *, extrapolate: bool = False):
        costs = self.layer_costs(batch)
        shared = self.shared_area_um2(batch).reshape(-1, layers).max(axis=1)
        area = costs.area_um2.reshape(-1, layers).sum(axis=1) + shared + 1000
        times = costs.time_ns.reshape(-1, layers).sum(axis=1)
        return area, times, costs.energy_pj.reshape(-1, layers).sum(axis=1)


SUMS = [
    {"map_bits": None, "sum_shift": None},
    {"map_bits": 3, "sum_shift": None},
    {"map_bits": None, "sum_shift": 2},
    {"map_bits": 6, "sum_shift": 1},
]


@pytest.mark.parametrize("sums", SUMS)
@pytest.mark.parametrize("model", [Networks(), Whole()], ids=["networks", "tables"])
def test_widths_of_a_summed_map_follow_the_precision(sums, model):
    data = DIGITS.model_dump(mode="json")
    data["objective"] = "latency"
    data["layers"][-1] |= {"sum_pool": True, "input_bits": [4, 8, 6, 2, 1], **sums}
    precision = first(Space.model_validate(data))
    costs = PrecisionCosts(precision, model)
    estimate = costs.estimate(precision.all())
    exact = PrecisionCosts(precision, Whole())
    assert estimate.tolist() == [exact.exact(row).product for row in precision.all().tolist()]


def test_whole_networks_at_once_are_the_metrics():
    precision = first(DIGITS.model_copy(update={"objective": "latency"}))
    estimate = PrecisionCosts(precision, Networks()).estimate(precision.all())
    exact = PrecisionCosts(precision, Whole())
    assert estimate.tolist() == [exact.exact(row).product for row in precision.all().tolist()]


@pytest.mark.parametrize("objective", ["latency", "interval"])
@pytest.mark.parametrize("product", ["edap", "delay-area"])
def test_tables_of_whole_numbers_are_the_metrics(objective, product):
    precision = first(DIGITS.model_copy(update={"objective": objective}))
    costs = PrecisionCosts(precision, Whole(), product=product)
    estimate = costs.estimate(precision.all())
    exact = [costs.exact(levels).product for levels in precision.all().tolist()]
    assert estimate.tolist() == exact
    assert len(set(exact)) > 100


def test_analog_estimates_are_the_metrics():
    precision = first(ANALOG)
    costs = PrecisionCosts(precision, AnalogModel(), extrapolate=True)
    some = drawn(precision, 40)
    estimate = costs.estimate(np.array(some))
    for levels, value in zip(some, estimate, strict=True):
        metrics = AnalogModel().metrics(precision.config(levels), extrapolate=True)
        exact = costs.exact(levels)
        assert exact.product == metrics.area_um2 * metrics.latency_ns * metrics.energy_pj
        assert value == pytest.approx(exact.product, rel=1e-12)


def test_analog_tables_have_area_and_latency_and_rank_the_interval():
    precision = first(ANALOG.model_copy(update={"objective": "interval"}))
    costs = PrecisionCosts(precision, AnalogModel(), product="delay-area", extrapolate=True)
    some = drawn(precision, 40)
    exact = [costs.exact(levels).product for levels in some]
    assert costs.estimate(np.array(some)) == pytest.approx(exact, rel=1e-12)


def test_what_is_above_the_bound_on_the_area_costs_infinitely_much():
    precision = first(ANALOG)
    some = drawn(precision, 40)
    free = PrecisionCosts(precision, AnalogModel(), extrapolate=True)
    areas = np.array([free.exact(levels).area_um2 for levels in some])
    bound = float(np.median(areas))
    bounded = first(ANALOG.model_copy(update={"area_um2": bound}))
    costs = PrecisionCosts(bounded, AnalogModel(), extrapolate=True)
    exact = np.array([costs.exact(levels).product for levels in some])
    assert 0 < np.isinf(exact).sum() < len(some)
    assert (np.isinf(exact) == (areas > bound)).all()
    assert (np.isinf(costs.estimate(np.array(some))) == np.isinf(exact)).all()


def test_digital_delay_area_is_ranked_by_the_tables():
    precision = first(DIGITS.model_copy(update={"area_um2": None}))
    costs = PrecisionCosts(precision, DigitalModel(), product="delay-area", extrapolate=True)
    some = drawn(precision, 20)
    exact = np.array([costs.exact(levels).product for levels in some])
    metrics = DigitalModel().metrics(precision.config(some[0]), extrapolate=True)
    assert exact[0] == metrics.interval_ns * metrics.area_um2
    estimate = costs.estimate(np.array(some))
    rank = np.corrcoef(exact.argsort().argsort(), estimate.argsort().argsort())[0, 1]
    assert rank > 0.9


def test_a_model_without_energy_is_refused():
    class NoEnergy(Whole):
        def metrics(self, config, *, extrapolate: bool = False) -> Metrics:
            metrics = super().metrics(config)
            return Metrics(**{**metrics.__dict__, "energy_pj": math.nan})

    with pytest.raises(UserError, match=r"whole: must have an energy .* product delay-"):
        PrecisionCosts(first(DIGITS), NoEnergy())
    assert (
        PrecisionCosts(first(DIGITS), NoEnergy(), product="delay-area")
        .estimate(first(DIGITS).all())
        .min()
        > 0
    )


def test_precisions_outside_the_fitted_range_are_refused_by_their_layer():
    data = ANALOG.model_dump(mode="json")
    data["layers"][0] |= {"kernel": 7, "padding": 3}
    data["layers"][1]["adc_bits"] = [6, 2]
    precision = first(Space.model_validate(data))
    with pytest.raises(UserError, match=r"layers\[1\].adc_bits must be 3 to 8, .* not 2"):
        PrecisionCosts(precision, AnalogModel())
    assert PrecisionCosts(precision, AnalogModel(), extrapolate=True).exact(precision.start)
