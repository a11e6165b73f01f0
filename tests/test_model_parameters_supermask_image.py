import zlib

import numpy as np
import pytest

from kakure.model.config.presets import preset
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import MAGIC, image_words, layer_section, pack_words
from kakure.model.reference.masks import decode_mask, mask_from_bits


def test_pack_words_fills_the_last_word():
    assert pack_words([1, 0, 1]) == [5]
    assert pack_words([0] * 32 + [1]) == [0, 1]
    assert pack_words([1] * 64) == [0xFFFFFFFF, 0xFFFFFFFF]
    assert pack_words([]) == []


@pytest.mark.parametrize("name", ["digits", "hiddenite"])
@pytest.mark.parametrize("token", [None, 0, 1, 2, 3, 4, 5])
def test_a_section_can_be_read_back(name, token):
    config = preset(name)
    parameters = random_parameters(config, seed=4)
    assert isinstance(config.weights, HiddenWeights)
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        words = layer_section(config, geometry, layer, token).words
        head, count = words[:2]
        assert head >> 24 == MAGIC and head & 0xFF == geometry.index
        assert head >> 16 & 0xFF == 0
        coding = head >> 8 & 0xFF
        assert token is None or coding == token
        raw = b"".join(word.to_bytes(4, "little") for word in words[2 : 2 + count])
        code = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
        bits = decode_mask(code, coding, geometry.weights)
        mask = mask_from_bits(
            bits,
            config.weights.generator,
            channels=geometry.in_channels,
            window=geometry.window,
            outputs=geometry.outputs,
        )
        assert (mask == layer.mask).all()
        scales = np.array(words[2 + count : -1], np.uint32).reshape(-1, 2)
        assert (scales[:, 0] & 0xE0FF0000 == 0).all()
        assert ((scales[:, 0] & 0xFFFF).astype(np.int16) == layer.multiplier).all()
        assert (scales[:, 0] >> 24 == layer.shift).all()
        assert (scales[:, 1].astype(np.int32) == layer.offset).all()
        body = b"".join(word.to_bytes(4, "little") for word in words[:-1])
        assert words[-1] == zlib.crc32(body)


def test_the_image_is_its_sections():
    config = preset("digits")
    parameters = random_parameters(config, seed=4)
    sections = [
        layer_section(config, geometry, layer)
        for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
    ]
    assert image_words(config, parameters) == [word for s in sections for word in s.words]


def test_a_sparse_mask_is_coded_shorter():
    config = preset("digits")
    layer = random_parameters(config, seed=4).layers[1]
    sparse = np.zeros_like(layer.mask)
    sparse[::17, ::3] = True
    from dataclasses import replace

    section = layer_section(config, config.geometry[1], replace(layer, mask=sparse))
    assert section.token == 5
    assert section.mask_words * 32 < sparse.size / 3
