"""The binary file of golden vectors, taken apart again as its description says."""

import struct
import zlib

import numpy as np
from temporal import temporal

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS, constant_values
from kakure.model.parameters.parameters import random_parameters
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
    assert several(3) == [1, 0, 0]
    constants = constant_values(CONFIG.digest)
    for register in ACCELERATOR_REGISTERS:
        at_start = constants.get(register.name, 0)
        is_writable = int(register.name == "CONTROL")
        assert several(5) == [register.offset, at_start, is_writable, 0, 0]
    assert registers == len(ACCELERATOR_REGISTERS)
    each = [several(3) for _ in range(sections)]
    said = zip(expected.sections, expected.section_layers, expected.section_heads, strict=True)
    assert each == [list(one) for one in said]
    assert several(supermask) == expected.supermask
    assert [several(5) for _ in range(3)] == expected.images
    logits = [several(2) for _ in range(3)]
    assert [[word - (word >> 31 << 32) for word in row] for row in logits] == expected.logits
    assert several(3) == expected.cycles
    assert several(1) == [crc]
    assert list(words) == []


def test_registers_that_count_say_what_they_hold_after_all_images(tmp_path):
    config = temporal([{"kind": "linear", "channels": 3, "input_bits": 4}], (8, 4, 2, 4))
    parameters, images = random_parameters(config, 1), np.zeros((5, *config.shape), np.uint8)
    architecture = architecture_of(config)
    path = tmp_path / "vectors"
    VectorWriter(config, parameters).write(path, images, 0)
    data = path.read_bytes()
    words = struct.unpack(f"<{len(data) // 4}I", data)[14:]
    found = {}
    for n, register in enumerate(architecture.registers):
        offset, _, _, counts, value = words[5 * n : 5 * n + 5]
        assert offset == register.offset
        if counts:
            found[register.name] = value
    lanes = 5 * architecture.counts["LANES"]
    assert found.pop("LANES_LOW") == lanes % (1 << 32)
    assert found.pop("LANES_HIGH") == lanes >> 32
    assert found == {name: 5 * n for name, n in architecture.counts.items() if name != "LANES"}
    assert len(found) == 4 and lanes > 0
