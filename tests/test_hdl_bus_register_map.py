"""One table of registers: addresses, bits and codes that software depends on."""

import re

from kakure.hdl.accelerators.frame_gate import FrameError
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import (
    ACCELERATOR_REGISTERS,
    ADDRESS_BITS,
    IDENTITY,
    MAP_VERSION,
)
from kakure.hdl.weights.image_reader import LoadError


def test_every_register_has_an_address_and_a_name_of_its_own():
    offsets = [register.offset for register in ACCELERATOR_REGISTERS]
    assert len(set(offsets)) == len(offsets)
    assert all(offset % 4 == 0 and offset + 4 <= 1 << ADDRESS_BITS for offset in offsets)
    names = [register.name for register in ACCELERATOR_REGISTERS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in names)


def test_the_addresses_are_kept():  # software depends on them: MAP_VERSION counts their changes
    known = {"IDENTITY": 0x00, "VERSION": 0x04, "DIGEST_0": 0x08, "DIGEST_7": 0x24}
    known |= {"CONTROL": 0x28, "STATUS": 0x2C, "ERROR": 0x30, "LOAD_CYCLES": 0x34}
    known |= {"RESULTS": 0x38, "LATENCY": 0x3C, "CYCLES": 0x40, "DROPPED": 0x44}
    offsets = {register.name: register.offset for register in ACCELERATOR_REGISTERS}
    assert known.items() <= offsets.items()
    assert IDENTITY.to_bytes(4, "big") == b"KAKU"


def test_the_bits_are_kept():  # as the addresses: the hardware is made from the same table
    bits = {
        f"{register.name}.{field.name}": field.mask
        for register in ACCELERATOR_REGISTERS
        for field in register.fields
    }
    assert bits == {
        "CONTROL.RESET": 0x01,
        "CONTROL.CLASS": 0x02,
        "CONTROL.BATCH": 0x04,
        "CONTROL.SPLIT": 0x08,
        "CONTROL.LOAD": 0x10,
        "CONTROL.CLEAR": 0x20,
        "STATUS.LOADED": 0x1,
        "STATUS.ERROR": 0x2,
        "STATUS.BUSY": 0x4,
        "STATUS.WAITING": 0x8,
        "ERROR.CODE": 0x00FF,
        "ERROR.LAYER": 0xFF00,
    }
    assert MAP_VERSION == 2


def test_the_codes_of_errors_are_kept_and_explained():
    codes = {error.name: error.value for error in ErrorCode}
    assert codes == {
        "NONE": 0,
        "HEADER": 1,
        "LENGTH": 2,
        "CRC": 3,
        "SCALE": 4,
        "IMAGE_SHORT": 8,
        "IMAGE_LONG": 9,
    }
    assert {error.name for kind in (LoadError, FrameError) for error in kind} == codes.keys()
    (register,) = (r for r in ACCELERATOR_REGISTERS if r.name == "ERROR")
    text = register.fields[0].text
    assert all(f"{error.value} {error.name}" in text for error in ErrorCode if error.value)


def test_a_field_that_can_be_written_lies_in_one_byte():  # whose strobe decides
    for register in ACCELERATOR_REGISTERS:
        for field in register.fields:
            is_in_one = field.low // 8 == (field.low + field.width - 1) // 8
            assert is_in_one or register.access == "r"


def test_fields_do_not_overlap():
    for register in ACCELERATOR_REGISTERS:
        bits = [bit for f in register.fields for bit in range(f.low, f.low + f.width)]
        assert len(set(bits)) == len(bits)
        assert all(bit < 32 for bit in bits)


def test_only_control_can_be_written():
    assert [r.name for r in ACCELERATOR_REGISTERS if r.access != "r"] == ["CONTROL"]
