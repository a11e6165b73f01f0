# amaranth: UnusedElaboratable=no
from random import Random

import pytest
from amaranth.back import verilog

from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.loading_time import loading_cycles, section_cycles
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.parameters.supermask_image import image_words, layer_section
from kakure.model.reference.masks import TOKEN_SIZES, crc32, mask_bits
from kakure.sim.drivers.streams import send, simulate
from tests.small_generator import (
    GENERATORS,
    GOOD,
    Load,
    beats,
    expected_scales,
    expected_weights,
    generator_of,
    image_of,
    network,
)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("token", [None, *TOKEN_SIZES])
def test_writes_what_the_reference_says(generator, token):
    config, parameters = network(generator)
    load = Load(config, beats(image_of(config, parameters, token)), Random(1))
    assert load.status == GOOD
    assert [write for _, write in load.weights] == expected_weights(config, parameters)
    assert [write for _, write in load.scales] == expected_scales(parameters)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("token", TOKEN_SIZES)
def test_cycles_of_every_section_are_exact(generator, token):
    config, parameters = network(generator, outputs=(1, 35, 1), density=0.2)
    load = Load(config, beats(image_of(config, parameters, token)))
    start = 0
    index = 0
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        sizes = {"channels": geometry.in_channels, "window": geometry.window}
        bits = mask_bits(layer.mask, generator, **sizes)
        index += len(layer_section(config, geometry, layer, token).words)
        start += section_cycles(
            generator, bits, token, window=geometry.window, outputs=geometry.outputs
        )
        assert load.taken[index - 1][0] == start - 1


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("density", [0.5, 0.05])
def test_cycles_of_the_image_are_exact(generator, density):
    config, parameters = network(generator, density=density)
    load = Load(config, beats(image_words(config, parameters)))
    assert load.cycles == loading_cycles(config, parameters)


@pytest.mark.parametrize(("generator", "wait"), [("xorshift32", 2), ("xorshift16", 0)])
def test_raw_rows_of_32_take_a_word_in_every_cycle(generator, wait):
    config, parameters = network(generator, outputs=(32, 64, 96))
    words = image_of(config, parameters, 0)
    load = Load(config, beats(words))
    assert load.cycles == len(words) + 3 * wait
    rows = config.geometry[0].fan_in
    cycles = [cycle for cycle, _ in load.weights[:rows]]
    assert cycles == list(range(2 + wait + 1, 2 + wait + 1 + rows))


@pytest.mark.parametrize("generator", GENERATORS)
def test_largest_and_smallest_scales(generator):
    config, parameters = network(generator)
    for layer in parameters.layers:
        layer.multiplier[0] = -32768
        layer.multiplier[-1] = 32767
        layer.offset[0] = -(2**31)
        layer.offset[-1] = 2**31 - 1
        layer.shift[0] = 31
        layer.shift[-1] = 0
    load = Load(config, beats(image_of(config, parameters)))
    assert load.status == GOOD
    assert [write for _, write in load.scales] == expected_scales(parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "lfsr"}, "generator must be xorshift32 or xorshift16, not 'lfsr'"),
        ({"seed": -1}, "seed must be 0 to 4294967295, not -1"),
        ({"seed": 2**32}, "seed must be 0 to 4294967295, not 4294967296"),
        ({"layers": ()}, "layers must be 1 to 256, not 0"),
        ({"layers": (LayerWeights(1, 1, 1),) * 257}, "layers must be 1 to 256, not 257"),
        (
            {"layers": (LayerWeights(1, 1, 1), LayerWeights(1, 0, 1))},
            r"layers\[1\].window must be at least 1, not 0",
        ),
    ],
)
def test_rejects(change, message):
    good = {"generator": "xorshift32", "seed": 1, "layers": (LayerWeights(1, 1, 1),)}
    with pytest.raises(ValueError, match=message):
        WeightGenerator(**(good | change))


@pytest.mark.parametrize("generator", GENERATORS)
def test_smallest_network(generator):
    """One layer of one weight."""
    dut = WeightGenerator(generator=generator, seed=1, layers=(LayerWeights(1, 1, 1),))
    words = [0x4B000000, 1, 1, 7, 8]
    words.append(crc32(words))

    async def bench(ctx):
        await send(ctx, dut.i, beats(words))
        assert ctx.get(dut.done)

    simulate(dut, bench, deadline=30)


@pytest.mark.parametrize("generator", GENERATORS)
def test_emits_verilog(generator):
    config, _ = network(generator)
    assert "module weights" in verilog.convert(generator_of(config), name="weights")


def test_cycles_of_runs_that_cross_blocks_of_a_window():
    """With xorshift16, a window ends before the next block of 32 outputs begins."""
    config, parameters = network("xorshift16", outputs=(35, 3, 1), density=0.2)
    assert config.geometry[0].window > 1
    load = Load(config, beats(image_of(config, parameters, 2)))
    assert load.taken[-1][0] + 1 == sum(
        section_cycles(
            "xorshift16",
            mask_bits(
                layer.mask, "xorshift16", channels=geometry.in_channels, window=geometry.window
            ),
            2,
            window=geometry.window,
            outputs=geometry.outputs,
        )
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
    )
