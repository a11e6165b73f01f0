# amaranth: UnusedElaboratable=no
import json
from dataclasses import dataclass
from random import Random

import pytest
from amaranth.back import verilog
from amaranth.hdl import ResetInserter, Signal

from kakure.hdl.weights.image_reader import LoadError
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.loading_time import loading_cycles, section_cycles
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words, layer_section
from kakure.model.reference.masks import TOKEN_SIZES, crc32, mask_bits
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import send, simulate, watch

GENERATORS = ("xorshift32", "xorshift16")
SEED = 5


def network(generator: str, outputs: tuple[int, ...] = (3, 33, 1), density: float = 0.5):
    """Two convolutions and a linear layer on a 4 x 4 map of two channels."""
    conv = {"kind": "conv", "engine": "pe_array", "input_bits": 2}
    config = parse_config(
        json.dumps({
            "name": "small",
            "dataset": "somewhere",
            "input_shape": [4, 4, 2],
            "weights": {"kind": "hidden", "seed": SEED, "generator": generator, "density": density},
            "layers": [
                {**conv, "channels": outputs[0], "kernel": 3},
                {**conv, "channels": outputs[1], "kernel": 1, "pool": 2},
                {"kind": "linear", "channels": outputs[2], "engine": "pe_array", "input_bits": 3},
            ],
        })
    )
    return config, random_parameters(config, seed=1)


def generator_of(config) -> WeightGenerator:
    layers = tuple(LayerWeights(g.in_channels, g.window, g.outputs) for g in config.geometry)
    weights = config.weights
    return WeightGenerator(generator=weights.generator, seed=weights.seed, layers=layers)


def image_of(config, parameters, token: int | None = None) -> list[int]:
    words = []
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        words += layer_section(config, geometry, layer, token).words
    return words


def beats(words: list[int]) -> list[dict[str, int]]:
    """What the stream carries: ``last`` with the last word."""
    return [{"word": word, "last": n == len(words) - 1} for n, word in enumerate(words)]


def pack(bits) -> int:
    return sum(int(bit) << n for n, bit in enumerate(bits))


def expected_weights(config, parameters) -> list[dict[str, int]]:
    writes = []
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        w = layer.weights(config, geometry)
        for row, block in weight_order(
            config.weights.generator,
            channels=geometry.in_channels,
            window=geometry.window,
            outputs=geometry.outputs,
        ):
            word = w[row, 32 * block : 32 * block + 32]
            writes.append({
                "valid": 1,
                "layer": geometry.index,
                "row": row,
                "block": block,
                "positive": pack(word > 0),
                "negative": pack(word < 0),
            })
    return writes


def expected_scales(parameters) -> list[dict[str, int]]:
    return [
        {
            "valid": 1,
            "layer": index,
            "channel": channel,
            "multiplier": int(layer.multiplier[channel]),
            "offset": int(layer.offset[channel]),
            "shift": int(layer.shift[channel]),
        }
        for index, layer in enumerate(parameters.layers)
        for channel in range(len(layer.shift))
    ]


def record(port, log: list):
    """Return a monitor that appends (cycle, write) for every write of a port."""

    async def monitor(ctx):
        cycle = 0
        async for *_, write in ctx.tick().sample(port):
            if write.valid:
                log.append((cycle, write))
            cycle += 1

    return monitor


@dataclass(frozen=True)
class Status:
    """What the status ports say after an image."""

    done: int
    error: LoadError
    layer: int
    ready: int


def status_of(ctx, dut: WeightGenerator) -> Status:
    return Status(
        done=ctx.get(dut.done),
        error=ctx.get(dut.error),
        layer=ctx.get(dut.error_layer),
        ready=ctx.get(dut.i.ready),
    )


GOOD = Status(done=1, error=LoadError.NONE, layer=2, ready=0)


