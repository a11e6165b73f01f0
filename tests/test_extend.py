# amaranth: UnusedElaboratable=no
"""What comes from outside the packages: an engine, a kind of weights, a data set.

docs/extend.md walks through this file.
"""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from amaranth.hdl import Module, Mux, Signal, Value
from numpy.typing import NDArray
from pydantic import Field

from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.hierarchy import Platform
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.engine import Engine, Push
from kakure.hdl.engines.ports import WORD, EngineComponent
from kakure.hdl.engines.table import ENGINES
from kakure.model.config.config import Config, parse_config
from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.engines.table import LAYERS
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.config.weights.weights import IntArray, Masks, Weights
from kakure.model.datasets.dataset import Dataset
from kakure.model.datasets.fetch import fetch
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages, Split
from kakure.model.datasets.recipe import Recipe
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.reference.network import network
from kakure.model.training.network import IntegerNetwork, as_tensor
from kakure.model.training.recipe import recipe_for
from kakure.search.cost.metrics import LayerBatch
from kakure.sim.benchmark.naive_reference import naive_network
from kakure.sim.drivers.core import compare_core
from kakure.sim.generation.plan import plan


class AdderTreeLayer(LayerConfig):
    """A layer whose sums are made by trees of adders; its sums are exact."""

    engine: Literal["adder_tree"]
    """Trees of adders, with all weights in registers."""
    share: int = Field(1, ge=1, le=64)
    """Outputs that take turns with one tree."""


class HalvingLayer(LayerConfig):
    """A layer whose sums are halved, rounded down."""

    engine: Literal["halving"]
    """No hardware: what is said of it is enough to judge it."""

    @property
    def is_exact(self) -> bool:
        return False

    def sums(self, config: Config, x: NDArray, w: NDArray) -> NDArray[np.int64]:
        return super().sums(config, x, w) >> 1

    def plain_sum(self, groups: tuple[int, ...], window: list[int], column: list[int]) -> int:
        return super().plain_sum(groups, window, column) >> 1


