"""The binary file of golden vectors, taken apart again as its description says."""

import struct
import zlib

from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS, constant_values
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.vector_file import VectorWriter
from tests.test_sim_runner_golden import CONFIG, IMAGES, PARAMETERS


def test_every_word_is_where_it_is_said_to_be(tmp_path):
    path = tmp_path / "vectors"
    crc = VectorWriter(CONFIG, PARAMETERS).write(path, IMAGES, 70)
    data = path.read_bytes()
    assert crc == zlib.crc32(data[:-4])
    words = iter(struct.unpack(f"<{len(data) // 4}I", data))

    def several(count: int) -> list[int]:
        return [next(words) for _ in range(count)]

    expected = golden_vectors(CONFIG, PARAMETERS, IMAGES)
    assert data[:4] == b"KAKV"
    registers, sections, supermask, images, image_words, classes = several(8)[2:]
    assert (images, image_words, classes) == (3, 5, 2)
    assert several(3) == [70, expected.load_cycles, expected.settle_cycles]
    constants = constant_values(CONFIG.digest)
    for register in ACCELERATOR_REGISTERS:
        at_start = constants.get(register.name, 0)
        assert several(3) == [register.offset, at_start, int(register.name == "CONTROL")]
    assert registers == len(ACCELERATOR_REGISTERS)
    assert several(sections) == expected.sections
    assert several(supermask) == expected.supermask
    assert [several(5) for _ in range(3)] == expected.images
    logits = [several(2) for _ in range(3)]
    assert [[word - (word >> 31 << 32) for word in row] for row in logits] == expected.logits
    assert several(3) == expected.cycles
    assert several(1) == [crc]
    assert list(words) == []