class Load:
    """One load in simulation: the cycle and content of everything that came."""

    def __init__(self, config, words: list[dict[str, int]], rng: Random | None = None) -> None:
        self.taken: list = []
        self.weights: list = []
        self.scales: list = []
        status: list[Status] = []
        dut = generator_of(config)

        async def bench(ctx):
            await send(ctx, dut.i, words, rng)
            await ctx.tick()
            status.append(status_of(ctx, dut))

        weights = sum(g.weights for g in config.geometry)
        simulate(
            dut,
            bench,
            deadline=4 * (weights + len(words)) + 100,
            monitors=[
                watch(dut.i, self.taken),
                record(dut.weights, self.weights),
                record(dut.scales, self.scales),
            ],
        )

        [self.status] = status

    @property
    def cycles(self) -> int:
        """From the first word to the last, both counted."""
        return self.taken[-1][0] - self.taken[0][0] + 1


def load_each(config, images: list[list[dict[str, int]]]) -> list[tuple[Status, list]]:
    """Load images one after the other, each after a reset; return status and weights of each."""
    dut = generator_of(config)
    reset = Signal()
    writes = []
    results = []

    async def bench(ctx):
        for words in images:
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            before = len(writes)
            await send(ctx, dut.i, words)
            await ctx.tick()
            status = status_of(ctx, dut)
            results.append((status, [write for _, write in writes[before:]]))

    weights = sum(g.weights for g in config.geometry)
    deadline = sum(len(words) + weights + 50 for words in images)
    monitors = [record(dut.weights, writes)]
    simulate(ResetInserter(reset)(dut), bench, deadline=deadline, monitors=monitors)
    return results


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


def with_fault(words: list[int], fault: str) -> list[int]:
    """A section with a fault that its checksum does not show."""
    header, count, *rest = words
    mask, scales = rest[:count], rest[count:]
    if fault == "magic":
        header ^= 1 << 31
    elif fault == "layer":
        header ^= 1 << 7
    elif fault == "token 6":
        header = header & ~0xFF00 | 6 << 8
    elif fault == "token 8":
        header = header & ~0xFF00 | 8 << 8
    elif fault == "reserved":
        header |= 1 << 16
    elif fault == "no mask":
        count, mask = 0, []
    elif fault == "short mask":
        count, mask = count - 1, mask[:-1]
    elif fault == "long mask":
        count, mask = count + 1, [*mask, 0]
    elif fault == "huge mask":
        count |= 1 << 31
    elif fault == "sign extension":
        scales[0] |= 0xFF0000
    elif fault == "shift of 32":
        scales[-3] |= 1 << 29
    sealed = [header, count, *mask, *scales[:-1]]
    return [*sealed, crc32(sealed) ^ (fault == "crc")]


FAULTS = {
    "magic": LoadError.HEADER,
    "layer": LoadError.HEADER,
    "token 6": LoadError.HEADER,
    "token 8": LoadError.HEADER,
    "reserved": LoadError.HEADER,
    "no mask": LoadError.LENGTH,
    "short mask": LoadError.LENGTH,
    "long mask": LoadError.LENGTH,
    "huge mask": LoadError.LENGTH,
    "crc": LoadError.CRC,
    "sign extension": LoadError.SCALE,
    "shift of 32": LoadError.SCALE,
}


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("token", [0, 2])
def test_error_of_every_kind_in_every_layer(generator, token):
    config, parameters = network(generator)
    sections = [
        list(layer_section(config, geometry, layer, token).words)
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
    ]
    images = []
    expected = []
    for index in range(3):
        for fault, error in FAULTS.items():
            faulty = [*sections]
            faulty[index] = with_fault(sections[index], fault)
            images.append(beats([word for words in faulty for word in words]))
            expected.append(Status(done=0, error=error, layer=index, ready=1))
    assert [status for status, _ in load_each(config, images)] == expected


