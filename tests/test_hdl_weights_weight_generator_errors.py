"""What is wrong with an image is said, and nothing wrong is ever loaded."""

from random import Random

import pytest

from kakure.hdl.weights.image_reader import LoadError
from kakure.model.parameters.supermask_image import layer_section
from kakure.model.reference.masks import crc32
from tests.small_generator import (
    GENERATORS,
    GOOD,
    Status,
    beats,
    expected_weights,
    image_of,
    load_each,
    network,
)


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
