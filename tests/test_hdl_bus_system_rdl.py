"""The register map in SystemRDL, read back by the compiler of that language."""

import pytest
from systemrdl.compiler import RDLCompiler
from systemrdl.messages import MessagePrinter
from systemrdl.node import AddrmapNode, FieldNode, RegNode
from systemrdl.rdltypes.builtin_enums import AccessType

from kakure.hdl.accelerators.temporal.core import TemporalCore
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import (
    ACCELERATOR_REGISTERS,
    IDENTITY,
    MAP_VERSION,
    PLANES,
    THRESHOLD,
    Field,
    Register,
    constant_values,
)
from kakure.hdl.bus.system_rdl import system_rdl

DIGEST = "0123456789abcdef" * 3 + "fedcba9876543210"
CONSTANTS = constant_values(DIGEST)
EXAMPLE = (
    Register("A", 0x08, "r", 'The "first" \\ one.'),
    Register("B", 0x1C, "rw", "The second.", (Field("ONE", 3, 1, "A."), Field("TWO", 9, 4, "B."))),
)


class Silent(MessagePrinter):
    """Keeps what the compiler says; a warning is a fault here."""

    def __init__(self):
        super().__init__()
        self.said: list[str] = []

    def print_message(self, severity, text, src_ref):
        self.said.append(f"{severity.name}: {text}")


def compiled(registers, constants, tmp_path) -> AddrmapNode:
    """The address map as the compiler understands it, without a warning."""
    path = tmp_path / "kakure.rdl"
    path.write_text(system_rdl(registers, "accelerator_x", "Registers of x", constants))
    printer = Silent()
    compiler = RDLCompiler(message_printer=printer)
    compiler.compile_file(str(path))
    top = compiler.elaborate("accelerator_x").top
    assert printer.said == []
    return top


def registers_of(top: AddrmapNode) -> dict[str, RegNode]:
    return {node.inst_name: node for node in top.children() if isinstance(node, RegNode)}


def expected_access(register: Register, field: Field, constants) -> tuple:
    """Software, hardware, singlepulse."""
    if register.name in constants:
        return AccessType.r, AccessType.na, False
    if register.access == "r":
        return AccessType.r, AccessType.w, False
    return AccessType.rw, AccessType.r, field.is_pulse


OWN = (*TemporalCore.own_registers, PLANES, THRESHOLD)


@pytest.mark.parametrize(
    ("table", "constants"),
    [
        (ACCELERATOR_REGISTERS, CONSTANTS),
        (ACCELERATOR_REGISTERS + OWN, CONSTANTS),
        (EXAMPLE, {"A": 0x80000001}),
    ],
)
def test_addresses_fields_bits_access_and_reset_are_those_of_the_table(table, constants, tmp_path):
    top = compiled(table, constants, tmp_path)
    nodes = registers_of(top)
    assert list(nodes) == [register.name for register in table]
    for register in table:
        node = nodes[register.name]
        assert node.absolute_address == register.offset
        assert node.get_property("regwidth") == node.get_property("accesswidth") == 32
        assert node.get_property("desc") == register.text
        fields = register.fields or (Field("VALUE", 0, 32, register.text),)
        read: dict[str, FieldNode] = {field.inst_name: field for field in node.fields()}
        assert read.keys() == {field.name for field in fields}
        resets = 0
        for field in fields:
            got = read[field.name]
            assert (got.low, got.width) == (field.low, field.width)
            assert got.get_property("desc") == field.text
            how = (got.get_property("sw"), got.get_property("hw"), got.get_property("singlepulse"))
            assert how == expected_access(register, field, constants)
            reset = got.get_property("reset")
            assert isinstance(reset, int)
            resets |= reset << field.low
        assert resets == constants.get(register.name, 0)


def test_what_never_changes_is_a_constant(tmp_path):
    nodes = registers_of(compiled(ACCELERATOR_REGISTERS, CONSTANTS, tmp_path))
    held = {name: next(iter(node.fields())).get_property("reset") for name, node in nodes.items()}
    assert (held["IDENTITY"], held["VERSION"]) == (IDENTITY, MAP_VERSION)
    assert "".join(f"{held[f'DIGEST_{k}']:08x}" for k in range(8)) == DIGEST


def test_pulses_are_singlepulse_and_nothing_else_is(tmp_path):
    control = registers_of(compiled(ACCELERATOR_REGISTERS, CONSTANTS, tmp_path))["CONTROL"]
    pulses = {f.inst_name for f in control.fields() if f.get_property("singlepulse")}
    assert pulses == {"RESET", "LOAD", "CLEAR"}


def test_the_codes_of_errors_are_an_enumeration(tmp_path):
    error = registers_of(compiled(ACCELERATOR_REGISTERS, CONSTANTS, tmp_path))["ERROR"]
    (code,) = (field for field in error.fields() if field.inst_name == "CODE")
    encoding = code.get_property("encode")
    assert encoding is not None
    assert {m.name: m.value for m in encoding} == {c.name: c.value for c in ErrorCode}
    assert all(m.rdl_desc for m in encoding)
    others = (field for field in error.fields() if field is not code)
    assert all(field.get_property("encode") is None for field in others if field != code)
