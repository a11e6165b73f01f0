"""The order of work of a PE array, against the order in which the weights are made."""

import pytest

from kakure.hdl.engines.pe_array.schedule import Chunk, PeSchedule
from kakure.model.reference.signs import weight_order
from tests.pe_array import layer_on_array


def schedule(*, shape, kernel, outputs, array, generator="xorshift32", input_bits=3):
    weights = {"kind": "hidden", "generator": generator}
    sizes = (shape, kernel, outputs, array, input_bits)
    return PeSchedule(layer_on_array(*sizes, weights=weights), 0)


CASES = [
    {"shape": (4, 4, 2), "kernel": 2, "outputs": 5, "array": (3, 2, 4)},
    {"shape": (4, 4, 2), "kernel": 2, "outputs": 40, "array": (3, 8, 4)},
    {"shape": (5, 5, 5), "kernel": 3, "outputs": 40, "array": (16, 8, 4)},
    {"shape": (5, 5, 5), "kernel": 3, "outputs": 40, "array": (20, 8, 4)},
    {"shape": (3, 3, 1), "kernel": 3, "outputs": 1, "array": (256, 256, 256)},
    {"shape": (3, 4, 7), "kernel": 1, "outputs": 65, "array": (1, 1, 1)},
]


@pytest.mark.parametrize("generator", ["xorshift32", "xorshift16"])
@pytest.mark.parametrize("case", CASES)
def test_chunks_hold_every_row_once_in_the_order_in_which_words_are_made(case, generator):
    work = schedule(**case, generator=generator)
    geometry = work.geometry
    words = [
        row
        for row, _ in weight_order(
            generator,
            channels=geometry.in_channels,
            window=geometry.window,
            outputs=geometry.outputs,
        )
    ]
    first = 0
    for chunk in work.chunks:
        assert chunk.first == first
        assert sum(chunk.blocks) == chunk.rows <= work.chunk_rows
        assert max(chunk.blocks) <= work.inputs
        made, words = words[: chunk.words], words[chunk.words :]
        assert set(made) == set(range(first, first + chunk.rows))
        first += chunk.rows
    assert (first, words) == (geometry.fan_in, [])
    assert work.blocks == sum(len(chunk.blocks) for chunk in work.chunks)
    assert work.shape.chunk_blocks == len(work.chunks[0].blocks)
    assert work.shape.mask_words == sum(chunk.words for chunk in work.chunks)


def test_the_array_is_trimmed_to_the_layer():
    work = schedule(shape=(3, 3, 1), kernel=3, outputs=2, array=(16, 16, 16))
    assert (work.inputs, work.outputs, work.pixels, work.banks) == (9, 2, 1, 1)
    work = schedule(shape=(6, 6, 4), kernel=3, outputs=50, array=(16, 16, 16))
    assert (work.inputs, work.outputs, work.pixels, work.banks) == (16, 16, 16, 4)


def test_a_chunk_is_a_block_for_xorshift32():
    work = schedule(shape=(4, 4, 2), kernel=2, outputs=40, array=(3, 8, 4))
    assert work.chunks == (
        Chunk(0, 3, 6, (3,)),
        Chunk(3, 3, 6, (3,)),
        Chunk(6, 2, 4, (2,)),
    )


def test_a_chunk_is_a_block_for_xorshift16_where_a_row_is_one_word():
    work = schedule(shape=(4, 4, 2), kernel=2, outputs=32, array=(3, 8, 4), generator="xorshift16")
    assert work.chunks == (Chunk(0, 3, 3, (3,)), Chunk(3, 3, 3, (3,)), Chunk(6, 2, 2, (2,)))


def test_a_chunk_is_whole_channels_for_xorshift16_where_words_come_by_channel():
    case = {"shape": (5, 5, 5), "kernel": 3, "outputs": 40}
    work = schedule(**case, array=(20, 8, 4), generator="xorshift16")
    assert [chunk.blocks for chunk in work.chunks] == [(18,), (18,), (9,)]
    work = schedule(**case, array=(4, 8, 4), generator="xorshift16")
    assert [chunk.blocks for chunk in work.chunks] == [(4, 4, 1)] * 5


def test_cycles():
    work = schedule(shape=(4, 4, 2), kernel=2, outputs=40, array=(3, 8, 4), input_bits=3)
    assert work.store_cycles == 3
    assert work.work_cycles == 4 + 16 + 3 * 5 * 3
    assert work.batch_cycles == 4 * 3 + work.work_cycles + 4 - 1
