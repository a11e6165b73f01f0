import numpy as np
import pytest

from kakure.model.config.presets import preset
from kakure.model.packed.window import PackedWindow
from kakure.model.reference.stages import windows


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("rows", [5, 64, 100])
def test_every_row_has_a_place_and_every_place_its_bit(index, rows):
    geometry = preset("digits").geometry[index]
    full, rest = divmod(geometry.fan_in, rows)
    window = PackedWindow(geometry, (rows,) * full + ((rest,) if rest else ()))
    assert sorted(window.rows) == list(range(geometry.fan_in))
    assert len(set(window.places.tolist())) == geometry.fan_in
    assert (window.places // (64 * window.words) == window.rows // rows).all()

    # A map of single bits, gathered by the pieces, is the map's first window.
    shape = (1, geometry.in_height, geometry.in_width, geometry.in_channels)
    x = np.random.default_rng(1).integers(0, 2, shape)
    edge = (geometry.padding,) * 2
    padded = np.pad(x, ((0, 0), edge, edge, (0, 0)))[0]
    chunks = -(-geometry.in_channels // 64)
    bits = np.zeros((geometry.padded_height, chunks, geometry.padded_width, 64), np.uint8)
    for channel in range(geometry.in_channels):
        bits[:, channel // 64, :, channel % 64] = padded[:, :, channel]
    planes = np.packbits(bits, axis=-1, bitorder="little").view("<u8").ravel()
    words = np.zeros(window.groups * window.words, np.uint64)
    for offset, word, turn, mask in window.pieces.tolist():
        plane = int(planes[offset // geometry.input_bits])
        turned = (plane >> turn | plane << (64 - turn)) & mask
        assert not int(words[word]) & turned
        words[word] |= np.uint64(turned)
    found = np.unpackbits(words.view(np.uint8), bitorder="little")[window.places]
    kernel = geometry.kernel_height, geometry.kernel_width
    expected = windows(x, *kernel, geometry.padding)[0, 0, 0][window.rows]
    assert (found == expected).all()
