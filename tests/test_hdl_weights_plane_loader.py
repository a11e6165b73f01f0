# amaranth: UnusedElaboratable=no
"""Planes and scales out of an image; what is wrong in it, and in which layer."""

import json
from random import Random

import pytest

from kakure.hdl.weights.image_reader import ImageReader, LoadError
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.hdl.weights.plane_loader import PlaneLoader
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_sections, layer_section
from kakure.model.reference.masks import TOKEN_SIZES, crc32
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import send, simulate, watch


def network(bits=3, outputs=(3, 33, 1)):
    """Two convolutions and a linear layer on a 4 x 4 map of two channels."""
    conv = {"kind": "conv", "engine": "pe_array", "input_bits": 2}
    config = parse_config(
        json.dumps({
            "name": "small",
            "dataset": "somewhere",
            "input_shape": [4, 4, 2],
            "weights": {"kind": "bitwise", "bits": bits},
            "layers": [
                {**conv, "channels": outputs[0], "kernel": 3},
                {**conv, "channels": outputs[1], "kernel": 1, "pool": 2},
                {"kind": "linear", "channels": outputs[2], "engine": "pe_array", "input_bits": 3},
            ],
        })
    )
    return config, random_parameters(config, seed=1)


def words_of(config, parameters, token=None):
    return [
        word
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
        for plane in range(config.weights_of(geometry.index).widths)
        for word in layer_section(config, geometry, layer, token, plane=plane).words
    ]


def load(config, words, rng=None):
    """Writes of weights and scales, cycles in which words were taken, and what is said at last."""
    layers = tuple(
        LayerWeights(g.in_channels, g.window, g.outputs, config.weights_of(g.index).widths)
        for g in config.geometry
    )
    dut = PlaneLoader(layers=layers)
    taken, weights, scales, status = [], [], [], []
    beats = [{"word": word, "last": n == len(words) - 1} for n, word in enumerate(words)]

    async def bench(ctx):
        await send(ctx, dut.i, beats, rng)
        await ctx.tick()
        status.append((ctx.get(dut.done), LoadError(ctx.get(dut.error)), ctx.get(dut.error_layer)))

    async def monitor(ctx):
        async for *_, weight, scale in ctx.tick().sample(dut.weights, dut.scales):
            if weight.valid:
                weights.append(weight)
            if scale.valid:
                scales.append(scale)

    deadline = 400 + 40 * len(words)
    simulate(dut, bench, monitors=[watch(dut.i, taken), monitor], deadline=deadline)
    cycles = [cycle for cycle, _ in taken]
    return weights, scales, cycles[-1] - cycles[0] + 1, status[0]


@pytest.mark.parametrize("token", [None, *TOKEN_SIZES])
@pytest.mark.parametrize("planes", [(1, 1, 1), (2, 2, 2), (8, 8, 8), (2, 1, 3), (1, 4, 1)])
def test_every_word_and_scale_is_written_where_it_belongs(planes, token):
    config, parameters = network(max(planes))
    config, parameters = config.at(planes), parameters.at(planes)
    rng = None if token is None else Random(token)
    weights, scales, cycles, status = load(config, words_of(config, parameters, token), rng)
    assert status == (1, LoadError.NONE, 2)
    expected = []
    for g, layer in zip(config.geometry, parameters.layers, strict=True):
        for plane in range(planes[g.index]):
            sizes = {"channels": g.in_channels, "window": g.window, "outputs": g.outputs}
            for row, block in weight_order("xorshift32", **sizes):
                ones = layer.masks[plane][row, 32 * block : 32 * block + 32]
                word = sum(1 << b for b, bit in enumerate(ones) if bit)
                expected.append((g.index, plane, row, block, word))
    assert [(w.layer, w.plane, w.row, w.block, w.bits) for w in weights] == expected
    expected = []
    for index, layer in enumerate(parameters.layers):
        for plane in range(planes[index]):
            parts = layer.at(plane + 1).scales.parts
            for channel, (m, b, s) in enumerate(zip(*parts, strict=True)):
                expected.append((index, plane, channel, int(m), int(b), int(s)))
    got = [
        (s.layer, s.plane if max(planes) > 1 else 0, s.channel, s.multiplier, s.offset, s.shift)
        for s in scales
    ]
    assert got == expected
    if token is None:
        assert cycles == loading_cycles(config, parameters)


def damaged(config, parameters, number, change):
    """The image with a section changed, and the checksum that belongs to it."""
    sections = [list(s.words) for s in image_sections(config, parameters)]
    change(sections[number])
    sections[number][-1] = crc32(sections[number][:-1])
    return [word for section in sections for word in section]


@pytest.mark.parametrize("number", [0, 4, 8])
@pytest.mark.parametrize(
    ("bit", "error"),
    [(16, LoadError.HEADER), (0, LoadError.HEADER), (23, LoadError.HEADER), (11, LoadError.HEADER)],
)
def test_a_wrong_header_is_refused(number, bit, error):
    config, parameters = network()

    def change(section):
        section[0] ^= 1 << bit

    *_, status = load(config, damaged(config, parameters, number, change))
    assert status == (0, error, number // 3)


@pytest.mark.parametrize("number", [1, 5, 7])
def test_a_wrong_checksum_is_refused(number):
    config, parameters = network()
    sections = [list(s.words) for s in image_sections(config, parameters)]
    sections[number][3] ^= 1 << 5
    *_, status = load(config, [word for section in sections for word in section])
    assert status == (0, LoadError.CRC, number // 3)


@pytest.mark.parametrize(
    ("planes", "status"),
    [
        ((2, 3, 3), (0, LoadError.HEADER, 0)),
        ((3, 2, 3), (0, LoadError.HEADER, 1)),
        ((3, 3, 2), (0, LoadError.LENGTH, 2)),
    ],
)
def test_an_image_of_fewer_planes_is_not_enough(planes, status):
    config, parameters = network()
    few = words_of(config.at(planes), parameters.at(planes))
    assert load(config, few)[-1] == status


def test_planes_have_a_range():
    for planes in (0, 9):
        with pytest.raises(ValueError, match=f"planes must be 1 to 8, not {planes}"):
            ImageReader(layers=1, max_outputs=1, max_mask_words=1, planes=planes)