class AdderTrees(EngineComponent):
    """Exact sums of a layer, ``share`` cycles for a window; the first output of a tree first.

    Timing
    ------
    A window is read in place and taken in the last of ``share`` cycles; its sums are offered a
    cycle later, and the next window is worked on once they are taken.
    """

    def __init__(self, *, config: Config, index: int) -> None:
        self.share = AdderTreeLayer.of(config, index).share
        super().__init__(config=config, index=index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, {})

    def elaborate(self, platform: Platform | None) -> Module:
        m = Module()
        geometry = self.config.geometry[self.index]
        cells = {
            polarity: [
                Signal(geometry.outputs, name=f"{polarity}_{row}") for row in range(geometry.fan_in)
            ]
            for polarity in ("positive", "negative")
        }
        for polarity, rows in cells.items():
            for row, bits in enumerate(rows):
                for block in range(-(-geometry.outputs // WORD)):
                    is_here = (self.weights.row == row) & (self.weights.block == block)
                    with m.If(self.weights.valid & is_here):
                        m.d.sync += bits[block * WORD : (block + 1) * WORD].eq(
                            self.weights[polarity]
                        )

        step = Signal(range(self.share))
        is_last = step == self.share - 1
        is_free = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(is_free & is_last)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & is_free):
            m.d.sync += [step.eq(Mux(is_last, 0, step + 1)), self.o.valid.eq(is_last)]
            for output in range(geometry.outputs):
                pairs = zip(cells["positive"], cells["negative"], strict=True)
                tree = added([
                    Mux(positive[output], x, 0) - Mux(negative[output], x, 0)
                    for x, (positive, negative) in zip(self.i.payload, pairs, strict=True)
                ])
                with m.If(step == output % self.share):
                    m.d.sync += self.o.payload[output].eq(tree)
        return m


def added(values: list[Value]) -> Value:
    """The sum of values, as a balanced tree."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return added(values[:middle]) + added(values[middle:])


class AdderTree(Engine):
    """Trees of adders as an engine."""

    def __init__(self, config: Config, index: int) -> None:
        self.config = config
        self.index = index
        self.share = AdderTreeLayer.of(config, index).share

    def component(self) -> AdderTrees:
        """The hardware itself."""
        return AdderTrees(config=self.config, index=self.index)

    @property
    def cycles_per_vector(self) -> float:
        """A turn for each output of a tree."""
        return self.share

    @property
    def cycles_per_image(self) -> int:
        """A turn for each output of a tree, and window."""
        return self.share * self.config.geometry[self.index].positions

    def timing(self, following: Push) -> Push:
        """Follow windows to the cycle."""
        free = 0

        def push(offered: int) -> int:
            nonlocal free
            taken = max(offered, free) + self.share - 1
            free = following(taken + 1)
            return taken

        return push

    @property
    def adders(self) -> int:
        """Trees."""
        return -(-self.config.geometry[self.index].outputs // self.share)


class BinaryWeights(Weights):
    """Weights 0 and 1: a mask without signs."""

    kind: Literal["binary"] = "binary"

    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """What the engine's sums reach."""
        return sums

    def of_masks(self, geometry: LayerGeometry, masks: Masks) -> list[IntArray]:
        """1 where the mask is."""
        return [mask.astype(np.int8) for mask in masks]


def stripes(_: Path, split: Split) -> LabelledImages:
    """Four images of bars for each of two classes: upright, and lying."""
    bars = np.zeros((8, 4, 4, 1), np.uint8)
    for n in range(4):
        bars[2 * n, :, n] = 255
        bars[2 * n + 1, n] = 255
    return LabelledImages(bars, np.arange(8, dtype=np.int64) % 2)


STRIPES = Dataset(
    name="stripes",
    shape=(4, 4, 1),
    classes=2,
    load=stripes,
    recipe=Recipe(epochs=3, validation=4),
    origin="they are computed",
)


@pytest.fixture
def adder_tree(monkeypatch):
    """The engine, in the tables for the time of a test."""
    monkeypatch.setitem(LAYERS.table, "adder_tree", AdderTreeLayer)
    monkeypatch.setitem(ENGINES, "adder_tree", AdderTree)


@pytest.fixture
def binary(monkeypatch):
    """The kind of weights, in its table for the time of a test."""
    monkeypatch.setitem(WEIGHTS.table, "binary", BinaryWeights)


CONV = {"kind": "conv", "kernel": 3, "input_bits": 3}
CONFIG: dict[str, Any] = {
    "name": "extended",
    "dataset": "images",
    "input_shape": [5, 4, 2],
    "weights": {"kind": "hidden", "seed": 3},
    "crossbar": {"rows": 8, "columns": 4},
    "layers": [
        CONV | {"engine": "adder_tree", "channels": 3, "share": 2},
        CONV
        | {"engine": "crossbar", "channels": 3, "column_sharing": 2}
        | {"adc_type": "sar", "adc_bits": 3},
        CONV | {"engine": "adder_tree", "channels": 3, "residual": True, "share": 3},
        CONV | {"engine": "adder_tree", "channels": 34, "pool": 2},
        {"kind": "linear", "engine": "adder_tree", "channels": 4, "input_bits": 2},
    ],
}


def changed(layer: int, **values: Any) -> str:
    document = json.loads(json.dumps(CONFIG))
    document["layers"][layer] |= values
    return json.dumps(document)


def test_no_engine_is_known_before_it_is_added():
    with pytest.raises(UserError) as error:
        parse_config(json.dumps(CONFIG))
    assert str(error.value) == (
        "config: layers[0].engine: must be one of 'crossbar', 'pe_array', not 'adder_tree'"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (changed(0, share=0), "layers[0].share: must be at least 1, not 0"),
        (changed(1, share=2), "layers[1].share: must be left out with engine crossbar"),
        (changed(0, adc_bits=2), "layers[0].adc_bits: must be left out with engine adder_tree"),
        (changed(0, shar=2), "layers[0].shar: unknown key, perhaps 'share'"),
        (changed(0, engine="x"), "layers[0].engine: must be one of 'crossbar', 'pe_array', "),
    ],
)
def test_an_engine_of_our_own_has_errors_like_the_others(adder_tree, text, line):
    with pytest.raises(UserError) as error:
        parse_config(text)
    assert str(error.value).startswith(f"config: {line}")


def test_an_engine_of_our_own_is_written_with_its_keys_alone(adder_tree):
    config = parse_config(json.dumps(CONFIG))
    assert config.layers[0].model_dump(mode="json", exclude_none=True) == {
        "kind": "conv",
        "channels": 3,
        "kernel": 3,
        "pool": 1,
        "engine": "adder_tree",
        "input_bits": 3,
        "share": 2,
    }
    assert parse_config(config.model_dump_json()).digest == config.digest
    assert parse_config(changed(0, share=1)).digest != config.digest


def test_an_engine_of_our_own_runs_bit_for_bit_and_cycle_for_cycle(adder_tree):
    config = parse_config(json.dumps(CONFIG))
    compare_core(config, images=3, gaps=1, seed=4)


def test_an_engine_of_our_own_has_references_that_agree(adder_tree):
    config = parse_config(changed(2, residual=False))
    parameters = random_parameters(config, 6)
    images = np.random.default_rng(6).integers(0, 256, (3, *config.shape), dtype=np.uint8)
    expected = network(config, parameters, images)
    assert expected.tolist() == [naive_network(config, parameters, image) for image in images]
    trained = IntegerNetwork(config, parameters)(as_tensor(images))
    assert trained.numpy().astype(np.int64).tolist() == expected.tolist()


def test_an_engine_that_rounds_is_judged_by_its_own_sums(adder_tree, monkeypatch):
    monkeypatch.setitem(LAYERS.table, "halving", HalvingLayer)
    document = json.loads(changed(2, residual=False))
    document["layers"][3] = CONV | {"engine": "halving", "channels": 34, "pool": 2}
    config = parse_config(json.dumps(document))
    parameters = random_parameters(config, 6)
    images = np.random.default_rng(6).integers(0, 256, (3, *config.shape), dtype=np.uint8)
    expected = network(config, parameters, images)
    assert expected.tolist() == [naive_network(config, parameters, image) for image in images]
    packed = PackedNetwork(config, parameters)
    assert packed.packed == [True, True, True, False, True]
    assert packed(images).tolist() == expected.tolist()