def test_every_bit_of_the_header_that_must_not_change():
    config, parameters = network("xorshift32", outputs=(1, 1, 1))
    first, *rest = (
        list(layer_section(config, geometry, layer, 0).words)
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
    )
    images = []
    for bit in (*range(8), *range(11, 32)):
        words = [first[0] ^ 1 << bit, *first[1:-1]]
        images.append(beats([*words, crc32(words), *rest[0], *rest[1]]))
    expected = Status(done=0, error=LoadError.HEADER, layer=0, ready=1)
    assert [status for status, _ in load_each(config, images)] == [expected] * len(images)


def test_every_bit_of_a_scale_that_must_not_change_and_of_every_one_that_may():
    """Reserved ones show, though the checksum does not; with any other bit the image is good."""
    config, parameters = network("xorshift32", outputs=(3, 1, 1))
    first, *rest = (
        list(layer_section(config, geometry, layer, 0).words)
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
    )
    reserved = [*range(16, 24), *range(29, 32)]
    for at in (-6, -4, -2):  # the first words of the three channels
        images = []
        for bit in range(32):
            words = [*first[:-1]]
            words[at] ^= 1 << bit
            images.append(beats([*words, crc32(words), *rest[0], *rest[1]]))
        wrong = Status(done=0, error=LoadError.SCALE, layer=0, ready=1)
        expected = [wrong if bit in reserved else GOOD for bit in range(32)]
        assert [status for status, _ in load_each(config, images)] == expected


def test_a_scale_that_is_wrong_and_the_last_word_is_wrong_as_a_scale():
    config, parameters = network("xorshift32", outputs=(1, 1, 1))
    words = image_of(config, parameters, 0)[:-2]
    words[-1] |= 1 << 31
    [(status, _)] = load_each(config, [beats(words)])
    assert status == Status(done=0, error=LoadError.SCALE, layer=2, ready=1)


@pytest.mark.parametrize(("generator", "token"), [("xorshift32", 0), ("xorshift16", 2)])
def test_last_anywhere_else_is_an_error(generator, token):
    config, parameters = network(generator, outputs=(3, 2, 1))
    words = image_of(config, parameters, token)
    images = [beats(words[:count]) for count in range(1, len(words))]
    for status, _ in load_each(config, images):
        assert (status.done, status.error) == (0, LoadError.LENGTH)


@pytest.mark.parametrize("generator", GENERATORS)
def test_last_missing_is_an_error(generator):
    config, parameters = network(generator)
    words = [{"word": word, "last": 0} for word in image_of(config, parameters)]
    [(status, _)] = load_each(config, [words])
    assert status == Status(done=0, error=LoadError.LENGTH, layer=2, ready=1)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("token", [0, 1, 3, 5])
def test_corrupted_images_never_load_and_a_good_one_does_after_reset(generator, token):
    config, parameters = network(generator, outputs=(3, 5, 2))
    good = beats(image_of(config, parameters, token))
    rng = Random(token)
    images = []
    for _ in range(50):
        words = [dict(word) for word in good]
        flips = {(rng.randrange(len(words)), rng.randrange(33)) for _ in range(rng.randint(1, 4))}
        for index, bit in flips:
            if bit == 32:
                words[index]["last"] = not words[index]["last"]
            else:
                words[index]["word"] ^= 1 << bit
        images.append(words)
    *corrupted, (status, weights) = load_each(config, [*images, good])
    assert all(not status.done and status.error != LoadError.NONE for status, _ in corrupted)
    assert {status.error for status, _ in corrupted} == set(LoadError) - {LoadError.NONE}
    assert status == GOOD
    assert weights == expected_weights(config, parameters)


@pytest.mark.parametrize("generator", GENERATORS)
def test_random_words_end_in_an_error(generator):
    config, _ = network(generator)
    rng = Random(3)
    images = [beats([rng.getrandbits(32) for _ in range(40)]) for _ in range(5)]
    for status, _ in load_each(config, images):
        assert status == Status(done=0, error=LoadError.HEADER, layer=0, ready=1)


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