def test_an_engine_that_rounds_says_how_it_reads_bitwise_weights_out(monkeypatch):
    monkeypatch.setitem(LAYERS.table, "halving", HalvingLayer)
    last = {"kind": "linear", "engine": "halving", "channels": 2, "input_bits": 2}
    layers = [CONV | {"engine": "pe_array", "channels": 2}, last]
    document = {"name": "halved", "dataset": "images", "input_shape": [5, 4, 2]}
    weights = {"kind": "bitwise", "bits": 2}
    config = parse_config(json.dumps(document | {"weights": weights, "layers": layers}))
    images = np.zeros((1, *config.shape), np.uint8)
    with pytest.raises(UserError) as error:
        network(config, random_parameters(config, 6), images)
    assert str(error.value) == "layers[1].engine: must be exact for bitwise weights"


def test_an_engine_of_our_own_becomes_verilog_and_a_plan(adder_tree):
    config = parse_config(json.dumps(CONFIG))
    kinds = [module.kind for module in design_of(config, "extended").modules.values()]
    assert kinds.count("adder_trees") == 4
    layers = plan(config)
    assert [layer.engine for layer in layers[1:3]] == ["crossbar sar 3b", "adder_tree + shortcut"]
    assert [layer.engine_cycles for layer in layers] == [40, 20 * 3 * 2 * 3, 60, 20, 1]


def test_an_engine_without_hardware_is_refused(adder_tree, monkeypatch):
    monkeypatch.delitem(ENGINES, "adder_tree")
    with pytest.raises(UserError) as error:
        design_of(parse_config(json.dumps(CONFIG)), "net.json")
    assert str(error.value) == (
        "net.json: layers[0].engine: must have hardware, as 'crossbar', 'pe_array', "
        "not 'adder_tree'"
    )


def test_the_cost_models_refuse_an_engine_of_our_own(adder_tree):
    with pytest.raises(UserError) as error:
        LayerBatch.of(parse_config(json.dumps(CONFIG)))
    assert str(error.value) == (
        "layers[0].engine: must be 'crossbar' or 'pe_array' in a cost model, not 'adder_tree'"
    )


def test_a_kind_of_weights_of_our_own(binary, tmp_path):
    document = CONFIG | {"weights": {"kind": "binary"}, "layers": [CONFIG["layers"][1]]}
    document["layers"] = [
        document["layers"][0],
        {"kind": "linear", "engine": "pe_array", "channels": 4, "input_bits": 2},
    ]
    config = parse_config(json.dumps(document))
    drawn = random_parameters(config, 7)
    save_parameters(tmp_path / "a.safetensors", config, drawn)
    parameters = load_parameters(tmp_path / "a.safetensors", config)
    assert (parameters.layers[0].weights(config, config.geometry[0]) >= 0).all()
    images = np.random.default_rng(7).integers(0, 256, (2, *config.shape), dtype=np.uint8)
    expected = [naive_network(config, parameters, image) for image in images]
    assert network(config, parameters, images).tolist() == expected
    with pytest.raises(UserError, match=r"^a\.json: weights\.kind: must be 'hidden' for an accel"):
        design_of(config, "a.json")
    other = parse_config(json.dumps(document | {"weights": {"kind": "hidden"}}))
    with pytest.raises(UserError, match=r"safetensors: weights: must be .*not .*binary"):
        load_parameters(tmp_path / "a.safetensors", other)


def test_a_data_set_of_our_own(tmp_path, monkeypatch):
    layer = {"kind": "linear", "engine": "pe_array", "channels": 2, "input_bits": 2}
    document = {"name": "bars", "dataset": "stripes", "weights": {"kind": "hidden"}}
    text = json.dumps(document | {"layers": [layer]})
    with pytest.raises(UserError, match=r"input_shape: is required .*cifar10, but 'stripes'"):
        parse_config(text)
    monkeypatch.setitem(DATASETS, "stripes", STRIPES)
    config = parse_config(text)
    assert config.shape == (4, 4, 1)
    data = load_images(config, tmp_path, "train")
    assert len(data) == 8 and set(data.labels.tolist()) == {0, 1}
    assert fetch("stripes") == "stripes: nothing to fetch, they are computed"
    assert recipe_for("stripes").epochs == 3
    with pytest.raises(UserError, match=r"input_shape: must be left out with dataset stripes"):
        parse_config(json.dumps(document | {"layers": [layer], "input_shape": [4, 4, 1]}))
    small = parse_config(json.dumps(document | {"layers": [layer | {"channels": 1}]}))
    with pytest.raises(UserError, match=r"^stripes: labels must be below 1"):
        load_images(small, tmp_path, "train")
